"""The first screen, driven by keys, on the real app."""

from __future__ import annotations

from pathlib import Path


async def test_suites_left_and_the_chosen_one_right(stage, size) -> None:
    async with stage(size=size) as it:
        await it.sees("SUITES", "people", "2 x 3 cases", "Name and age of the person in a sentence")
        assert "2 prompts x 3 cases = 6 jobs, greedy" in it.text
        assert "Extract the name and age: {input}" in it.text
        assert "You answer with one JSON object and nothing else." in it.text
        assert it.lines[-1].split() == [
            "r",
            "run",
            "1",
            "prompts",
            "2",
            "schema",
            "3",
            "cases",
            "S",
            "search",
            "q",
            "quit",
            "?",
            "help",
        ]


async def test_schema_and_cases_have_a_key_each(stage, size) -> None:
    async with stage(size=size) as it:
        await it.sees("[1 prompts]")
        await it.press("2")
        await it.sees("[2 schema]", '"additionalProperties": false')
        await it.press("3")
        await it.sees("[3 cases]", "alice  #plain", "I am 30 years old.", '{"name": "Alice", "age": 30}')
        await it.press("tab", "G")
        await it.sees("I am [red]Zoë[/red], 7.", "(nothing; only the schema counts)")


async def test_a_suite_that_does_not_load_says_why_and_the_others_work(stage, size) -> None:
    async with stage(size=size) as it:
        await it.sees("torn.toml", "!! does not load")
        await it.press("j")
        await it.sees("This does not load", "column 13", "press F5")
        await it.press("r")
        await it.sees("Mend this suite first.")
        await it.press("k")
        await it.sees("Extract the name and age")


async def test_f5_reads_a_mended_suite(stage) -> None:
    async with stage() as it:
        await it.sees("!! does not load")
        await it.press("j")
        suites = it.folder / "suites"
        (suites / "torn.toml").write_text((suites / "people.toml").read_text().replace('"people"', '"mended"', 1))
        await it.press("f5")
        await it.until(lambda: "!! does not load" not in it.text)
        await it.sees("mended", "Extract the name and age")


async def test_an_empty_folder_says_what_to_do(stage, size, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with stage(size=size, path=empty) as it:
        await it.sees("No suites here", "press F5", "[[prompt]]")
        await it.press("r")
        await it.sees("There is no suite to run.")


async def test_a_folder_that_disappears_is_told_in_a_sentence(stage, tmp_path: Path) -> None:
    async with stage(path=tmp_path / "gone") as it:
        await it.sees("there is no such file or folder")


async def test_help_lists_every_key_and_closes(stage, size) -> None:
    async with stage(size=size) as it:
        await it.sees("people")
        await it.press("question_mark")
        await it.sees("Help", "run the chosen suite", "go to the next broken case")
        await it.press("G")
        await it.sees("the value equals what the case expects")
        await it.press("escape")
        await it.until(lambda: "the value equals" not in it.text)
        assert "Extract the name and age" in it.text


async def test_q_quits_at_once_when_no_run_is_on(stage) -> None:
    async with stage() as it:
        await it.sees("people")
        await it.press("q")
        await it.until(lambda: not it.app.is_running)
        assert it.app.return_code == 0


async def test_techniques_say_what_they_are_and_cases_how_they_are_varied(stage) -> None:
    async with stage() as it:
        await it.sees("!! does not load")
        await it.press("j")
        suites = it.folder / "suites"
        text = (suites / "people.toml").read_text().replace('"people"', '"drawn"', 1)
        used = 'task = "Find the name"\nuse = ["think-first"]\n[variations]\nuse = ["html"]\n[generation]'
        (suites / "torn.toml").write_text(text.replace("[generation]", used, 1))
        await it.press("f5")
        await it.sees("drawn", "3 prompts x 3 cases with variations = 18 jobs")
        await it.sees("Lets the model think aloud", "source: Kojima et al.", "up to </think>, in at most 256 tokens")
        await it.press("3")
        await it.sees("variations, all that apply to a case", "html: Wraps the input in HTML elements.")
