"""Changed jobs with both replies side by side: one for each class that replies changed to or from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from engine.comparing.comparison import ComparedRun
from engine.comparing.counting import Change
from engine.records import Arm
from engine.reports.document import Block, Job, Quoted, Section, paragraph
from engine.reports.run.jobs import pieces, reply_view
from engine.runs.reading import RunFolder
from engine.text import plural

_SHOWN = 2_000  # characters of a text


def examples(baseline: RunFolder, compared: ComparedRun) -> Section:
    """Regressed jobs first. They are read from disk while the report is written."""
    return Section("examples", "Examples of what has changed", _examples(baseline, compared))


def _examples(baseline: RunFolder, compared: ComparedRun) -> Iterator[Block]:
    if not any(results.regressed or results.fixed for results in compared.arms.values()):
        yield paragraph("No job was fixed, and none has regressed.")
        return
    yield paragraph(
        "One job for each class that replies regressed to or were fixed from, the first by prompt and job id. All "
        "are listed below. In the texts ⟦ and ⟧ enclose the break; what is not printable is shown as escapes."
    )
    for arm, results in compared.arms.items():
        yield from _of(baseline, compared.run, arm, "regressed", results.regressed)
        yield from _of(baseline, compared.run, arm, "fixed", results.fixed)


def _of(
    baseline: RunFolder, run: RunFolder, arm: Arm, kind: Literal["regressed", "fixed"], changes: Iterable[Change]
) -> Iterator[Job]:
    first: dict[str, Change] = {}
    counts: Counter[str] = Counter()
    for change in changes:
        failure = change.after if kind == "regressed" else change.before
        first.setdefault(failure, change)
        counts[failure] += 1
    for each, change in first.items():
        why = (f"{arm}: {plural(counts[each], 'job')} {kind} {'to' if kind == 'regressed' else 'from'} ",)
        yield _job(baseline, run, arm, change, (*why, Quoted(each), "."))


def _job(baseline: RunFolder, run: RunFolder, arm: Arm, change: Change, why: tuple[str | Quoted, ...]) -> Job:
    before, after = (each.record_at(place) for each, place in zip((baseline, run), change.places, strict=True))
    return Job(
        title=(Quoted(change.job.id), f", {arm}: ", Quoted(change.before), " → ", Quoted(change.after)),
        why=why,
        input=pieces(after.input, None, None, _SHOWN),
        expected=None if after.expected is None else Quoted(json.dumps(after.expected, ensure_ascii=False)),
        replies=(
            reply_view("baseline", before.reply(arm), _SHOWN),
            reply_view("run", after.reply(arm), _SHOWN),
        ),
        fork=None,
        folded=False,
    )
