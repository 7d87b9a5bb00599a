"""The counterpart of a run: the same suite on the same model, with another adapter or with none."""

from __future__ import annotations

from pathlib import Path

from engine.records import BASE
from engine.runs.listing import Ending, ListedRun, list_runs


def comparable_pair(folder: Path) -> tuple[ListedRun, ListedRun] | None:
    """The run in a folder and its counterpart, baseline first: the one without an adapter, else the older one.

    Of several counterparts the newest without an adapter is preferred, then the newest. None if there is none. Raises
    OSError if the folder of the runs cannot be read.
    """
    runs = [run for run in list_runs(folder.parent) if run.trial_of is None and run.done]
    this = next((run for run in runs if run.folder.name == folder.name), None)
    if this is None:
        return None
    others = [run for run in runs if _comparable(this, run)]
    other = next((run for run in others if run.adapter is None), others[0] if others else None)
    if other is None:
        return None
    return (this, other) if _before(this, other) else (other, this)


def describe_pair(baseline: ListedRun, candidate: ListedRun) -> str:
    """`base and tuned`."""
    return f"{baseline.adapter or BASE} and {candidate.adapter or BASE}"


def _comparable(this: ListedRun, other: ListedRun) -> bool:
    same = (this.suite, this.model) == (other.suite, other.model)
    return same and this.adapter != other.adapter and other.ending is not Ending.RUNNING


def _before(this: ListedRun, other: ListedRun) -> bool:
    """Whether a run is the baseline of the two."""
    if this.adapter is None or other.adapter is None:
        return this.adapter is None
    return (this.started is not None and other.started is not None) and this.started < other.started
