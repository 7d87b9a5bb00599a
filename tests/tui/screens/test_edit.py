"""An edited prompt and one job are tried from the run screen; whatever stands in a prompt is drawn and kept."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import tomli
from textual.events import Key, Paste

from tests.helpers import story
from tests.helpers.stage import Stage
from tests.tui.test_program import START, Terminal
from tui.widgets.fields.prompt_field import PromptField

JSON_ONLY = tomli.loads(story.PEOPLE)["prompt"][1]
HOSTILE = "esc \x1b[31m rlo \u202e nel\x85 ls\u2028 cr\r\n{input}\r\ttag \U000e0041 \x00 last plane \U00108000 lf\n"
EDITOR = """
import sys, time
from pathlib import Path
folder, file = Path(sys.argv[1]), Path(sys.argv[2])
(folder / "part").write_bytes(file.read_bytes())
(folder / "part").rename(folder / "shown")
while not (folder / "written").exists():
    time.sleep(0.01)
file.write_bytes((folder / "written").read_bytes())
(folder / "written").unlink()
"""


def field(it: Stage, name: str) -> PromptField:
    return it.app.screen.query_one(f"#{name}", PromptField)


def inputs(*cases: str) -> list[dict[str, Any]]:
    return [{"case": case, "variation": None, "repeat": 0} for case in cases]


async def write(it: Stage, text: str) -> None:
    """Put a text into the field with the focus, in place of what stands there."""
    await it.press("f7")
    it.app.post_message(Paste(text))
    await it.sees(text)


async def test_a_prompt_is_edited_refused_kept_and_tried_on_what_f3_says(stage: Any, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("finished")
        await it.press("slash", *"alice", "enter", "end", "e")
        await it.sees("json-only, edited: json-only*2", JSON_ONLY["system"], "Name and age as")
        await it.sees("system message (empty: none)", "{input}", "{schema}", "{keys}", "prefill", "F5 try it", "esc")
        box = it.app.screen.query_one("#edit")
        assert all(box.region.contains_region(each.region) and each.size.height for each in box.children[:-1])
        assert box.size.height >= min(size[1] - 2, 34), "the height is used"

        scopes = ("[broken cases 1]  the filter's jobs 1   all cases 3", "[the filter's jobs 1]", "[all cases 3]")
        for scope in (*scopes, scopes[0]):
            await it.sees(scope)
            await it.press("f3")

        await write(it, "No place for it")
        await it.press("f5")
        await it.sees("the prompt, user: without {input}, here or in system, the model")
        await it.press("escape", "e")
        await it.sees("No place for it")

        await write(it, "Now{input}")
        await it.press("f3", "f5")
        await it.until(lambda: it.received("start_trial"))
        (order,) = it.received("start_trial")
        assert order["prompt"] == {**JSON_ONLY, "name": "json-only*2", "user": "Now{input}"}
        assert order["inputs"] == inputs("alice"), "the filter's; the broken case is bob"


async def test_editor_and_hostile_text_and_a_job_again(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' '{script}' '{tmp_path}'")
    async with stage(story.people_run()) as it:
        it.app.suspend = nullcontext  # there is no terminal to lend
        shown, written = tmp_path / "shown", tmp_path / "written"

        async def edit(text: str) -> str:
            """What $EDITOR was given; it leaves the text. With a loop that stands still this would not end."""
            await it.press("f4")
            await it.until(shown.exists)
            given = shown.read_bytes().decode()
            shown.unlink()
            written.write_text(text, newline="")
            await it.until(lambda: not written.exists())
            await it.until(lambda: not it.app.screen.workers)
            return given

        await it.run()
        await it.sees("finished")
        await it.press("end", "e")
        await it.sees("json-only*2")
        assert tomli.loads(await edit('[[prompt]]\nuser = "torn'))["prompt"] == [{**JSON_ONLY, "name": "json-only*2"}]
        await it.sees("What was written is not one [[prompt]] table: ", "F4 shows it again.", "Name and age as")
        body = '[[prompt]]\nname = "mine"\nsystem = ""\nuser = "{input} of $EDITOR"\nthink = { close = "x" }\n'
        assert await edit(body) == '[[prompt]]\nuser = "torn', "it is not lost"
        await it.sees("{input} of $EDITOR", "an empty one is sent", "The name stays json-only*2:")
        name = '[[prompt]]\nname = "json-only*2"\n'
        given = tomli.loads(await edit(f"{name}user = 1\n"))["prompt"]
        own = {"name": "json-only*2", "system": "", "user": "{input} of $EDITOR", "think": {"close": "x"}}
        assert given == [own], "an untouched empty system message stays"
        await it.sees("user must be a text in quotes")
        await edit(f"{name}[[case]]\n")
        await it.sees("there must be one, and nothing")

        raw = "".join(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}" for char in HOSTILE)
        await edit(f'{name}user = "{raw}"\nprefill = "{raw}"\n')
        await it.sees("esc ␛[31m rlo ␦ nel␦ ls␦ cr␍", "{input}␍")
        assert field(it, "user").value == field(it, "prefill").value == HOSTILE
        it.app.post_message(Paste("p\x1b\rq\x85"))
        await it.sees("p␛", "q␦esc ␛")
        assert field(it, "user").value == f"p\x1b\nq\x85{HOSTILE}", "what was not edited is as it was"
        await it.press("f7")
        assert field(it, "user").selected_text == f"p\x1b\nq\x85{HOSTILE}"
        lines = it.app.screen._compositor.render_strips()
        drawn = "".join(segment.text for strip in lines for segment in strip)
        assert not [char for char in drawn if char in "\x1b\x85\u202e\u2028\r\x00"]
        monkeypatch.setenv("VISUAL", "no-such-editor")
        await it.press("f4")
        await it.sees("no-such-editor cannot be started: No such file")

        await it.press("escape", "R")
        await it.sees("Run this job again", "json-only/[markup]")
        await it.press("home", "shift+end", *"7x", "tab", "home", "shift+end", *"99999", "enter")
        await it.sees("The seed is a whole number from 0 to")
        await it.press("home", "shift+end", *"0.5", "enter")
        await it.until(lambda: it.received("start_trial"))
        (order,) = it.received("start_trial")
        wanted = {"prompt": "json-only", "inputs": inputs("[markup]"), "seed": 7, "temperature": 0.5, "repeat": 1}
        assert {key: order[key] for key in wanted} == wanted


def test_the_editor_has_the_terminal_and_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "editor"
    script.write_text("#!/bin/sh\ntrap 'echo INTERRUPTED' INT\necho EDITOR IS ON\nread line\nread line\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    suites, engine = story.suite_folder(tmp_path / "suites"), story.command(story.people_run(), tmp_path)
    terminal = Terminal([sys.executable, "-c", START, str(suites), str(tmp_path / "log"), *engine])
    for keys, word in (
        (b"r", b"Extract the name"),
        (b"e", b"finished"),
        (b"\x1bOS", b"user message"),  # F4
        (b"\x03", b"EDITOR IS ON"),
        (b"\r\r", b"INTERRUPTED"),
        (b"\x1b", b"exit code 3"),
    ):
        terminal.sees(word)
        terminal.type(keys)
        terminal.seen = b""
    terminal.sees(b"finished")
    terminal.type(b"q")
    assert terminal.exit_code() == 0


async def test_keys_that_come_together_take_effect_in_their_order(stage: Any) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("finished")
        await it.press("g", "e")
        await it.sees("naive, edited: naive*2")
        for key in ("end", "a", "b", "backspace", "c", "home", "d"):
            it.app.post_message(Key(key, key if len(key) == 1 else None))
        await it.sees("dExtract the name and age: {input}ac")
        await it.press("escape", "slash")
        for key in ("a", "b", "backspace", "c"):
            it.app.post_message(Key(key, key if len(key) == 1 else None))
        await it.sees("ac")
