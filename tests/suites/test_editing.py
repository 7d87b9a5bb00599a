"""A prompt saved into a suite's file: every line of the rest stays as it is, and the file loads."""

from __future__ import annotations

import difflib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInputError
from engine.suites.editing import as_toml, save_prompt
from engine.suites.suite import load_suite
from tests.helpers.suite_files import write_suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))
PROMPT: dict[str, Any] = {
    "name": "naive*2",
    "system": 'Line one\nLine "two" \\ end """ x\n',
    "user": "\nExtract: {input}",
    "prefill": "{",
    "examples": [{"input": "a", "output": {"deep": [1, {"b": True}], "text": "x\ny"}}],
    "chat_template_kwargs": {"enable_thinking": False},
    "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
}


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_a_saved_prompt_adds_lines_and_changes_none(suite: Path, tmp_path: Path) -> None:
    shutil.copytree(suite.parent, tmp_path / "suites")
    file = tmp_path / "suites" / suite.name
    before = file.read_text(encoding="utf-8")
    own = {key: value for key, value in PROMPT.items() if key != "schema"}
    save_prompt(file, own)
    save_prompt(file, {**own, "name": "naive*3"})
    after = file.read_text(encoding="utf-8")
    assert not [line for line in difflib.ndiff(before.splitlines(True), after.splitlines(True)) if line[0] in "-?"]
    assert f"\n\n{as_toml(own)}\n" in after, "a blank line before it and one after"
    saved = {prompt.name: prompt for prompt in load_suite(file).prompts}["naive*3"]
    assert (saved.system, saved.user, saved.prefill) == (own["system"], own["user"], own["prefill"])
    assert saved.examples[0].output == own["examples"][0]["output"]


def test_a_suite_without_a_prompt_table_gets_its_first_and_keeps_its_mode(tmp_path: Path) -> None:
    file = write_suite(tmp_path, prompts="")
    text = f'task = "Extract the name"\nuse = ["naive"]\n{file.read_text()}# the end'
    file.write_text(text)
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    save_prompt(link, PROMPT)
    assert link.is_symlink()
    assert file.read_text().startswith(text)
    assert file.stat().st_mode & 0o777 == 0o640
    assert load_suite(file).prompts[-1].json_schema == PROMPT["schema"]


CRLF = {"name": "x", "user": "a\r\nb {input}\nc"}
BLOCK = '[[prompt]]\nname = "x"\nuser = "a\\r\\nb {input}\\nc"\n'
SCHEMA = '[schema]\ntype = "object"\n'
ONE = '[[prompt]]\nname = "one"\nuser = "{input}"\n'
TWO = '[[prompt]]\nname = "two"\nuser = "{input}"\n'
CASE = '[[case]]\nid = "a"\ninput = "x"\n'
LATER = '[[case]]\nid = "b"\ninput = "y"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{SCHEMA}{ONE}{CASE}{TWO}", LATER),  # tables of one name apart from each other
        (f"{SCHEMA}{CASE}{ONE}", ""),
        (f"{SCHEMA}{CASE}{ONE}".rstrip("\n"), ""),  # no end of line at the end
        (f"{SCHEMA}{ONE}# on one\n", f"\n# on cases\n{CASE}"),
        (f"{SCHEMA}{ONE}", f"# on cases\n{CASE}"),
        (f"{SCHEMA}{CASE}{ONE}# on one", ""),
        (f"{SCHEMA}{ONE}[prompt.chat_template_kwargs]\nk = 1\n", CASE),
        (f"{SCHEMA}{ONE}{CASE}[prompt.chat_template_kwargs]\nk = 1\n", ""),  # after the cases, but the prompt's
        (f"{SCHEMA}{CASE}{ONE}", '[generation]\nchat_template_kwargs.k = """\n[[prompt]]\n"""\n'),
        (f'{SCHEMA}{ONE}prefill = """\n#\n#"""\n{CASE}', ""),  # looks like comments
    ],
)
@pytest.mark.parametrize(("bom", "end"), [("", "\n"), ("\ufeff", "\r\n")], ids=["LF", "BOM and CRLF"])
def test_a_block_is_added_after_the_last_prompt_with_the_files_line_endings(
    before: str, after: str, bom: str, end: str, tmp_path: Path
) -> None:
    file = tmp_path / "small.toml"
    before = f"{bom}name = 's'\n{before}"
    file.write_bytes(f"{before}{after}".replace("\n", end).encode())
    save_prompt(file, CRLF)
    ended = "" if before.endswith("\n") else "\n"
    gap = "\n" if after and not after.startswith("\n") else ""
    assert file.read_bytes().decode() == f"{before}{ended}\n{BLOCK}{gap}{after}".replace("\n", end)
    assert load_suite(file).prompts[-1].user == CRLF["user"]


chars = st.sampled_from("\"'\\\n\r\t #=[]{}\x00\x1f\x7f\x85 \u2028ué") | st.characters(exclude_categories=["Cs"])
texts = st.text(chars, max_size=30)
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(prompt=st.dictionaries(texts, values, max_size=4), end=st.sampled_from(["\n", "\r\n"]))
def test_any_table_comes_back_as_it_was(prompt: dict[str, Any], end: str) -> None:
    block = as_toml(prompt)
    assert repr(tomli.loads(block.replace("\n", end))) == repr({"prompt": [prompt]})


def test_a_schema_with_null_is_named_by_its_file_or_the_sentence_says_how(tmp_path: Path) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"name": {"enum": ["a", None]}}}
    (tmp_path / "own.json").write_text(json.dumps(schema))
    file = write_suite(tmp_path, prompts=f'{ONE}schema_file = "own.json"\n', cases=CASE)
    save_prompt(file, {**CRLF, "schema": schema})
    assert file.read_text().count('schema_file = "own.json"') == 2
    assert load_suite(file).prompts[-1].json_schema == schema
    before = file.read_bytes()
    with pytest.raises(
        BadInputError, match=r"TOML has no null, and .* at schema\.enum\[0\]; put the schema into a JSON"
    ):
        save_prompt(file, {"name": "y", "user": "{input}", "schema": {"enum": [None]}})
    assert file.read_bytes() == before


def test_prompts_in_one_array_are_left_alone(tmp_path: Path) -> None:
    array = 'prompt = [{ name = "one", user = "{input}" }]\n'
    file = tmp_path / "small.toml"
    file.write_text(f'name = "s"\n{array}{SCHEMA}{CASE}')
    with pytest.raises(
        BadInputError, match=r"small\.toml, line 2, prompt: no table can be added.* as a \[\[prompt\]\]"
    ):
        save_prompt(file, CRLF)
    assert file.read_text() == f'name = "s"\n{array}{SCHEMA}{CASE}'


def test_what_would_not_load_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_suite(tmp_path)
    before = file.read_bytes()
    with pytest.raises(BadInputError, match=r"not saved, the suite would not load with it.*already the name of"):
        save_prompt(file, {"name": "naive", "user": "{input}"})
    monkeypatch.setattr(os, "replace", _full)
    with pytest.raises(BadInputError, match=r"small\.toml: cannot be written \(No space left"):
        save_prompt(file, {"name": "new", "user": "{input}"})
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


def _full(*paths: object) -> None:
    raise OSError(28, "No space left on device")
