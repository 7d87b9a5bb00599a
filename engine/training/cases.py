"""The cases of a run: what is split."""

from __future__ import annotations

from engine.errors import BadInputError
from engine.faults import printable
from engine.runs.reading import RunFolder
from engine.runs.summaries import SummaryReader


def cases_of(run: RunFolder) -> set[str]:
    """The ids of all cases that a run has records of, whatever came of them.

    So every export and every tune of a run splits the same cases. Raises BadInputError where they cannot be read.
    """
    try:
        return {job.case for batch in SummaryReader(run.folder).batches() for job, _ in batch}
    except OSError as error:
        name = printable(str(error.filename))
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); mend that, or name another run.") from error
