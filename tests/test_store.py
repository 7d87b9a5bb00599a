"""The run folder: made once, appended safely, read back whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import engine.runs.store as store_module
from engine.errors import BadInputError, EngineError
from engine.judging.verdict import Verdict
from engine.records import Candidate, Fork, Record, Reply
from engine.runs.rates import rates_by_prompt
from engine.runs.statistics import Share
from engine.runs.store import RECORDS, create_run, locked, prepare, read_records, reopen_run


def record(case: str, *, strict: bool = True, values: bool | None = True, error: str | None = None) -> Record:
    verdict = Verdict(strict, strict, strict, values, ("ok",) if strict else ("empty",), None, "A sentence.")
    free = Reply("{}\x1b[31m\u2028", (1, 2), "stop", None, verdict, 0.5)
    constrained = Reply("", (), "error", error, None, 0.0) if error else free
    fork = Fork(1, 2, (Candidate("a", 1, 0.5),), (Candidate("b", 2, 0.25),), 0.5)
    return Record(f"s/p/{case}#0", "s", "p", case, None, 0, 7, "in", (), {"a": None}, free, constrained, fork)


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    store = create_run(tmp_path, "people", "org/A model!", {"jobs": 2})
    store.append(record("one"))
    store.append(record("two", error="no grammar"))
    assert store.folder.name.endswith("Z-people-A_model_")
    assert list(read_records(store.folder)) == [record("one"), record("two", error="no grammar")]
    store.close(done=2)
    assert json.loads((store.folder / "run.json").read_text()) == {"jobs": 2, "done": 2}


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    store = create_run(tmp_path, "people", "model", {})
    store.append(record("one"))
    store.append(record("two"))
    store.close()
    file = store.folder / RECORDS
    whole = file.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole)):
        file.write_bytes(whole[:length])
        assert list(read_records(store.folder)) == [record("one")]


def test_a_run_cut_off_at_any_byte_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what was there the last record is lost at most."""
    monkeypatch.setattr(store_module, "_BLOCK", 100)  # a line is longer than that, as one can be longer than the real
    store = create_run(tmp_path, "people", "model", {})
    first, second, third = record("one"), record("two"), record("three")
    store.append(first)
    store.append(second)
    store.close()
    file = store.folder / RECORDS
    whole = file.read_bytes()
    one = whole.index(b"\n") + 1
    for length in sorted({*range(0, len(whole), 11), *range(one - 2, one + 3), len(whole) - 1, len(whole)}):
        file.write_bytes(whole[:length])
        with locked(store.folder) as lock:
            again = reopen_run(store.folder, {}, lock)
            again.append(third)
            again.close()
        kept = [first] if one <= length < len(whole) else [first, second] if length == len(whole) else []
        assert list(read_records(store.folder)) == [*kept, third]


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    folders = {create_run(tmp_path, "people", "model", {}).folder for _ in range(3)}
    assert len(folders) == 3


def test_a_place_that_cannot_hold_runs_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="name another folder with --out"):
        prepare(tmp_path / "file" / "runs")


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = create_run(tmp_path, "people", "model", {})
    store.append(record("one"))
    monkeypatch.setattr(store, "_records", Path("/dev/full").open("wb"))  # noqa: SIM115  (store.close closes it)
    for write in (lambda: store.append(record("two")), store.close):
        with pytest.raises(EngineError, match=r"records.jsonl: cannot be written \(No space left on device\)"):
            write()
    assert list(read_records(store.folder)) == [record("one")]


def test_rates_leave_out_what_was_not_decoded_and_what_nothing_was_expected_of() -> None:
    records = [record("one"), record("two", strict=False, values=False), record("three", values=None, error="why")]
    rates = rates_by_prompt(records)
    free, constrained = rates["p", "free"], rates["p", "constrained"]
    assert (free.strict, free.right, free.errors) == (Share(2, 3), Share(1, 2), 0)
    assert (constrained.strict, constrained.right, constrained.errors) == (Share(1, 2), Share(1, 2), 1)
