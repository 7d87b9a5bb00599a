"""A suite in, a Suite out; paths that are no suite in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.errors import BadInputError
from engine.suites.faults import SuiteError
from engine.suites.suite import find_suites, load_suite
from tests.suites.people import GOOD, edited, faults, load

pytestmark = pytest.mark.usefixtures("in_its_own_folder")


def test_a_suite_is_read_unchanged() -> None:
    suite = load(GOOD)
    assert (suite.path, suite.text, suite.name, suite.description) == (Path("people.toml"), GOOD, "people", "")
    assert suite.generation.model_dump() == {
        "max_new_tokens": 96,
        "temperature": 0.0,
        "top_p": 1.0,
        "top_k": 0,
        "seed": 0,
        "repeats": 1,
        "compile_seconds": 60,
        "chat_template_kwargs": {},
    }
    assert suite.json_schema is not None
    assert suite.json_schema["properties"] == {"name": {"type": "string"}, "age": {"type": "integer"}}
    (prompt,) = suite.prompts
    assert (prompt.name, prompt.system, prompt.user, prompt.examples, prompt.prefill) == (
        "naive",
        None,
        "Extract: {input}",
        (),
        None,
    )
    alice, bob = suite.cases
    assert (alice.id, alice.input, alice.expected, alice.tags) == (
        "alice",
        "Alice is 30.",
        {"name": "Alice", "age": 30},
        (),
    )
    assert bob.expected is None


def test_every_key_is_read() -> None:
    suite = load(
        'name = "x"\ndescription = "what it is for"\n'
        "generation = { max_new_tokens = 5, temperature = 1, top_p = 0.5, top_k = 3, seed = 7, repeats = 2 }\n"
        "schema = {}\n"
        '[[prompt]]\nname = "p"\nsystem = ""\nuser = "{input}"\nprefill = "{"\n'
        '[[prompt.examples]]\ninput = "a"\noutput = { n = [1, "two"] }\n'
        '[[prompt.examples]]\ninput = "b"\noutput = "as it is"\n'
        '[[case]]\nid = "c"\ninput = "i"\nexpected_json = \'{"n": null, "x": 1.5}\'\ntags = ["one", "two"]\n'
    )
    assert (suite.description, suite.generation.temperature, suite.generation.repeats) == ("what it is for", 1.0, 2)
    (prompt,) = suite.prompts
    assert (prompt.system, prompt.prefill) == ("", "{")
    assert [(example.input, example.output) for example in prompt.examples] == [
        ("a", {"n": [1, "two"]}),
        ("b", "as it is"),
    ]
    assert suite.cases[0].expected == {"n": None, "x": 1.5}
    assert suite.cases[0].tags == ("one", "two")


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD], ids=["CRLF", "BOM"])
def test_files_from_other_editors_work_and_keep_their_text(text: str) -> None:
    suite = load(text)
    assert (suite.cases, suite.text) == (load(GOOD, "good.toml").cases, text)
    assert faults(text.replace("Bob is 40.", "Bob").replace("id =", "idd =", 1))[0].startswith("people.toml, line 14, ")


@pytest.mark.parametrize("length", [0, 100_000])
def test_an_input_of_any_length_is_a_legitimate_test(length: int) -> None:
    assert load(edited("Bob is 40.", "x" * length)).cases[1].input == "x" * length


def test_a_suite_cannot_be_changed() -> None:
    suite = load(GOOD)
    with pytest.raises(ValidationError, match="frozen"):
        suite.cases[0].input = "something else"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("peple.toml", "peple.toml: there is no such file; did you mean people.toml?"),
        ("other", "other: there is no such file; check the name"),
        ("none/people.toml", "none/people.toml: there is no such file; nor is there a folder none: check the name"),
        ("folder", "folder: this is a folder, not a file; name a file in it"),
        ("/dev/null", "/dev/null: this is not a regular file; name a file"),
        ("people.toml/x", "people.toml/x: cannot be read (Not a directory); fix that or name another file"),
        ("a\0b", r"a\x00b: cannot be read (embedded null byte); fix that or name another file"),
        ("n" * 300, f"{'n' * 300}: cannot be read (File name too long); fix that or name another file"),
    ],
)
def test_paths_that_are_no_suite(path: str, sentence: str) -> None:
    Path("folder").mkdir()
    Path("people.toml").write_text(GOOD)
    with pytest.raises(SuiteError) as caught:
        load_suite(Path(path))
    assert str(caught.value) == sentence


def test_an_unreadable_file() -> None:
    """Root may read anything, so a child that has given up being root tries."""
    Path("people.toml").write_text(GOOD)
    Path("people.toml").chmod(0)
    Path().chmod(0o755)
    code = (
        "import os; from pathlib import Path; from engine.suites.suite import SuiteError, load_suite\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: load_suite(Path('people.toml'))\n"
        "except SuiteError as error: print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "people.toml: cannot be read (Permission denied); fix that or name another file\n"


def test_suites_are_found_by_name() -> None:
    for name in ["b.toml", "a.toml", "notes.md", ".hidden"]:
        Path(name).write_text("")
    Path("folder.toml").mkdir()
    assert find_suites(Path()) == [Path("a.toml"), Path("b.toml")]
    assert find_suites(Path("notes.md")) == [Path("notes.md")]
    assert find_suites(Path("folder.toml")) == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("suites", "suites: there is no such file or folder; did you mean suite?"),
        ("nothing", "nothing: there is no such file or folder; check the name"),
        ("a\0b", r"a\x00b: cannot be read (embedded null byte); fix that or name another folder"),
    ],
)
def test_folders_that_are_none(path: str, sentence: str) -> None:
    Path("suite").mkdir()
    with pytest.raises(SuiteError) as caught:
        find_suites(Path(path))
    assert str(caught.value) == sentence


def test_a_suite_error_is_bad_input() -> None:
    assert issubclass(SuiteError, BadInputError)


def test_importing_suites_does_not_import_the_validator() -> None:
    code = "import sys, engine.suites.suite, engine.suites.jobs; print('jsonschema' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_suite_of_the_original_script() -> None:
    suite = load_suite(Path(__file__).parents[2] / "suites" / "people.toml")
    assert suite.name == "people"
    assert suite.json_schema == {
        "type": "object",
        "required": ["name", "age"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    }
    assert [prompt.name for prompt in suite.prompts] == ["naive", "json-only", "schema", "few-shot"]
    assert suite.prompts[0].user == "Extract the name and age: {input}"
    assert suite.prompts[0].system is None
    assert 24 <= len(suite.cases) <= 60
    for case in suite.cases:
        assert case.tags
        assert case.expected["name"] in case.input
        if not {"words", "computed"} & set(case.tags):
            assert str(case.expected["age"]) in case.input
