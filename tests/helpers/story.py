"""Scripts for the scripted engine, made of real events, and a suite folder for the first screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.judging.verdict import Verdict, Where
from engine.protocol import events
from engine.records import Candidate, Fork, Message, Record, Reply
from tests.helpers.suite_files import PERSON_SCHEMA

ENGINE = Path(__file__).with_name("scripted_engine.py")
FOLDER = Path("runs/20260101T000000Z-people-smol")

PEOPLE = (
    """
name = "people"
description = "Name and age of the person in a sentence"
[generation]
max_new_tokens = 96"""
    + PERSON_SCHEMA
    + """[[prompt]]
name = "naive"
user = "Extract the name and age: {input}"
[[prompt]]
name = "json-only"
system = "You answer with one JSON object and nothing else."
user = "Name and age as {\\"name\\": ..., \\"age\\": ...}: {input}"
[[case]]
id = "alice"
input = "My name is Alice and I am 30 years old."
expected = { name = "Alice", age = 30 }
tags = ["plain"]
[[case]]
id = "bob"
input = "Bob turned 41 last week."
expected = { name = "Bob", age = 41 }
[[case]]
id = "[markup]"
input = "I am [red]Zoë[/red], 7."
"""
)

Step = events.Event | dict[str, Any]


def suite_folder(folder: Path) -> Path:
    """A folder with a suite that loads and one that does not."""
    folder.mkdir(exist_ok=True)
    (folder / "people.toml").write_text(PEOPLE)
    (folder / "torn.toml").write_text('name = "torn\n')
    return folder


def command(steps: Iterable[Step], folder: Path, order: str = "start_run") -> list[str]:
    """Write a script and give the command line of an engine that plays it, once for each order."""
    lines = [{"do": "expect", "type": order}]
    lines += [step if isinstance(step, dict) else json.loads(events.encode_event(step)) for step in steps]
    path = folder / "script.json"
    path.write_text(json.dumps(lines))
    return [sys.executable, str(ENGINE), str(path)]


def gate(name: str) -> dict[str, Any]:
    """Stand still here until `open_gate`."""
    return {"do": "gate", "name": name}


def open_gate(folder: Path, name: str) -> None:
    (folder / name).touch()


def received(folder: Path) -> list[dict[str, Any]]:
    """The commands the engine was given."""
    path = folder / "script.received"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def job_id(prompt: str, case: str) -> str:
    return f"people/{prompt}/{case}#0"


def info(prompt: str, case: str) -> events.JobInfo:
    return events.JobInfo(job_id(prompt, case), prompt, case, None, 0, f"input of {case}", {"age": 1}, ("plain",))


def ok(message: str = "The reply is valid and right.") -> Verdict:
    return Verdict(True, True, True, True, ("ok",), None, message)


def broken(kind: Any, start: int, end: int, message: str, *, strict: bool = False, schema: bool = False) -> Verdict:
    return Verdict(strict, True, schema, False, (kind,), Where(start, end, 1, start + 1), message)


def reply(text: str, verdict: Verdict | None, *, finish: Any = "stop", error: str | None = None) -> Reply:
    tokens = tuple(range(max(1, len(text) // 4))) if text else ()
    return Reply(text, tokens, finish, error, verdict, 0.5)


def record(prompt: str, case: str, free: Reply, constrained: Reply, fork: Fork | None = None) -> Record:
    messages = (Message(role="user", content="x"),)
    return Record(
        job_id(prompt, case), "people", prompt, case, None, 0, 0, "x", messages, {"age": 1}, free, constrained, fork
    )


def fork(token: int, char: int, wanted: str = "Sure", allowed: str = "{") -> Fork:
    return Fork(token, char, (Candidate(wanted, 1, 0.621),), (Candidate(allowed, 2, 0.03),), 0.034)


MODEL_LOADS: tuple[events.Event, ...] = (
    events.Loading("reading weights", 34, 120, "tensors"),
    events.ModelReady("SmolLM2-135M-Instruct", "cpu", "float32", 2.1),
)


def ready() -> list[Step]:
    """The model loads."""
    return [*MODEL_LOADS]


def started(
    jobs: Iterable[events.JobInfo], constrained_error: str | None = None, remarks: tuple[str, ...] = ()
) -> events.RunStarted:
    return events.RunStarted(FOLDER, "people", "SmolLM2-135M-Instruct", tuple(jobs), constrained_error, remarks)


def streamed(job: Record, *, hold: str | None = None) -> list[Step]:
    """A job as the engine emits it: the shared text, the fork, each arm's own text, the record."""
    cut = job.fork.char if job.fork else len(job.free.text)
    steps: list[Step] = [events.JobStarted(job.id)]
    if cut:
        steps.append(events.Delta(job.id, "both", job.free.text[:cut], 1))
    if job.fork:
        steps.append(events.Forked(job.id, job.fork))
        for arm in ("free", "constrained"):
            text = job.reply(arm).text[cut:]
            pieces = [text[at : at + 8] for at in range(0, len(text), 8)]
            steps += [events.Delta(job.id, arm, piece, 2) for piece in pieces]
    if hold:
        steps.append(gate(hold))
    return [*steps, events.JobFinished(job)]


def finished(done: int, total: int, *, stopped: bool = False) -> events.RunFinished:
    return events.RunFinished(FOLDER, done, total, stopped, 12.3)


GOOD = '{"name": "Alice", "age": 30}'
PROSE = 'Sure, here is the JSON you asked for:\n\n{"name": "Alice", "age": 30}'
CUT = '{"name": "Bob", "age": '


def people_records() -> list[Record]:
    """Six jobs: prose before, truncated, an error, two right ones, a wrong value."""
    prose = broken("prose_before", 0, 37, "There are 37 characters of prose before the JSON value.", schema=True)
    cut = broken("truncated", len(CUT), len(CUT), 'The reply ends inside an object, after "age":.')
    wrong = Verdict(
        True, True, True, False, ("wrong_value",), Where(24, 26, 1, 25, "/age"), "/age is 30, but 31 was expected."
    )
    why = "The prompt has 9000 tokens, more than the model's context of 2048."
    lost = reply("", None, finish="error", error=why)
    return [
        record("naive", "alice", reply(PROSE, prose), reply(GOOD, ok()), fork(0, 0)),
        record("naive", "bob", reply(CUT, cut, finish="length"), reply(GOOD, wrong), fork(5, 9, " B", "Al")),
        record("naive", "[markup]", lost, lost),
        record("json-only", "alice", reply(GOOD, ok()), reply(GOOD, ok())),
        record("json-only", "bob", reply(GOOD, wrong), reply(GOOD, wrong)),
        record("json-only", "[markup]", reply(GOOD, ok()), reply(GOOD, ok())),
    ]


def people_run(*, hold: str | None = None, hold_last: str | None = None) -> list[Step]:
    """A whole run of `people_records`; `hold` stands still before the first is finished, `hold_last` before the end."""
    records = people_records()
    steps: list[Step] = [*ready(), started(info(each.prompt, each.case) for each in records)]
    for number, each in enumerate(records):
        steps += streamed(each, hold=hold if number == 0 else None)
        steps.append(events.Progress(number + 1, len(records), 1, 10 * number, 41.3, number + 0.5))
    if hold_last:
        steps.append(gate(hold_last))
    return [*steps, finished(len(records), len(records))]
