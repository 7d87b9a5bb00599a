"""What is thought before the closing tag is not judged, and what follows keeps its place."""

from __future__ import annotations

from engine.judging.judge import Judge
from engine.judging.wrappers import blank_thoughts

PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
THOUGHTS = "<think>\nMaybe {\"age\": 'x'}?\n</think>\n"


def test_the_answer_is_judged_alone_and_in_its_place() -> None:
    judge = Judge(PERSON)
    good, bad = (blank_thoughts(f"{THOUGHTS}{answer}", "</think>") for answer in ('{"age": 3}', '{"age": "3"}'))
    assert len(good) == len(f'{THOUGHTS}{{"age": 3}}')
    verdict = judge.judge(good, "stop", {"age": 3})
    assert (verdict.strict, verdict.classes) == (True, ("ok",))
    verdict = judge.judge(bad, "stop", {"age": 3})
    assert verdict.classes[0] == "wrong_type"
    assert verdict.where is not None
    assert (verdict.where.line, verdict.where.column) == (4, 9)


def test_a_reply_without_the_tag_is_judged_whole() -> None:
    assert blank_thoughts("<think> on and on", "</think>") == "<think> on and on"
