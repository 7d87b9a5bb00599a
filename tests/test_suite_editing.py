"""A prompt saved into a suite's file: every line of the rest stays as it is, and the file loads."""

from __future__ import annotations

import difflib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInputError
from engine.suite_editing import as_toml, save_prompt
from engine.suites import load_suite
from tests.suite_files import write_suite

SUITES = sorted((Path(__file__).parent.parent / "suites").glob("*.toml"))
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
