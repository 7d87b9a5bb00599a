"""A small suite of people, and what is wrong with it after an edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.suites.faults import SuiteError
from engine.suites.suite import Suite, load_suite
from tests.helpers.suite_files import PERSON_SCHEMA

ALICE = 'expected = { name = "Alice", age = 30 }'
GOOD = f"""\
name = "people"{PERSON_SCHEMA}[[prompt]]
name = "naive"
user = "Extract: {{input}}"
[[case]]
id = "alice"
input = "Alice is 30."
{ALICE}
[[case]]
id = "bob"
input = "Bob is 40."
"""
HEAD, CASES = GOOD[: GOOD.index("[[case]]")], GOOD[GOOD.index("[[case]]") :]
FROM_FILE = f'name = "people"\nschema_file = "s.json"\n{GOOD[GOOD.index("[[prompt]]") :]}'


def load(text: str | bytes, name: str = "people.toml") -> Suite:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_suite(Path(name))


def faults(text: str | bytes, name: str = "people.toml") -> list[str]:
    with pytest.raises(SuiteError) as caught:
        load(text, name)
    return str(caught.value).split("\n")


def edited(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)
