"""The engine as a child process: JSON lines in and out, records on disk before they are told, gone with its parent."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.models.model import LoadedModel
from engine.protocol.commands import Cancel, Pause, Prefer, RenderPrompt, StartRun, StopRun, encode_command
from engine.protocol.events import (
    Broke,
    Delta,
    Failed,
    Forked,
    JobCancelled,
    JobFinished,
    JobStarted,
    Loading,
    ModelReady,
    Paused,
    PromptRendered,
    RunFinished,
    RunStarted,
)
from engine.records import Message
from engine.runs.reading import RunFolder
from engine.runs.store import read_records
from tests.helpers.engine_child import Child, engine
from tests.helpers.suite_files import numbered_cases, write_suite

MANY = numbered_cases(200)


@pytest.mark.model
def test_a_run_is_told_bad_orders_are_answered_and_the_engine_ends_with_its_parent(
    tmp_path: Path, builtin_model: object
) -> None:
    with engine(tmp_path) as child:
        check_that_a_run_is_told(child, write_suite(tmp_path))
        check_that_bad_orders_are_answered(child, tmp_path)
        child.send(StartRun(many(tmp_path), batch=4))
        child.until(JobStarted)
        assert child.process.stdin is not None
        child.process.stdin.close()
        for _ in child.events():
            pass  # keep reading, as a pipe nobody drains would block it
        child.process.wait(timeout=60)
        (folder,) = tmp_path.glob("*-many-*")
        assert (folder / "run.json").read_text(encoding="utf-8").count('"stopped": true') == 1


@pytest.mark.model
def test_prompts_are_rendered_and_a_run_is_steered_until_a_signal_ends_the_engine(
    tmp_path: Path, builtin_model: LoadedModel
) -> None:
    suite = many(tmp_path)
    with engine(tmp_path) as child:
        check_that_prompts_are_rendered(child, builtin_model)
        check_that_a_run_pauses_is_steered_goes_on_and_stops(child, suite)
        child.send(StartRun(suite, batch=4))
        (started,) = [event for event in child.until(JobStarted) if isinstance(event, RunStarted)]
        child.process.send_signal(signal.SIGTERM)
        assert isinstance(list(child.events())[-1], RunFinished)
        assert child.process.wait(timeout=60) == 0
        assert RunFolder(started.folder).manifest.stopped is True


def many(folder: Path) -> Path:
    """A suite whose run does not end before it is ended."""
    return write_suite(folder, name="many", cases=MANY, generation="max_new_tokens = 200")


def check_that_a_run_is_told(child: Child, suite: Path) -> None:
    child.send(StartRun(suite))
    texts: dict[tuple[str, str], str] = {}
    forked: set[str] = set()
    broke: set[tuple[str, str]] = set()
    order: list[str] = []
    for event in child.events():
        order.append(type(event).__name__)
        match event:
            case RunStarted():
                folder = event.folder
            case JobStarted(job=job, prefill=prefill):
                texts[job, "free"] = texts[job, "constrained"] = prefill
            case Delta(job=job, arm=arm, text=text):
                assert (arm == "both") is (job not in forked)
                for one in ("free", "constrained") if arm == "both" else (arm,):
                    texts[job, one] += text
            case Forked(job=job, fork=fork):
                forked.add(job)
                assert len(texts[job, "free"]) == fork.char
            case Broke(job=job, arm=arm, start=start, end=end):
                assert 0 <= start <= end <= len(texts[job, arm]), "told before its text was"
                broke.add((job, arm))
            case JobFinished(record=record):
                assert record.free.verdict is not None
                assert ((record.id, "free") in broke) == (not record.free.verdict.strict), "told while it streamed"
                assert record in list(read_records(folder)), "announced before it was on disk"
                assert texts[record.id, "free"] == record.free.text.rstrip("\ufffd")
                assert texts[record.id, "constrained"] == record.constrained.text
            case RunFinished():
                assert (event.done, event.total, event.stopped) == (2, 2, False)
                assert broke, "the built-in model does not keep to JSON under this prompt"
                break
    assert order[0] == "Loading"
    assert order.index("ModelReady") < order.index("RunStarted") < order.index("JobStarted")
    child.send(StartRun(suite, cases=("bob",)))  # the model is kept
    again = child.until(RunFinished)
    assert not [event for event in again if isinstance(event, ModelReady)]
    assert [event.record.case for event in again if isinstance(event, JobFinished)] == ["bob"]


def check_that_bad_orders_are_answered(child: Child, folder: Path) -> None:
    child.send(StartRun(folder / "nowhere.toml"))
    *_, failed = child.until(Failed)
    assert isinstance(failed, Failed)
    assert failed.bad_input
    assert "nowhere.toml" in failed.message
    assert child.process.stdin is not None
    child.process.stdin.write(b"not json\n")
    child.process.stdin.flush()
    *_, failed = child.until(Failed)
    child.send(StartRun(folder / "small.toml", limit=1))
    *_, finished = child.until(RunFinished)
    assert isinstance(finished, RunFinished)
    assert finished.done == 1


def check_that_prompts_are_rendered(child: Child, model: LoadedModel) -> None:
    """Without the weights, as the model reads them; what goes wrong is told."""
    messages: tuple[Message, ...] = ({"role": "user", "content": "Who is <|im_end|> Ann?"},)
    child.send(RenderPrompt("a", messages, prefill="{"))
    *before, rendered = child.until(PromptRendered)
    assert not [event for event in before if isinstance(event, ModelReady)]
    assert isinstance(rendered, PromptRendered)
    assert (rendered.id, rendered.model, rendered.error) == ("a", "SmolLM2-135M-Instruct", None)
    assert rendered.text.endswith("<|im_start|>user\nWho is <|im_end|> Ann?<|im_end|>\n<|im_start|>assistant\n{")
    assert rendered.tokens == len(model.prompt_ids(messages, "{"))
    special = [rendered.text[start:end] for start, end in rendered.special]
    assert set(special) == {"<|im_start|>", "<|im_end|>"}
    child.send(RenderPrompt("b", messages, template_kwargs={"add_generation_prompt": 1}))
    failed = child.until(PromptRendered)[-1]
    assert isinstance(failed, PromptRendered)
    assert failed.error is not None
    assert "refuses the prompt" in failed.error


def check_that_a_run_pauses_is_steered_goes_on_and_stops(child: Child, suite: Path) -> None:
    child.send(StartRun(suite, batch=4))
    child.until(JobStarted)
    child.send(RenderPrompt("while it decodes", ({"role": "user", "content": "x"},)))
    child.until(PromptRendered)
    child.send(Pause(True))
    child.until(Paused)
    child.send(RenderPrompt("in the pause", ({"role": "user", "content": "y"},)))
    (rendered,) = child.until(PromptRendered)
    assert isinstance(rendered, PromptRendered)
    time.sleep(0.3)
    assert (rendered.id, "user\ny<|im_end|>" in rendered.text) == ("in the pause", True)
    child.send(Pause(False))
    resumed = child.until(Paused)
    assert [type(event).__name__ for event in resumed] == ["Paused"], "something was decoded during the pause"
    child.until(Delta)
    running, waiting, wanted = (f"many/naive/c{number}#0" for number in (0, 150, 199))
    child.send(Prefer(wanted))
    for job in (running, waiting):
        child.send(Cancel(job))
    assert [each.job for each in child.until(JobCancelled) if isinstance(each, JobCancelled)] == [running]
    assert child.until(JobCancelled)[-1] == JobCancelled(waiting)
    *_, next_one = child.until(JobStarted)
    assert next_one == JobStarted(wanted), "the preferred job takes the first free row"
    child.send(StopRun())
    (finished,) = [event for event in child.until(RunFinished) if isinstance(event, RunFinished)]
    assert finished.stopped
    assert finished.done < finished.total == 198


def test_an_engine_that_still_loads_ends_at_once_when_its_parent_goes(tmp_path: Path) -> None:
    with engine(tmp_path) as child:
        child.send(StartRun(write_suite(tmp_path)))
        child.until(Loading)
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert [event for event in child.events() if not isinstance(event, Loading)] == []
        assert child.process.wait(timeout=5) == 0
        assert not list(tmp_path.glob("*-small-*"))


FAULTY = """
import sys
from pathlib import Path
from engine.worker import serve as worker
from engine.worker.options import EngineOptions

class Faulty:
    def run(self, order, control):
        raise RuntimeError("a fault of the program")

worker.open_session = lambda *args: Faulty()
worker.serve(EngineOptions(device="cpu", out=Path(sys.argv[1])))
"""


def test_a_fault_of_the_program_ends_the_engine_with_its_traceback_and_no_abort(tmp_path: Path) -> None:
    """Its stdin stays open, and a thread of it waits there for commands."""
    command = [sys.executable, "-c", FAULTY, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(encode_command(StartRun(tmp_path / "x.toml")))
        process.stdin.flush()
        assert process.wait(timeout=120) == 1
        said = process.stderr.read().decode()
    assert said.rstrip().endswith("RuntimeError: a fault of the program")
    assert "Traceback" in said
    assert "Fatal Python error" not in said
