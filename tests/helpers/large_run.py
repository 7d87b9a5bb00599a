"""A run of any number of jobs, written in seconds: `python -m tests.helpers.large_run FOLDER [JOBS]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.records import Message, Record, Reply
from engine.runs.record_lines import RECORD
from engine.runs.store import RECORDS, create_run
from tests.helpers.made_runs import ENDED, EXPECTED, FENCED, MANIFEST, PROSE, RIGHT, WRONG, Made, record

_CASES = 2_000
_PROMPTS = ("naive", "json-only", "schema", "key-list", "few-shot")
_VARIATIONS = (None, "typos", "upper-case", "quotes", "emoji", "html", "very-long", "distractor-before", "other-digits")
_MODEL_WORDS = "You answer with one JSON object that satisfies the schema, and with nothing else around it. " * 3
_TOKENS = 30  # of a reply
_FORMS = [
    Made(free, constrained, expected=EXPECTED)
    for free in (RIGHT, PROSE, FENCED, WRONG, RIGHT + "\n\nI hope that helps.", '{"name": "Ann"', '{"name": 1}')
    for constrained in (RIGHT, WRONG)
]


def write_large_run(out: Path, jobs: int = 100_000, shift: int = 0) -> Path:
    """The folder of a finished run: five prompts, 2,000 cases, their variations and repeats; about 2.1 kB a record.

    shift: runs with different numbers have different replies to the same jobs.
    """
    out.mkdir(parents=True, exist_ok=True)
    store = create_run(out, "made", "large", {**MANIFEST, "jobs": jobs})
    with (store.folder / RECORDS).open("wb") as file:
        file.writelines(RECORD.dump_json(each) + b"\n" for each in _records(jobs, shift))
    store.close(done=jobs, **ENDED)
    return store.folder


def _records(jobs: int, shift: int) -> Iterator[Record]:
    forms = [_with_tokens(record(made)) for made in _FORMS]
    for number in range(jobs):
        rest, prompt = divmod(number, len(_PROMPTS))
        rest, case = divmod(rest, _CASES)
        repeat, variation = divmod(rest, len(_VARIATIONS))
        yield _job(
            forms[(number * 5 + shift) % len(forms)], _PROMPTS[prompt], f"case-{case}", _VARIATIONS[variation], repeat
        )


def _job(form: Record, prompt: str, case: str, variation: str | None, repeat: int) -> Record:
    text = f"I am Ann, number {case}, and this is a sentence about me that is as long as sentences are."
    varied = f"{case}~{variation}" if variation else case
    return replace(
        form,
        id=f"made/{prompt}/{varied}#{repeat}",
        prompt=prompt,
        case=case,
        variation=variation,
        repeat=repeat,
        input=text,
        messages=(Message(role="system", content=_MODEL_WORDS), Message(role="user", content=text)),
        agree=form.free.text == form.constrained.text,
        tags=("made", case[-1]),
    )


def _with_tokens(form: Record) -> Record:
    return replace(form, free=_longer(form.free), constrained=_longer(form.constrained))


def _longer(reply: Reply) -> Reply:
    """With the tokens and probabilities of a reply of usual length."""
    ends = tuple(round(len(reply.text) * (number + 1) / _TOKENS) for number in range(_TOKENS))
    p = tuple(round(0.9871 - number / 50, 4) for number in range(_TOKENS))
    return replace(reply, tokens=tuple(range(1000, 1000 + _TOKENS)), p=p, ends=ends)


if __name__ == "__main__":
    print(write_large_run(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000))
