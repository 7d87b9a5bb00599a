"""Which cases are trained on, and which are held out to test the result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import BadInputError
from engine.runs.reading import RunFolder
from engine.runs.summaries import SummaryReader
from engine.text import printable

_SALT = "jsonbreak-split-1"


@dataclass(frozen=True, slots=True)
class Split:
    """The ids of the cases on each side, sorted."""

    train: frozenset[str]
    test: frozenset[str]


def split_cases(inputs: Mapping[str, str], share: float) -> Split:
    """Hold out a share of the cases, from 0 to below 1, for the test. inputs: of each case, by its id.

    Cases with the same input count as one, under the first of their ids. They are ordered by the SHA-256 of
    `jsonbreak-split-1/<case id>`; the first round(share x cases) of them, half rounded up, are held out. So the split
    depends only on the ids, the inputs and the share, is the same on every machine and version, and every prompt,
    variation and repeat of a case is on one side. Unless the share is 0 there is at least one case on each side.
    Raises BadInputError if there are too few cases for that.
    """
    first: dict[str, str] = {}
    for case in sorted(inputs):
        first.setdefault(inputs[case], case)
    ordered = sorted(first.values(), key=lambda case: (hashlib.sha256(f"{_SALT}/{case}".encode()).digest(), case))
    if share <= 0:
        return Split(frozenset(inputs), frozenset())
    if len(ordered) < 2:
        raise BadInputError("The run has one case only, which cannot be split; leave out --split, or say --split 0.")
    count = min(max(int(share * len(ordered) + 0.5), 1), len(ordered) - 1)
    held_out = set(ordered[:count])
    test = frozenset(case for case, text in inputs.items() if first[text] in held_out)
    return Split(frozenset(inputs) - test, test)


def cases_of(run: RunFolder) -> dict[str, str]:
    """The ids of all cases that a run has records of, usable as rows or not, with their original inputs.

    So every export and every tune of a run splits the same cases. Raises BadInputError if they cannot be read.
    """
    inputs: dict[str, str] = {}
    try:
        for batch in SummaryReader(run.folder).batches():
            for job, _ in batch:
                if job.variation is None or job.case not in inputs:
                    inputs[job.case] = job.input
    except OSError as error:
        name = printable(str(error.filename))
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); fix that, or name another run.") from error
    return inputs
