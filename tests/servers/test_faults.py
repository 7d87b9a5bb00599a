"""What a server does wrong: a retry, an error of that job alone, or the end of a run that is then resumed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInputError, EngineError
from engine.protocol.commands import Cancel, StartRun
from engine.protocol.events import Delta, Event, JobCancelled, JobFinished, JobStarted, Paused, RunFinished, RunStarted
from engine.running.control import Control
from engine.runs.reading import RunFolder
from engine.runs.resuming import resume_command
from engine.servers.concurrency import INITIAL
from engine.servers.spec import RetryPolicy
from engine.suites.suite import load_suite
from tests.helpers.suite_files import PERSON_SCHEMA, numbered_cases, write_suite
from tests.servers.carry_out import FREE_TEXT, SCHEMA_TEXT, carry_out, folder_of, is_of, records_of, spec_of
from tests.servers.faulty import Fault, FaultyServer, reply_to


def test_a_run_is_recorded_as_one_of_a_local_model(tmp_path: Path, server: FaultyServer) -> None:
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(3))), tmp_path)
    folder, (finished,) = folder_of(events), [event for event in events if isinstance(event, RunFinished)]
    assert (finished.done, finished.total, finished.stopped) == (3, 3, False)
    for record in records_of(folder).values():
        assert (record.free.text, record.constrained.text) == (FREE_TEXT, SCHEMA_TEXT)
        assert record.constrained.verdict is not None
        assert record.constrained.verdict.schema
        assert record.free.verdict is not None
        assert not record.free.verdict.strict
        assert record.free.ends == (4, 8, 12, 16, 20, 24, 28, 32)
        assert [round(p, 3) for p in record.free.p] == [0.905] * 8
        assert record.constrained.p == (), "weighed under the grammar, so not the model's own"
        assert record.fork is not None
        assert (record.fork.token, record.fork.char) == (0, 0)
        assert record.fork.wanted[0].token == "Ther"
        assert record.fork.allowed[0].token == '{"na'
    manifest = RunFolder(folder).manifest.model_dump()
    assert manifest["model"] == "fake"
    assert manifest["server_url"] == server.url
    assert manifest["server"]["form"] == "response_format json_schema"
    assert manifest["server"]["version"] == "1.0"


def test_both_arms_stream_side_by_side(tmp_path: Path, server: FaultyServer) -> None:
    server.pause = 0.01
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1))), tmp_path)
    texts: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Delta):
            texts[event.arm] += len(event.text)
    assert texts == {"free": len(FREE_TEXT), "constrained": len(SCHEMA_TEXT)}
    asked = [each for each in server.asked if is_of(each.body, 0)]
    assert len(asked) == 2
    assert server.most_at_once >= 2


@pytest.mark.parametrize("kind", ["half", "cut", "no-end", "error-event", "junk", "silence"])
def test_a_broken_stream_is_retried_and_its_text_is_void(tmp_path: Path, server: FaultyServer, kind: Any) -> None:
    broken: list[int] = []

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        if is_of(body, 1, constrained=True) and not broken:
            broken.append(number)
            return Fault(kind)
        return None

    server.fault = fault
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(3))), tmp_path)
    assert broken, "the fault was met"
    records = records_of(folder_of(events))
    assert {record.constrained.text for record in records.values()} == {SCHEMA_TEXT}
    assert {record.free.text for record in records.values()} == {FREE_TEXT}
    starts = [event.job for event in events if isinstance(event, JobStarted)]
    assert starts.count(records["c1"].id) == 2, "what had been streamed is void"
    assert streamed_last(events, records["c1"].id) == {"free": FREE_TEXT, "constrained": SCHEMA_TEXT}


def streamed_last(events: list[Event], job: str) -> dict[str, str]:
    """What was streamed of a job since it last started."""
    texts: dict[str, str] = {}
    for event in events:
        if isinstance(event, JobStarted) and event.job == job:
            texts = {"free": "", "constrained": ""}
        elif isinstance(event, Delta) and event.job == job:
            texts[event.arm] += event.text
    return texts


def test_a_run_that_is_stopped_or_a_job_that_is_cancelled_has_the_server_stop_too(
    tmp_path: Path, server: FaultyServer
) -> None:
    control = Control()

    def on_event(event: Event) -> None:
        if isinstance(event, RunStarted):
            server.pause = 0.2  # whole replies would take two seconds
        if isinstance(event, Delta) and not control.stopped.is_set():
            if any(each.aborted for each in server.asked):
                control.stop()
            else:
                control.request(Cancel("small/naive/c1#0"))

    started = time.monotonic()
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(3))), tmp_path, on_event, control
    )
    assert JobCancelled("small/naive/c1#0") in events
    (finished,) = (event for event in events if isinstance(event, RunFinished))
    assert (finished.done, finished.total, finished.stopped) == (0, 2, True)
    while not all(each.aborted for each in server.asked if "Person" in each.body["messages"][-1]["content"]):
        assert time.monotonic() < started + 10, "the server keeps decoding"
        time.sleep(0.02)


def test_a_paused_run_starts_no_job_and_loses_none(tmp_path: Path, server: FaultyServer) -> None:
    server.pause = 0.02
    control = Control()
    asked: list[int] = []

    def resume() -> None:
        asked.append(len(server.asked))
        control.pause(False)

    def on_event(event: Event) -> None:
        if isinstance(event, JobFinished) and not asked:
            control.pause(True)
        elif event == Paused(True):
            asked.append(len(server.asked))
            threading.Timer(1.0, resume).start()

    spec = spec_of(server, concurrency=2)
    events = carry_out(spec, StartRun(write_suite(tmp_path, cases=numbered_cases(8))), tmp_path, on_event, control)
    assert asked[0] == asked[1]
    assert all(record.free.text == FREE_TEXT for record in records_of(folder_of(events)).values())
    assert len(records_of(folder_of(events))) == 8


def test_what_stays_broken_is_an_error_of_that_arm_alone(tmp_path: Path, server: FaultyServer) -> None:
    server.fault = lambda body, number: Fault("half") if is_of(body, 1, constrained=False) else None
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(4))), tmp_path)
    records = records_of(folder_of(events))
    failed = records.pop("c1")
    assert (failed.free.finish, failed.free.verdict, failed.fork) == ("error", None, None)
    assert failed.free.error is not None
    assert failed.free.error.startswith("The server closed the connection")
    assert failed.free.error.endswith("at the last of 3 attempts.")
    assert failed.constrained.text == SCHEMA_TEXT
    assert {record.free.text for record in records.values()} == {FREE_TEXT}


def test_a_refusal_is_not_retried_and_is_shown_in_the_servers_words(tmp_path: Path, server: FaultyServer) -> None:
    words = "maximum context length is 12 tokens\n\x1b[31m"
    server.fault = lambda body, number: Fault("status", 400, message=words) if is_of(body, 0) else None
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(2))), tmp_path)
    error = records_of(folder_of(events))["c0"].free.error
    assert error == "The server answered 400: maximum context length is 12 tokens \\x1b[31m."
    assert sum(is_of(each.body, 0) for each in server.asked) == 2, "once an arm"


def test_retry_after_is_respected(tmp_path: Path, server: FaultyServer) -> None:
    refused: list[float] = []

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        if is_of(body, 1, constrained=False) and not refused:
            refused.append(server.asked[number].at)
            return Fault("status", 429, {"Retry-After": "1"})
        return None

    server.fault = fault
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(2))), tmp_path)
    assert records_of(folder_of(events))["c1"].free.text == FREE_TEXT
    again = [each.at for each in server.asked if is_of(each.body, 1, constrained=False)]
    assert len(again) == 2
    assert 1.0 <= again[1] - refused[0] < 2.0


def test_errors_of_the_server_are_retried(tmp_path: Path, server: FaultyServer) -> None:
    failed: Counter[str] = Counter()

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        text = body["messages"][-1]["content"]
        failed[text] += 1
        return Fault("status", 500) if "Person" in text and failed[text] == 1 else None

    server.fault = fault
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(5))), tmp_path)
    assert all(record.free.error is None for record in records_of(folder_of(events)).values())


def test_no_more_jobs_than_asked_for_are_in_flight(tmp_path: Path, server: FaultyServer) -> None:
    server.pause = 0.01
    at_connect: list[int] = []

    def on_event(event: Event) -> None:
        if isinstance(event, RunStarted):
            at_connect.append(server.most_at_once)
            server.most_at_once = 0

    carry_out(
        spec_of(server, concurrency=3), StartRun(write_suite(tmp_path, cases=numbered_cases(9))), tmp_path, on_event
    )
    assert server.most_at_once == 6, "two arms of three jobs"


def test_the_limit_grows_by_itself_while_that_is_faster(tmp_path: Path, server: FaultyServer) -> None:
    server.pause = 0.03
    carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(60))), tmp_path)
    assert server.most_at_once > INITIAL


def test_the_limit_adapts_to_what_a_server_takes(tmp_path: Path, server: FaultyServer) -> None:
    """A server that refuses more than four requests at once is not left with errors."""
    server.pause = 0.005
    now, most = 0, 4
    refusals = Counter[bool]()

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        crowd = server._now > most
        refusals[crowd] += 1
        return Fault("status", 429) if crowd else None

    server.fault = fault
    policy = RetryPolicy(attempts=6, backoff=0.05, silence=2.0)
    events = carry_out(
        spec_of(server, retry=policy), StartRun(write_suite(tmp_path, cases=numbered_cases(30))), tmp_path
    )
    records = records_of(folder_of(events))
    assert [record.free.error for record in records.values() if record.free.error] == []
    assert refusals[True] > now
    assert refusals[True] < refusals[False] / 2


def test_a_server_that_dies_leaves_a_run_that_resume_finishes(tmp_path: Path) -> None:
    server = FaultyServer()
    server.pause = 0.01
    suite = write_suite(tmp_path, cases=numbered_cases(12))
    events: list[Event] = []
    finished: list[str] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if isinstance(event, JobFinished):
            finished.append(event.record.id)
            if len(finished) == 3:
                threading.Thread(target=server.close).start()

    with pytest.raises(EngineError, match=r"The server is gone: in 3 attempts .*--resume finishes the rest\.") as gone:
        carry_out(spec_of(server), StartRun(suite), tmp_path, on_event)
    assert "\n" not in str(gone.value)
    folder = folder_of(events)
    kept = (folder / "records.jsonl").read_bytes()
    assert RunFolder(folder).manifest.stopped is True
    assert 3 <= len(records_of(folder)) < 12
    assert not any(record.free.error for record in records_of(folder).values())

    another = FaultyServer()  # at another port, as another node would be
    try:
        events = carry_out(spec_of(another), resume_command(folder), tmp_path)
    finally:
        another.close()
    assert (folder / "records.jsonl").read_bytes().startswith(kept)
    records = records_of(folder)
    assert len(records) == 12
    assert {record.free.text for record in records.values()} == {FREE_TEXT}
    assert len([each for each in another.asked if "Person" in each.body["messages"][-1]["content"]]) == 2 * (
        12 - kept.count(b"\n")
    )


def test_a_server_that_says_other_things_of_itself_is_another_run(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, cases=numbered_cases(2))
    server = FaultyServer()
    folder = folder_of(carry_out(spec_of(server), StartRun(suite), tmp_path))
    server.fault = lambda body, number: Fault("status", 400) if "response_format" in body else None
    try:
        with pytest.raises(BadInputError, match="cannot be resumed: what serves it"):
            carry_out(spec_of(server), resume_command(folder), tmp_path)
    finally:
        server.close()


def test_the_key_is_sent_and_neither_kept_nor_shown(
    tmp_path: Path, server: FaultyServer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-very-secret-0123456789"
    server.fault = lambda body, number: (
        Fault("status", 400, message=f"Incorrect API key provided: {key}") if is_of(body, 0) else None
    )
    caplog.set_level("DEBUG")
    events = carry_out(spec_of(server, key=key), StartRun(write_suite(tmp_path, cases=numbered_cases(2))), tmp_path)
    assert all(each.key == f"Bearer {key}" for each in server.asked)
    assert (
        records_of(folder_of(events))["c0"].free.error == "The server answered 400: Incorrect API key provided: [key]."
    )
    for file in folder_of(events).rglob("*"):
        assert key.encode() not in (file.read_bytes() if file.is_file() else b"")
    said = capfd.readouterr()
    assert key not in said.out + said.err + caplog.text + repr(events) + repr(spec_of(server, key=key))


def test_a_refused_key_is_an_error_before_the_run(tmp_path: Path, server: FaultyServer) -> None:
    server.fault = lambda body, number: Fault("status", 401, message="no such key: sk-1")
    with pytest.raises((EngineError, BadInputError), match=r"401: no such key: \[key\]") as error:
        carry_out(spec_of(server, key="sk-1"), StartRun(write_suite(tmp_path)), tmp_path)
    assert "sk-1" not in str(error.value)
    assert not list(tmp_path.glob("2*")), "no folder of a run"


def test_a_missing_server_is_one_sentence_at_once(tmp_path: Path) -> None:
    server = FaultyServer()
    server.close()
    hours = RetryPolicy(attempts=3, backoff=10_000.0)
    with pytest.raises(EngineError, match=r"--server http://127\.0\.0\.1:\d+/v1: the server could not be reached"):
        carry_out(spec_of(server, retry=hours), StartRun(write_suite(tmp_path)), tmp_path)


def test_the_stand_in_obeys_schemas(tmp_path: Path) -> None:
    schema = load_suite(write_suite(tmp_path, schema=PERSON_SCHEMA)).json_schema
    body = {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}
    assert reply_to(body) == SCHEMA_TEXT
    assert reply_to({}) == FREE_TEXT
