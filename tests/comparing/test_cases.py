"""`--only-cases FILE`: the ids in a list or in the card of an export, and the errors about other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.comparing.cases import read_cases
from engine.errors import BadInputError


def write(folder: Path, text: str) -> Path:
    file = folder / "cases"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "ann\nbob\n",
        "# held out\nann  # the first\n\n  bob\nann",
        "\ufeffann\r\nbob\r\n",
        '{"test_cases": ["ann", "bob"], "train_cases": ["cem"], "rows": 3}',
        '\n {"test_cases": ["ann", "bob", "ann"]}',
    ],
)
def test_a_list_or_a_card(tmp_path: Path, text: str) -> None:
    assert read_cases(write(tmp_path, text)) == {"ann", "bob"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it names no case; write the ids of cases, one a line."),
        ("# nothing\n", "it names no case"),
        ("ann\nbob cem\n", ", line 2: an id of a case has no spaces; write one id a line, comments after #."),
        ('{"test_cases": []}', "it names no case"),
        ('{"cases": []}', 'the key "test_cases" is missing; name the card of an export, or a list of case ids.'),
        ('{"test_cases": "ann"}', '"test_cases" must be an array of case ids, not "ann"; correct it.'),
        ('{"test_cases": ["ann", 7]}', "test_cases[1] must be the id of a case, not 7; correct it."),
        ('{"test_cases": ["ann",]}', "this is not JSON: trailing comma at line 1 column 23; correct it there."),
    ],
)
def test_what_is_neither_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInputError) as refused:
        read_cases(write(tmp_path, text))
    assert str(refused.value).startswith(str(tmp_path))
    assert said in str(refused.value)
