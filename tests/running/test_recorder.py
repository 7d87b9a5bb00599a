"""What a record says of a job beside its two verdicts: whether both replies have the same value, the case's tags."""

from __future__ import annotations

from typing import Literal

import pytest

from engine.backends import ArmResult
from engine.judging.compare import Rule
from engine.records import Message, Reply
from engine.running.recorder import Recorder, not_decoded
from engine.suites.jobs import Job

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
LOOSE = {"/name": Rule(casefold=True)}


def job(think_close: str | None = None) -> Job:
    messages = (Message(role="user", content="x"),)
    return Job("s/p/c#0", "p", "c", None, 0, 7, "x", messages, "", PERSON, None, ("hard",), think_close=think_close)


def judged(recorder: Recorder, of: Job, text: str, finish: Literal["stop", "length"] = "stop") -> Reply:
    return recorder.reply(ArmResult(text, (5, 6), finish, 0.25, (0.5, 0.125), (1, len(text))), of)


@pytest.mark.parametrize(
    ("free", "constrained", "rules", "agree"),
    [
        ('{"name": "Ann"}', '{ "name": "Ann" }', {}, True),
        ('Sure:\n```json\n{"name": "Ann"}\n```', '{"name": "Ann"}', {}, True),
        ('{"name": "Ann"}', '{"name": "ann"}', {}, False),
        ('{"name": "Ann"}', '{"name": "ann"}', LOOSE, True),
        ('{"name": "Ann", "age": 3}', '{"name": "Ann"}', {}, False),
        ('{"name": true}', '{"name": 1}', {}, False),
        ('{"name": "Ann', '{"name": "Ann"}', {}, None),
        ("I cannot help with that.", '{"name": "Ann"}', {}, None),
        ("", "", {}, None),
    ],
)
def test_whether_both_replies_have_the_same_value(
    free: str, constrained: str, rules: dict[str, Rule], agree: bool | None
) -> None:
    recorder, one = Recorder("s", rules), job()
    record = recorder.record(one, judged(recorder, one, free), judged(recorder, one, constrained))
    assert record.agree is agree


def test_thoughts_are_no_value() -> None:
    """Neither before the answer nor where the limit came before the end of the thinking."""
    good, thought = '{"name": "Ann"}', '<think>{"name": "Ann"} or {"name": "Bob"}?'
    recorder, one = Recorder("s", {}), job("</think>")
    constrained = judged(recorder, one, f"{thought}</think>{good}")
    for free, agree in ((judged(recorder, one, f"<think></think>{good}"), True), (not_decoded("no memory"), None)):
        assert recorder.record(one, free, constrained).agree is agree
    cut = judged(recorder, one, '<think>{"name": "Ann"}', "length")
    assert cut.verdict is not None
    assert (cut.verdict.unwrapped, recorder.record(one, cut, constrained).agree) == (False, None)


def test_a_record_keeps_what_the_decoder_and_the_suite_said() -> None:
    recorder, one = Recorder("s", {}), job()
    record = recorder.record(one, judged(recorder, one, "{}"), not_decoded("There is no constrained arm."))
    assert (record.free.tokens, record.free.p, record.free.ends) == ((5, 6), (0.5, 0.125), (1, 2))
    assert (record.constrained.tokens, record.constrained.p, record.constrained.ends) == ((), (), ())
    assert (record.tags, record.agree) == (("hard",), None)
