"""An interrupted run loses the jobs in flight and nothing else, and can be resumed; trials beside a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli.displays.base import stop_on_interrupt
from engine.errors import BadInputError, EngineError
from engine.models.model import ModelSpec
from engine.protocol.commands import StartRun, StartTrial, TrialInput
from engine.protocol.events import Event, JobFinished, RunFinished, RunStarted
from engine.records import Record
from engine.running.control import Control
from engine.running.orders import resolve
from engine.runs import owner
from engine.runs.listing import Ending, list_run
from engine.runs.reading import RunFolder
from engine.runs.resuming import resume_command
from engine.runs.store import MANIFEST, RECORDS, create_run, locked, read_records
from engine.worker.session import Session
from tests.helpers.engine_child import Child, engine
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.helpers.tiny_models import edit_json
from tests.tui.test_program import Terminal

MANY = numbered_cases(6)
SAMPLED = "max_new_tokens = 8\ntemperature = 0.8\nseed = 5\nrepeats = 2"

Run = Callable[[StartRun | StartTrial], list[Event]]


@pytest.fixture
def run(byte_model: Path, tmp_path: Path) -> Run:
    """Carry out an order in this process; its events."""

    def carry_out(order: StartRun | StartTrial) -> list[Event]:
        emitted: list[Event] = []
        Session(ModelSpec(str(byte_model), "cpu"), tmp_path / "runs", emitted.append).run(order, Control())
        return emitted

    return carry_out


def folder_of(emitted: list[Event]) -> Path:
    (started,) = (event for event in emitted if isinstance(event, RunStarted))
    return started.folder


def records_of(folder: Path) -> dict[str, Record]:
    """The records by job, without what no two runs have in common."""
    records = list(read_records(folder))
    by_job = {record.id: _timeless(record) for record in records}
    assert len(by_job) == len(records), "no job has two records"
    return by_job


def _timeless(record: Record) -> Record:
    free, constrained = replace(record.free, seconds=0.0), replace(record.constrained, seconds=0.0)
    if record.fork is None:
        return replace(record, free=free, constrained=constrained)
    # Probabilities move in the last digits with how many rows the batch has.
    fork = replace(record.fork, wanted=(), allowed=(), allowed_mass=round(record.fork.allowed_mass or 0, 3))
    return replace(record, free=replace(free, p=()), constrained=replace(constrained, p=()), fork=fork)


@pytest.mark.parametrize("generation", ["max_new_tokens = 8", SAMPLED], ids=["greedy", "sampled"])
def test_a_run_cut_at_any_byte_is_resumed_and_ends_as_if_unbroken(tmp_path: Path, run: Run, generation: str) -> None:
    suite = write_suite(tmp_path, cases=MANY, generation=generation)
    whole = folder_of(run(StartRun(suite)))
    written = (whole / RECORDS).read_bytes()
    jobs = written.count(b"\n")
    for cut in (len(written) // 3, len(written)):
        broken = tmp_path / "runs" / f"cut-{cut}"
        shutil.copytree(whole, broken)
        (broken / RECORDS).write_bytes(written[:cut])
        emitted = run(StartRun(suite, resume=broken))
        assert folder_of(emitted) == broken
        assert sum(isinstance(event, JobFinished) for event in emitted) == jobs
        assert records_of(broken) == records_of(whole)
        assert (broken / RECORDS).read_bytes().startswith(written[: written.rfind(b"\n", 0, cut) + 1])
    manifest = json.loads((broken / MANIFEST).read_text())
    assert len(manifest["resumed"]) == 1
    assert manifest["ended"] >= manifest["resumed"][0] >= manifest["started"]
    assert (manifest["done"], manifest["stopped"]) == (jobs, False)
    assert manifest["rates"] == json.loads((whole / MANIFEST).read_text())["rates"]
    assert manifest["rates"]["free"]["strict"][1] == jobs


def test_another_run_is_not_resumed(tmp_path: Path, run: Run, byte_model: Path) -> None:
    suite = write_suite(tmp_path, generation="max_new_tokens = 4")
    folder = folder_of(run(StartRun(suite)))
    before = (folder / MANIFEST).read_bytes()
    with pytest.raises(
        BadInputError, match="cannot be resumed: which of its jobs are run changed since it was started"
    ):
        run(StartRun(suite, limit=1, resume=folder))
    write_suite(tmp_path, generation="max_new_tokens = 5")
    with pytest.raises(BadInputError, match="the suite's file, the generation settings changed since it was started"):
        run(StartRun(suite, resume=folder))
    with pytest.raises(BadInputError, match=r"cannot be resumed: There is no run\.json; start a new run"):
        run(StartRun(suite, resume=tmp_path / "gone"))
    write_suite(tmp_path, generation="max_new_tokens = 4")
    other = shutil.copytree(byte_model, tmp_path / "bytes")
    edit_json(other / "config.json", max_position_embeddings=255)
    session = Session(ModelSpec(str(other), "cpu"), tmp_path / "runs", lambda event: None)
    with pytest.raises(BadInputError, match="cannot be resumed: the files of the model changed since it was started"):
        session.run(StartRun(suite, resume=folder), Control())
    assert not (tmp_path / "gone").exists()
    assert (folder / MANIFEST).read_bytes() == before
    assert owner.owner_of(folder) is None


def test_without_its_parent_an_engine_keeps_running_and_stops_when_asked_and_another_finishes(
    tmp_path: Path, run: Run, byte_model: Path
) -> None:
    """Both are started with --keep-running, and their parents go in the middle of the run."""
    cases = numbered_cases(16)
    suite = write_suite(tmp_path, cases=cases, generation="max_new_tokens = 100\ntemperature = 0.8\nseed = 5")
    options = ["--model", str(byte_model), "--keep-running"]
    with engine(tmp_path, *options, "--log", str(tmp_path / "log")) as child:
        child.send(StartRun(suite, batch=2))
        emitted = child.until(JobFinished)
        folder = folder_of(emitted)
        worker = owner.owner_of(folder)
        assert worker is not None
        assert (worker.pid, worker.log) == (child.process.pid, tmp_path / "log")
        with pytest.raises(BadInputError, match="another process writes to this run"):
            run(StartRun(suite, resume=folder))
        assert {event.record.id for event in emitted if isinstance(event, JobFinished)} <= records_of(folder).keys()
        _hang_up(child)
        had = len(records_of(folder))
        _until(lambda: len(list(read_records(folder))) > had + 2)
        owner.stop(worker)
        assert child.process.wait(timeout=60) == 0
    manifest = RunFolder(folder).manifest
    assert manifest.stopped is True
    assert manifest.done == len(records_of(folder)) < 16
    assert not (folder / owner.ENGINE).exists()
    with engine(tmp_path, *options) as child:
        child.send(resume_command(folder))
        child.until(RunStarted)
        _hang_up(child)
        assert child.process.wait(timeout=120) == 0
    manifest = RunFolder(folder).manifest
    assert (manifest.done, manifest.stopped, len(manifest.resumed)) == (16, False, 1)
    assert owner.owner_of(folder) is None
    unbroken = folder_of(run(StartRun(suite)))
    assert records_of(folder) == records_of(unbroken)


def test_interface_and_engine_killed_at_once_lose_the_jobs_in_flight_alone(
    tmp_path: Path, run: Run, byte_model: Path
) -> None:
    """The whole program in a terminal, as its user has it."""
    suites = tmp_path / "suites"
    suites.mkdir()
    write_suite(suites, cases=MANY, generation="max_new_tokens = 150")
    typed = [str(suites), "--model", str(byte_model), "--device", "cpu", "--batch", "2"]
    typed += ["--out", str(tmp_path / "runs")]
    interface = Terminal([sys.executable, "-m", "engine", *typed])
    interface.until(lambda: b"Extract the name" in interface.seen)
    interface.type(b"r")
    interface.until(lambda: any(file.stat().st_size for file in tmp_path.glob(f"runs/*/{RECORDS}")), seconds=90)
    (folder,) = (tmp_path / "runs").iterdir()
    engine_ = owner.owner_of(folder)
    assert engine_ is not None
    os.kill(engine_.pid, signal.SIGKILL)
    os.kill(interface.pid, signal.SIGKILL)
    assert interface.exit_code() == -signal.SIGKILL
    _until(lambda: owner.owner_of(folder) is None)
    assert (folder / owner.ENGINE).exists(), "it is dead, though the folder still names it"
    kept = RunFolder(folder)
    assert kept.manifest.command_line == ["jsonbreak", *typed]
    assert list_run(folder).ending is Ending.INTERRUPTED
    had = {record.id: _timeless(record) for _, record in kept.records()}
    assert 0 < len(had) < 6
    assert kept.unreadable == []
    run(resume_command(folder))
    ended = records_of(folder)
    assert {job: ended[job] for job in had} == had
    assert len(ended) == 6
    assert ended == records_of(folder_of(run(StartRun(suites / "small.toml"))))


def test_a_disk_that_is_full_ends_the_run_in_one_sentence_and_it_is_resumed_later(tmp_path: Path, run: Run) -> None:
    suite = write_suite(tmp_path, cases=MANY, generation="max_new_tokens = 40")
    whole = folder_of(run(StartRun(suite)))
    size = (whole / RECORDS).stat().st_size
    assert (whole / MANIFEST).stat().st_size < size // 2
    sentence = r"records\.jsonl: cannot be written \(File too large\); what is finished is kept: fix that, then resume"
    with files_of_at_most(size // 2), pytest.raises(EngineError, match=sentence):
        run(StartRun(suite))
    (folder,) = {each for each in (tmp_path / "runs").iterdir() if each != whole}
    assert (folder / RECORDS).read_bytes().endswith(b"}\n"), "no half of a record"
    manifest = RunFolder(folder).manifest
    assert (manifest.stopped, manifest.done) == (True, len(records_of(folder)))
    assert 0 < len(records_of(folder)) < 6
    run(resume_command(folder))
    assert records_of(folder) == records_of(whole)


def test_a_trial_runs_an_edited_prompt_on_some_inputs_beside_the_run(tmp_path: Path, run: Run) -> None:
    suite = write_suite(tmp_path, cases=MANY, generation="max_new_tokens = 4")
    of = folder_of(run(StartRun(suite, limit=1)))
    edited = {"name": "naive*2", "user": "As JSON: {input}", "prefill": "{"}
    inputs = (TrialInput("c3", None, 0), TrialInput("c1", None, 0))
    emitted = run(StartTrial(suite, of, edited, inputs))
    (started,) = (event for event in emitted if isinstance(event, RunStarted))
    assert started.trial_of == of
    assert [job.id for job in started.jobs] == ["small/naive*2/c3#0", "small/naive*2/c1#0"]
    manifest = json.loads((started.folder / MANIFEST).read_text())
    assert manifest["trial_of"] == of.name
    assert [prompt["name"] for prompt in manifest["prompts"]] == ["naive*2"]
    assert all(record.free.text.startswith("{") for record in read_records(started.folder))

    rerun = replace(StartTrial(suite, of, "naive", inputs[:1]), seed=7, temperature=1.5, repeat=3)
    again = run(replace(rerun, inputs=(*rerun.inputs, TrialInput("c3", None, 1))))
    (record,) = (event.record for event in again if isinstance(event, JobFinished))  # two inputs, one job
    assert (record.id, record.seed) == ("small/naive/c3#3", 7)
    with pytest.raises(BadInputError, match="a trial cannot be resumed"):
        resume_command(folder_of(again))
    assert isinstance(emitted[-1], RunFinished)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ({"name": "new", "user": "no input"}, r"the prompt, user: without \{input\}"),
        ({"name": "naive", "user": "{input}"}, 'the prompt, name: "naive" is already the name of a prompt'),
        ({"name": "a b", "user": "{input}"}, "the prompt, name: must not contain"),
        ({"name": ["new"], "user": "{input}"}, "the prompt, name: must be a string"),
        ({"name": "new", "usr": "{input}"}, 'the prompt, usr: unknown key "usr"'),
        ("gone", 'the suite has no prompt "gone" any more'),
    ],
)
def test_a_prompt_that_cannot_be_tried_is_one_sentence(tmp_path: Path, prompt: object, sentence: str) -> None:
    suite = write_suite(tmp_path)
    session = Session(ModelSpec(device="cpu"), tmp_path / "runs", lambda event: None)
    with pytest.raises(BadInputError, match=sentence):
        session.run(StartTrial(suite, tmp_path, prompt, (TrialInput("bob", None, 0),)), Control())  # type: ignore[arg-type]


def test_two_never_write_one_run(tmp_path: Path) -> None:
    store = create_run(tmp_path, "people", "model", {})
    refused = pytest.raises(BadInputError, match="another process writes to this run; wait for it, or stop it first")
    with refused, locked(store.folder):
        pass
    store.close()
    for _ in range(2):
        with locked(store.folder):
            pass


def test_an_order_to_resume_is_the_one_that_the_run_was_started_with(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    begun = StartRun(suite, prompts=("naive",), limit=1, grammar="llguidance", without=("bob",))
    manifest = {"suite_file": str(suite), "selection": resolve(begun).selection, "grammar": begun.grammar}
    folder = create_run(tmp_path, "small", "model", manifest).folder
    assert resume_command(folder) == replace(begun, resume=folder)
    assert resolve(begun).selection == resolve(replace(begun, prompts=("naive", "naive"))).selection
    (folder / MANIFEST).write_text('{"suite_file": "small.toml", "selection": {"limit": "all"}}')
    with pytest.raises(BadInputError, match=r"its run\.json does not say which jobs it has"):
        resume_command(folder)


@pytest.mark.parametrize("pid", [-1, 0, 10**30, "1", None])
def test_a_file_that_names_no_engine_is_no_owner(tmp_path: Path, pid: object) -> None:
    (tmp_path / owner.ENGINE).write_text(json.dumps({"pid": pid, "begun": 0.0}))
    assert owner.owner_of(tmp_path) is None


def test_a_later_process_with_the_same_number_is_not_the_engine(tmp_path: Path) -> None:
    owner.claim(tmp_path, None)
    mine = owner.owner_of(tmp_path)
    assert mine is not None
    (tmp_path / owner.ENGINE).write_text(json.dumps({"pid": mine.pid, "begun": mine.begun - 60}))
    assert owner.owner_of(tmp_path) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_without_the_interface_is_stopped_by_a_signal(number: int) -> None:
    control = Control()
    with stop_on_interrupt(control, lambda: True):
        os.kill(os.getpid(), number)
    assert control.stopped.is_set()


def _hang_up(child: Child) -> None:
    """What a dropped connection does to an engine."""
    assert child.process.stdin is not None
    assert child.process.stdout is not None
    child.process.stdin.close()
    child.process.stdout.close()
    child.process.send_signal(signal.SIGHUP)


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
