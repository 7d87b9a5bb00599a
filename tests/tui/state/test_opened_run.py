"""A run folder read into the state that screens draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import BadInputError
from engine.runs import owner
from engine.runs.reading import RunFolder
from engine.runs.store import MANIFEST, RECORDS
from engine.statistics import Share
from tests.helpers.made_runs import FENCED, PROSE, RIGHT, Made, write_run
from tests.helpers.made_runs import MANIFEST as MADE
from tui.state.job import Mark
from tui.state.opened_run import OpenedRun
from tui.state.run import RunState
from tui.state.task import Phase

JOBS = [
    Made(RIGHT),
    Made(FENCED, case="bob", expected={"name": "Ann"}),
    Made(None, None, case="eve"),
    Made(PROSE, repeat=1),
]


def opened(folder: Path) -> RunState:
    run = OpenedRun(folder)
    for batch in run.read():
        run.apply(batch)
    return run.state


def test_a_finished_run(tmp_path: Path) -> None:
    state = opened(write_run(tmp_path, JOBS))
    assert (state.phase, state.done, state.total, state.seconds) == (Phase.FINISHED, 4, 4, 5.0)
    assert [job.mark("free") for job in state.jobs] == [Mark.OK, Mark.BROKEN, Mark.ERROR, Mark.BROKEN]
    assert (state.rates["free"].strict, state.rates["free"].errors) == (Share(1, 3), 1)
    assert state.clusters["free"].replies == 3
    assert state.started is not None
    assert (state.started.suite, state.started.model, state.labels) == ("made", "made-model", ("free", "constrained"))
    assert state.remarks == ["The grammar does not enforce 'minimum' at /properties/age/minimum; the judge checks it."]


def test_records_are_read_on_demand(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    state = opened(folder)
    assert all(job.record is None for job in state.jobs)
    for job, (_, record) in zip(state.jobs, RunFolder(folder).records(), strict=True):
        state.load(job)
        assert job.record == record
    assert state.jobs[1].text("free") == FENCED


def test_a_record_that_is_not_there_any_more(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    state = opened(folder)
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(lines[1] * 4)
    with pytest.raises(ValueError, match="stands where"):
        state.load(state.jobs[0])
    (folder / RECORDS).unlink()
    with pytest.raises(OSError, match="No such file"):
        state.load(state.jobs[3])


def test_a_stopped_run_lists_what_there_is_and_says_how_much_there_was_to_be(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS[:2])
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "jobs": 9, "cancelled": 2, "stopped": True}))
    state = opened(folder)
    assert (state.phase, len(state.jobs), state.done, state.total) == (Phase.STOPPED, 2, 2, 7)
    assert "2 jobs of this run were cancelled and are not listed." in state.remarks


def test_an_interrupted_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS, ended=False)
    owner.release(folder)
    with (folder / RECORDS).open("ab") as file:
        file.write(b'not a record\n{"id": "made')
    state = opened(folder)
    assert (state.phase, state.done, state.seconds) == (Phase.STOPPED, 4, None)
    assert state.remarks[-2:] == [
        "1 line of records.jsonl cannot be read and count nowhere, the first is line 5.",
        "The last line of records.jsonl was cut off, as a crash leaves it: that job counts nowhere.",
    ]


def test_trials_come_after_the_run_and_count_in_no_rate(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    trial = write_run(tmp_path, [Made(FENCED, prompt="naive-2")], {**MADE, "trial_of": folder.name})
    write_run(tmp_path, [Made(FENCED, prompt="other")], {**MADE, "trial_of": "another"})
    state = opened(folder)
    assert [(job.info.prompt, job.trial) for job in state.jobs] == [("naive", False)] * 4 + [("naive-2", True)]
    assert (state.done == state.total, state.rates["free"].strict) == (True, Share(1, 3))
    state.load(state.jobs[4])
    assert state.jobs[4].record == next(record for _, record in RunFolder(trial).records())


def test_it_grows_while_an_engine_works_on_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS, ended=False)  # this process is the engine
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(lines[0])
    run, seen = OpenedRun(folder), []
    for batch in run.read():
        before = run.state.revision
        run.apply(batch)
        seen.append((len(run.state.jobs), run.state.phase))
        if not batch.summaries and run.state.phase is Phase.RUNNING:
            if len(seen) > 2:
                assert run.state.revision == before  # nothing has come: there is nothing to draw
            if len(run.state.jobs) == 1:
                (folder / RECORDS).write_bytes(b"".join(lines))
            elif len(run.state.jobs) == 4:
                owner.release(folder)
    assert seen[:2] == [(1, Phase.LOADING), (1, Phase.RUNNING)]
    assert seen[-1] == (4, Phase.STOPPED)
    assert run.state.total == 4


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    (folder / MANIFEST).unlink()
    state = opened(folder)
    assert (state.done, state.total, state.suite.name) == (4, 4, folder.name)
    assert state.remarks == ["There is no run.json: what was run is not known."]


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    run = OpenedRun(folder)
    (folder / RECORDS).unlink()
    (folder / RECORDS).mkdir()
    for batch in run.read():
        run.apply(batch)
    assert run.state.phase is Phase.FAILED
    assert run.state.failure == "records.jsonl cannot be read (Is a directory)."
    with pytest.raises(BadInputError, match=r"records.jsonl: cannot be read"):
        OpenedRun(folder)
