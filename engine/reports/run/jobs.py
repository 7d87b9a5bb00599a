"""Jobs with both replies side by side and their breaks marked: the examples, and the appendix of all broken inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Literal, NamedTuple

from engine.judging.verdict import Where
from engine.records import ARMS, Fork, Record, Reply
from engine.reports.document import Block, Job, Line, Piece, Quoted, ReplyView, Section, comma_separated, paragraph
from engine.reports.figures import fine_percent
from engine.reports.run.examples import RULE
from engine.reports.run.findings import Findings
from engine.reports.run.summary import nothing_finished
from engine.runs.reading import RunFolder
from engine.text import plural

_LEGEND = (
    "In the texts ⟦ and ⟧ enclose the break, and ┊ marks the fork. Control characters and characters that "
    "change the direction of writing are shown as escapes, such as \\x1b or \\u202e."
)
_LONG, _SHORT = 4_000, 1_200  # characters shown of a text, in the examples and in the appendix


def examples(run: RunFolder, findings: Findings) -> Section:
    """One job of each kind."""
    return Section("examples", "Examples", tuple(_examples(run, findings)))


def _examples(run: RunFolder, findings: Findings) -> Iterator[Block]:
    chosen = findings.examples.chosen()
    if not chosen:
        yield nothing_finished() if not findings.records else paragraph("No job failed in either arm.")
        return
    yield paragraph(f"How these were chosen: {RULE}")
    yield paragraph(_LEGEND)
    for place, labels in chosen:
        yield _job(run.record_at(place), _LONG, ("Shown for: ", *comma_separated(labels)), folded=False)


def appendix(run: RunFolder, findings: Findings) -> Section:
    """Every job that is not as asked in both arms, read from disk while the report is written."""
    return Section("broken", "Appendix: every broken input", _appendix(run, findings))


def _appendix(run: RunFolder, findings: Findings) -> Iterator[Block]:
    if not findings.records:
        yield nothing_finished()
        return
    if not findings.broken:
        yield paragraph("Every reply of the run is as asked, in both arms.")
        return
    total = f"{len(findings.broken):,} of {plural(findings.records, 'job')}"
    yield paragraph(f"{total} failed in one arm or both. They follow by prompt and then by job. {_LEGEND}")
    for _, _, place in findings.broken:
        yield _job(run.record_at(place), _SHORT, (), folded=True)


def _job(record: Record, limit: int, why: Line, *, folded: bool) -> Job:
    expected = None if record.expected is None else Quoted(json.dumps(record.expected, ensure_ascii=False))
    return Job(
        title=(Quoted(record.id), ": ", *_outline(record)),
        why=why,
        input=pieces(record.input, None, None, limit),
        expected=expected,
        replies=tuple(reply_view(arm, record.reply(arm), limit, record.fork) for arm in ARMS),
        fork=_fork(record.fork),
        folded=folded,
    )


def _outline(record: Record) -> Iterator[str | Quoted]:
    for arm in ARMS:
        verdict = record.reply(arm).verdict
        yield f"{', ' if arm != ARMS[0] else ''}{arm} "
        yield Quoted(verdict.classes[0] if verdict else "not decoded")


def reply_view(title: str, reply: Reply, limit: int, fork: Fork | None = None) -> ReplyView:
    """A reply with its break and fork marked. limit: characters shown of it."""
    if reply.verdict is None:
        return ReplyView(title, ("not decoded: ", Quoted(reply.error or "no reason is recorded", prose=True)), ())
    verdict = reply.verdict
    line: Line = ("✓ ",) if verdict.ok else ("✗ ",)
    line += (*comma_separated(verdict.classes), ". ", Quoted(verdict.message, prose=True))
    if verdict.where is not None and verdict.where.pointer:
        line += (" Place in the value: ", Quoted(verdict.where.pointer))
    for other in verdict.also:
        line += (" Also ", Quoted(other.failure), ": ", Quoted(other.message, prose=True))
    at = fork.char if fork is not None else None
    return ReplyView(title, line, pieces(reply.text, verdict.where, at, limit))


def _fork(fork: Fork | None) -> Line | None:
    if fork is None:
        return None
    place = f"character {fork.char + 1:,}" if fork.token is None else f"token {fork.token + 1:,}"
    line: Line = (f"The arms fork at {place}.",)
    for arm, candidates in (("free", fork.wanted), ("constrained", fork.allowed)):
        if candidates:
            taken = candidates[0]
            probability = "" if taken.p is None else f", probability {fine_percent(taken.p)}"
            line += (f" The {arm} arm took ", _token(taken.token), f"{probability}.")
    if fork.allowed_mass is None:
        return (*line, " The server does not report how probable the allowed tokens were together.")
    left = fine_percent(min(fork.allowed_mass, 1.0))
    return (*line, f" All that the grammar allowed there had {left} of the probability.")


def _token(token: str) -> Quoted:
    """A token, in quotes if it could not be seen otherwise."""
    return Quoted(token if token == token.strip() != "" else json.dumps(token, ensure_ascii=False))


class _Window(NamedTuple):
    start: int
    end: int


def pieces(text: str, where: Where | None, fork: int | None, limit: int) -> tuple[Piece, ...]:
    """A text with its break and fork marked; of a long one the part around the break, and how much is left out."""
    shown = _window(len(text), where.start if where is not None else 0, limit)
    start, end = (where.start, max(where.start, where.end)) if where is not None else (0, 0)
    start, end = (min(max(each, shown.start), shown.end) for each in (start, end))
    marks = {shown.start, start, end, shown.end}
    if fork is not None and shown.start <= fork <= shown.end:
        marks.add(fork)
    parts: list[Piece] = []
    if shown.start:
        parts.append(Piece("cut", f"[{shown.start:,} characters left out]"))
    for mark, following in zip_longest(sorted(marks), sorted(marks)[1:]):
        if mark == fork:
            parts.append(Piece("fork", ""))
        if where is not None and mark == start == end:
            parts.append(Piece("break", "", opens=True, closes=True))
        if following is not None:
            inside = where is not None and start <= mark < end
            kind: Literal["break", "text"] = "break" if inside else "text"
            parts.append(
                Piece(kind, text[mark:following], opens=inside and mark == start, closes=inside and following == end)
            )
    if shown.end < len(text):
        parts.append(Piece("cut", f"[{len(text) - shown.end:,} characters left out]"))
    return tuple(parts)


def _window(length: int, around: int, limit: int) -> _Window:
    if length <= limit:
        return _Window(0, length)
    start = min(max(around - limit // 2, 0), length - limit)
    return _Window(start, start + limit)
