"""The checkers of a run's replies: one an arm, reported once, started again when a job is."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.events import Broke
from engine.running.break_watcher import BreakWatcher
from engine.suites.jobs import Job, jobs_of
from engine.suites.suite import load_suite
from tests.helpers.suite_files import write_suite


def jobs(folder: Path, extra: str = "") -> list[Job]:
    prompts = f'[[prompt]]\nname = "naive"\nuser = "{{input}}"\n{extra}\n'
    return jobs_of(load_suite(write_suite(folder, prompts=prompts)))


def test_each_arm_is_reported_once(tmp_path: Path) -> None:
    alice, bob = jobs(tmp_path)
    watch = BreakWatcher()
    assert [*watch.start(alice), *watch.start(bob)] == []
    assert [*watch.push(alice.id, "both", '{"na'), *watch.push(bob.id, "free", "{")] == []
    said = "No key that is asked for begins with nam_"
    assert list(watch.push(alice.id, "free", "m_e")) == [Broke(alice.id, "free", 1, 6, said)]
    assert [*watch.push(alice.id, "free", "'"), *watch.push(alice.id, "constrained", 'me": "Alice", ')] == []
    assert [broke.arm for broke in watch.push(bob.id, "both", "x")] == ["free", "constrained"]
    watch.forget(alice.id)
    assert list(watch.start(alice)) == []
    assert [broke.start for broke in watch.push(alice.id, "constrained", " x")] == [1]


def test_a_prefill_is_the_beginning_of_the_reply(tmp_path: Path) -> None:
    job, _ = jobs(tmp_path, "prefill = '{\"name\": '")
    watch = BreakWatcher()
    assert list(watch.start(job)) == []
    assert [broke.start for broke in watch.push(job.id, "free", "Alice")] == [9]


def test_thinking_is_left_alone(tmp_path: Path) -> None:
    job, _ = jobs(tmp_path, 'think = { close = "</think>" }')
    watch = BreakWatcher()
    assert list(watch.start(job)) == []
    assert list(watch.push(job.id, "free", "Let me see: {x</thi")) == []
    assert [broke.start for broke in watch.push(job.id, "free", "nk> So")] == [23]
