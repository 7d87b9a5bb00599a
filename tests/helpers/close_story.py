"""A run whose records have what a close look shows: tokens with probabilities, values, a manifest in its folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.judging.judge import Judge
from engine.judging.verdict import Verdict
from engine.protocol import events
from engine.records import Candidate, Fork, Message, Record, Reply
from tests.helpers import story

SCHEMA = {"type": "object", "required": ["name", "age"], "properties": {"name": {"type": "string"}}}
EXPECTED = {"name": "Zoë 語", "age": 31, "tags": ["a", "b"]}
FREE = 'Sure:\n{"name": "zoë 語", "age": 30, "tags": ["b", "c"], "city": "Oslo"}'
CONSTRAINED = '{"name": "Zoë 語", "tags": ["b", "a"]}'
MESSAGES = (
    Message(role="system", content="You answer with JSON."),
    Message(role="user", content="Extract [red]this[/]: \x1b[2J語"),
)
MANIFEST: dict[str, Any] = {
    "suite": "people",
    "model": "SmolLM2-135M-Instruct",
    "prompts": [{"name": "naive", "user": "x", "prefill": None, "chat_template_kwargs": {"thinking": False}}],
    "generation": {"chat_template_kwargs": {"tools": []}},
    "compare": {
        "/name": {"casefold": True},
        "/tags": {"unordered": True},
    },
}


def reply(text: str, verdict: Verdict | None = None, *, kept: bool = True, prefill: str = "") -> Reply:
    """A reply in tokens of words and signs; 語 takes three tokens, of which the last completes it."""
    if verdict is None:
        verdict = Judge(SCHEMA).judge(text, "stop", EXPECTED)
    ends: list[int] = []
    for match in re.finditer(r"\s*(?:\w+|[^\w\s])\s*?", text[len(prefill) :]):
        end = len(prefill) + match.end()
        ends += [len(prefill) + match.start()] * 2 if "語" in match[0] else []
        ends.append(end)
    ends[-1] = len(text)
    p = [(0.9996, 0.62, 0.3, 0.03, 0.0004)[number % 5] for number in range(len(ends))]
    tokens = tuple(1000 + number for number in range(len(ends)))
    done = Reply(text, tokens, "stop", None, verdict, 0.5)
    return replace(done, p=tuple(p), ends=tuple(ends)) if kept else done


def fork() -> Fork:
    """At the first token: ten favourites of the model, of which the grammar allowed two, and its own favourites."""
    names = ["Sure", "Here", " {", "The", "```", "{", "I", "\n", "json", "Name"]
    wanted = tuple(Candidate(name, 1000 + at, 0.4 / (at + 1)) for at, name in enumerate(names))
    allowed = (wanted[5], wanted[2], *(Candidate("{" + " " * at, 2000 + at, 0.001 / at) for at in range(1, 9)))
    return Fork(0, 0, wanted, allowed, 0.2034)


def record(case: str, free: Reply, constrained: Reply, fork: Fork | None = None, expected: Any = EXPECTED) -> Record:
    """A record of the prompt naive."""
    made = story.record("naive", case, free, constrained, fork)
    return replace(made, expected=expected, messages=MESSAGES, agree=False, tags=("plain",))


def records() -> list[Record]:
    """Two that part at the first token, one of an older version, one of which nothing was expected, one not decoded."""
    return [
        record("alice", reply(FREE), reply(CONSTRAINED), fork()),
        record("bob", reply(FREE, kept=False), reply(CONSTRAINED, kept=False), fork()),
        record("nothing", reply('{"a": 1}'), reply('{"a": 1, "b": 2}'), None, None),
        record("cut", reply('{"name": "x", "age": '), story.reply("", None, finish="error", error="No room.")),
    ]


def steps(folder: Path, made: Iterable[Record], *more: story.Step) -> list[story.Step]:
    """A run of these records with a manifest in its folder; `more` follows its end."""
    run = folder / "runs" / "20260101T000000Z-people-smol"
    run.mkdir(parents=True, exist_ok=True)
    (run / "run.json").write_text(json.dumps(MANIFEST))
    made = list(made)
    infos = [replace(story.info("naive", each.case), expected=each.expected) for each in made]
    steps: list[story.Step] = [*story.ready(), replace(story.started(infos), folder=run)]
    for each in made:
        steps += [events.JobStarted(each.id), events.JobFinished(each)]
    return [*steps, replace(story.finished(len(made), len(made)), folder=run), *more]


def rendered(order: str, model: str = "SmolLM2-135M-Instruct", **others: Any) -> list[story.Step]:
    """The engine's answer to the question for a prompt."""
    text = "<|im_start|>system\nYou answer.<|im_end|>\n<|im_start|>user\n\x1b[2J[red]語[/]<|im_end|>\n"
    special = tuple(match.span() for match in re.finditer(r"<\|\w+\|>", text))
    answer = events.PromptRendered(order, model, text, 23, special)
    return [{"do": "expect", "type": "render_prompt"}, replace(answer, **others)]


def look_steps(folder: Path) -> list[story.Step]:
    """For looking at it."""
    made = records()
    return steps(folder, made, *(step for each in made for step in rendered(each.id)))
