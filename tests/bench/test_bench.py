"""The bench itself does not rot: its jobs, its tables, and jsonbreak as a contestant. Nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.decoding.backend import LocalBackend
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.models.model import LoadedModel
from tests.bench import shares, tables
from tests.bench.contestants import jsonbreak
from tests.bench.people import MOST, Workload, jobs_in
from tests.bench.protocol import Chat, Result, Run, Task
from tests.bench.runner import CONTESTANTS, ROOT
from tests.decoding.reference import generate

LIMIT = 4


@pytest.fixture(scope="module")
def backend(builtin_model: LoadedModel) -> LocalBackend:
    return LocalBackend(builtin_model)  # kept, so that the grammar is made once


def task_of(workload: Workload, model: LoadedModel, runs: int) -> Task:
    jobs = jobs_in(workload)
    chats = [
        Chat([{"role": message["role"], "content": message["content"]} for message in job.messages], tokens)
        for job, tokens in ((job, model.prompt_ids(job.messages)) for job in jobs)
    ]
    size = {"jobs": workload.jobs, "length": workload.length, "shared": workload.shared}
    return Task("the built-in model", None, jobs[0].schema, LIMIT, runs, size, chats)


def test_people_are_all_different() -> None:
    jobs = jobs_in(Workload(MOST))
    assert len({job.expected["name"] for job in jobs}) == len({job.input for job in jobs}) == MOST
    assert all(job.expected["name"] in job.input and str(job.expected["age"]) in job.input for job in jobs)
    assert {prompt: sum(job.prompt == prompt for job in jobs) for prompt in ("naive", "json-only")} == {
        "naive": MOST / 2,
        "json-only": MOST / 2,
    }


@pytest.mark.model
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("length", [50, 500, 2000])
def test_prompts_have_about_the_length_asked_for(builtin_model: LoadedModel, length: int, shared: bool) -> None:
    first, second = (builtin_model.prompt_ids(job.messages) for job in jobs_in(Workload(2, length, shared)))
    assert len(first) == pytest.approx(length, rel=0.12)
    same = next(n for n, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
    assert same > length - 60 if shared else same < 50


@pytest.mark.model
def test_jsonbreak_as_a_contestant(
    backend: LocalBackend, builtin_model: LoadedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jsonbreak, "open_backend", lambda folder: backend)
    task = task_of(Workload(2), builtin_model, runs=2)
    task.save(tmp_path / "task.json")
    assert Task.load(tmp_path / "task.json") == task
    result = jsonbreak.measure(task)
    for chat, reply in zip(task.chats, result.free, strict=True):
        alone = generate(builtin_model, Request("", chat.tokens, "", 0, None), SamplingParams(), LIMIT, masked=False)
        assert reply == builtin_model.tokenizer.decode(alone.tokens)
    assert all(reply.startswith("{") for reply in result.constrained)
    assert len(result.constrained) == 2
    assert [0 < run.first < run.both for run in result.runs] == [True, True]


@pytest.mark.model
def test_the_shares_add_up(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "open_backend", lambda folder: backend)
    result = shares.measure(task_of(Workload(2), backend.model, runs=1))
    parts = result.more["parts"]
    assert sum(parts.values()) == pytest.approx(result.more["whole"])
    assert all(seconds > 0 for seconds in parts.values()), parts
    assert result.more["steps"] >= LIMIT - 1


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    mine = Result([Run(3.0, 0.5), Run(2.0, 0.5), Run(1.0, 0.5)], ["a", "b"], ["{}", "1"], ready=4.0, peak=1_500_000_000)
    slow = Result([Run(50.0, 1.0, 30.0, 20.0)] * 3, ["a", "c"], ["{", "NaN"], "slow 1.0", ["It stalls."])
    labels = {name: contestant.label for name, contestant in CONTESTANTS.items()}
    tables.contestants(tables.Page(markdown=True), labels, {"jsonbreak": mine, "loop": slow}, "loop")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "| jsonbreak | – | – | 2.00 | 1.0× | 0.50 | 4.00 | 1.50 | 1 of 2 | 2 of 2 |" in lines
    loop = f"| {labels['loop']} | 30.0 | 20.0 | 50.0 | 25.0× | 1.00 | 0.00 | 0.00 | 2 of 2 | 0 of 2 |"
    assert loop in lines
    assert f"{labels['loop']} (slow 1.0): runs of 50.0, 50.0, 50.0 s. It stalls." in lines


def test_contestants_of_other_environments_need_nothing_of_this_one() -> None:
    """Their shared file is all they import of this project, and it needs the standard library alone."""
    code = "import sys, tests.bench.protocol; print(*(sys.modules.keys() & {'engine', 'torch', 'rich', 'click'}))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
