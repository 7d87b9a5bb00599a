"""The cases of a run: what is split."""

from __future__ import annotations

from engine.errors import BadInputError
from engine.runs.reading import RunFolder
from engine.runs.summaries import SummaryReader
from engine.suites.faults import printable


def cases_of(run: RunFolder) -> dict[str, str]:
    """The ids of all cases that a run has records of, whatever came of them, with their inputs as they are written.

    So every export and every tune of a run splits the same cases. Raises BadInputError where they cannot be read.
    """
    inputs: dict[str, str] = {}
    try:
        for batch in SummaryReader(run.folder).batches():
            for job, _ in batch:
                if job.variation is None or job.case not in inputs:
                    inputs[job.case] = job.input
    except OSError as error:
        name = printable(str(error.filename))
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); mend that, or name another run.") from error
    return inputs
