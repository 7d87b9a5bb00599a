"""The run folder: made once, appended safely, read back whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import engine.runs.store as store_module
from engine.errors import BadInputError, EngineError
from engine.judging.verdict import Verdict
from engine.records import Candidate, Fork, Record, Reply
from engine.runs.rates import rates_by_prompt
from engine.runs.reading import RunFolder
from engine.runs.resuming import resumed_manifest
from engine.runs.store import RECORDS, create_run, locked, prepare, read_records, reopen_run
from engine.statistics import Share
from tests.helpers.full_disk import files_of_at_most


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


def test_a_run_cut_off_at_any_byte_is_read_and_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut: of what was there the record that it falls into is lost, no other."""
    monkeypatch.setattr(store_module, "_BLOCK", 100)  # a line is longer than that, as one can be longer than the real
    monkeypatch.setattr(os, "fsync", lambda file: None)  # seconds, for which no power is cut here
    store = create_run(tmp_path, "people", "model", {})
    first, second, third = record("one"), record("two"), record("three")
    store.append(first)
    store.append(second)
    store.close()
    file = store.folder / RECORDS
    whole = file.read_bytes()
    one = whole.index(b"\n") + 1
    for length in range(len(whole) + 1):
        file.write_bytes(whole[:length])
        kept = [first, second][: (length >= one) + (length == len(whole))]
        run = RunFolder(store.folder)
        assert [each for _, each in run.records()] == list(read_records(store.folder)) == kept
        assert (run.torn, run.unreadable) == (length not in (0, one, len(whole)), [])
        if length % 4 and length not in range(one - 2, one + 3):
            continue  # the same again, for a quarter of the time
        with locked(store.folder) as lock:
            again = reopen_run(store.folder, {}, lock)
            again.append(third)
            again.close()
        assert list(read_records(store.folder)) == [*kept, third]


def test_zeros_where_a_power_cut_lost_what_was_written_are_removed(tmp_path: Path) -> None:
    """Some file systems keep the new length of a file before its new content."""
    store = create_run(tmp_path, "people", "model", {})
    store.append(record("one"))
    store.close()
    with (store.folder / RECORDS).open("ab") as file:
        file.write(b'{"id": "s/p/' + bytes(5000))
    with locked(store.folder) as lock:
        reopen_run(store.folder, {}, lock).close()
    assert list(read_records(store.folder)) == [record("one")]
    assert (store.folder / RECORDS).read_bytes().count(b"\0") == 0


def test_a_manifest_cut_off_at_any_byte_is_no_manifest_and_one_that_was_being_written_is_nothing(
    tmp_path: Path,
) -> None:
    store = create_run(tmp_path, "people", "model", {"suite": "people", "jobs": 2})
    store.append(record("one"))
    store.close()
    file = store.folder / "run.json"
    whole = file.read_bytes()
    for length in range(len(whole) - 1):  # the line break at the end is no loss
        (store.folder / "run.json.new").write_bytes(whole[:length])
        assert RunFolder(store.folder).manifest.jobs == 2
        file.write_bytes(whole[:length])
        assert [each for _, each in RunFolder(store.folder).records()] == [record("one")]
        with pytest.raises(BadInputError, match=r"cannot be resumed: run\.json is not a manifest"):
            resumed_manifest(store.folder, {})
        file.write_bytes(whole)


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    folders = {create_run(tmp_path, "people", "model", {}).folder for _ in range(3)}
    assert len(folders) == 3


def test_a_place_that_cannot_hold_runs_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="name another folder with --out"):
        prepare(tmp_path / "file" / "runs")


def test_a_full_disk_is_one_sentence_and_leaves_whole_records(tmp_path: Path) -> None:
    store = create_run(tmp_path, "people", "model", {"jobs": 2})
    store.append(record("one"))
    file, message = (
        store.folder / RECORDS,
        r"records.jsonl: cannot be written \(File too large\); what is finished is kept",
    )
    written = file.read_bytes()
    with files_of_at_most(len(written) + 100), pytest.raises(EngineError, match=message):
        store.append(record("two"))
    assert file.read_bytes() == written, "of the second record a hundred bytes had been written"
    with files_of_at_most(5):
        store.close(done=1)  # the error was raised by append
    assert json.loads((store.folder / "run.json").read_text()) == {"jobs": 2}
    assert {each.name for each in store.folder.iterdir()} == {"run.json", RECORDS, ".lock"}
    with locked(store.folder) as lock:
        message = r"cannot be written \(File too large\); fix that, then resume the run"
        with files_of_at_most(5), pytest.raises(BadInputError, match=message):
            reopen_run(store.folder, {"jobs": 2}, lock)
        again = reopen_run(store.folder, {"jobs": 2}, lock)
        again.append(record("two"))
        again.close(done=2)
    assert list(read_records(store.folder)) == [record("one"), record("two")]


def test_a_manifest_that_the_disk_has_no_room_for_is_one_sentence(tmp_path: Path) -> None:
    refused = pytest.raises(
        BadInputError, match=r"cannot hold a run \(File too large\); name another folder with --out"
    )
    with files_of_at_most(5), refused:
        create_run(tmp_path, "people", "model", {"jobs": 2})
    assert list(tmp_path.iterdir()) == [], "half a folder is no run"
    store = create_run(tmp_path, "people", "model", {"jobs": 2})
    message = r"run.json: cannot be written \(File too large\); what is finished is kept: fix that, then resume the run"
    with files_of_at_most(5), pytest.raises(EngineError, match=message):
        store.close(done=0)
    with locked(store.folder):
        assert json.loads((store.folder / "run.json").read_text()) == {"jobs": 2}


def test_rates_leave_out_what_was_not_decoded_and_what_nothing_was_expected_of() -> None:
    records = [record("one"), record("two", strict=False, values=False), record("three", values=None, error="why")]
    rates = rates_by_prompt(records)
    free, constrained = rates["p", "free"], rates["p", "constrained"]
    assert (free.strict, free.right, free.errors) == (Share(2, 3), Share(1, 2), 0)
    assert (constrained.strict, constrained.right, constrained.errors) == (Share(1, 2), Share(1, 2), 1)
