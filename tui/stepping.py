"""Which jobs are broken in the same way, for stepping from one to the next."""

from __future__ import annotations

from engine.judging.verdict import FailureClass
from tui.state.job import JobState


def primary(job: JobState) -> FailureClass | None:
    """The first class of the free reply if that is broken, else of the constrained one; None where neither is."""
    if job.facts is None or job.cancelled:
        return None
    broken = [facts for facts in (job.facts.free, job.facts.constrained) if facts is not None and not facts.ok]
    return broken[0].classes[0] if broken else None


def alike_words(failure: FailureClass | None) -> str:
    """Why there is no other job like the selected one."""
    if failure is None:
        return "Neither reply of this job is broken: it has no class to look for."
    return f"No other job shown is broken by {failure}."
