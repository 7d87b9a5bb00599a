"""The runs of a folder, newest first, as their manifests tell of them: hundreds in a fraction of a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from engine.records import ARMS, Arm
from engine.runs.owner import owner_of
from engine.runs.rates import ArmRates
from engine.runs.store import MANIFEST, RECORDS, SEARCH
from engine.statistics import Share

_BUFFER = 1 << 20  # bytes
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Ending(Enum):
    """How a run stands. The value is the word for it; "broken off" is without an engine and without an end."""

    FINISHED = "finished"
    STOPPED = "stopped"
    RUNNING = "running"
    BROKEN_OFF = "broken off"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as lists show it. What its manifest does not say is None.

    adapter: its name. done, total: jobs, those that were cancelled left out. rates: of each arm, written at the end of
    a run together with replies_as_one (see `statistics.alike`). trial_of: the name of the run that it is a trial
    beside. problem: why the manifest says nothing.
    """

    folder: Path
    ending: Ending
    suite: str | None = None
    model: str | None = None
    adapter: str | None = None
    started: datetime | None = None
    done: int | None = None
    total: int | None = None
    rates: dict[Arm, ArmRates] | None = None
    replies_as_one: dict[Arm, float] | None = None
    trial_of: str | None = None
    problem: str | None = None


def _of_n(count: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= count[0] <= count[1]:
        raise ValueError("k must not be more than n")
    return count


_Count: TypeAlias = Annotated[tuple[int, int], AfterValidator(_of_n)]


class _Counts(TypedDict):
    """The rates of an arm as `manifest.counts_of` writes them."""

    strict: _Count
    unwrapped: _Count
    schema: _Count
    right: _Count
    errors: int
    replies_as_one: Annotated[float, Field(ge=1, allow_inf_nan=False)]


_COUNTS: TypeAdapter[dict[Arm, _Counts]] = TypeAdapter(dict[Arm, _Counts])


class _Adapter(BaseModel):
    """What lists show of an adapter."""

    name: str


class _Manifest(BaseModel):
    """The few things of a manifest that lists show."""

    suite: str | None = None
    model: str | None = None
    adapter: _Adapter | None = None
    started: datetime | None = None
    ended: datetime | None = None
    jobs: int | None = None
    done: int | None = None
    cancelled: int | None = None
    stopped: bool | None = None
    rates: Any = None
    trial_of: str | None = None


def list_runs(runs: Path) -> list[ListedRun]:
    """All runs in a folder, newest first, trials included and searches not. None where there is no such folder.

    Raises OSError where the folder cannot be read.
    """
    if not runs.is_dir():
        return []
    found = [listed(folder) for folder in runs.iterdir() if _is_run(folder)]
    return sorted(
        found, key=lambda run: (run.started or datetime.min.replace(tzinfo=UTC), run.folder.name), reverse=True
    )


def last_results(runs: Path) -> dict[str, ListedRun]:
    """The newest run of each suite, by the suite's name, of those that came to an end and have rates; no trials."""
    newest: dict[str, ListedRun] = {}
    for run in list_runs(runs):
        if run.suite is not None and run.rates is not None and run.trial_of is None:
            newest.setdefault(run.suite, run)
    return newest


def runs_going_on(runs: Path) -> list[ListedRun]:
    """The runs in a folder that an engine works on, newest first."""
    return [run for run in list_runs(runs) if run.ending is Ending.RUNNING]


def trials_of(folder: Path) -> list[Path]:
    """The folders of the trials beside a run, oldest first."""
    trials = [run.folder for run in list_runs(folder.parent) if run.trial_of == folder.name]
    return trials[::-1]


def _is_run(folder: Path) -> bool:
    try:
        return ((folder / MANIFEST).is_file() or (folder / RECORDS).is_file()) and not (folder / SEARCH).exists()
    except OSError:
        return False


def listed(folder: Path) -> ListedRun:
    """One run as lists show it."""
    try:
        manifest = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return ListedRun(folder, Ending.BROKEN_OFF, started=_time_of(folder), problem=f"there is no {MANIFEST}")
    except OSError as error:
        problem = f"{MANIFEST} cannot be read ({error.strerror})"
        return ListedRun(folder, Ending.BROKEN_OFF, started=_time_of(folder), problem=problem)
    except ValidationError:
        problem = f"{MANIFEST} is not a manifest of jsonbreak"
        return ListedRun(folder, Ending.BROKEN_OFF, started=_time_of(folder), problem=problem)
    counts = _counts(manifest.rates)
    return ListedRun(
        folder,
        _ending(folder, manifest),
        manifest.suite,
        manifest.model,
        manifest.adapter.name if manifest.adapter else None,
        manifest.started or _time_of(folder),
        _count_lines(folder / RECORDS) if manifest.done is None else manifest.done,
        None if manifest.jobs is None else manifest.jobs - (manifest.cancelled or 0),
        {arm: _rates(counts[arm]) for arm in ARMS} if counts else None,
        {arm: counts[arm]["replies_as_one"] for arm in ARMS} if counts else None,
        None if manifest.trial_of is None else Path(manifest.trial_of).name,
    )


def _ending(folder: Path, manifest: _Manifest) -> Ending:
    if manifest.ended is not None:
        return Ending.STOPPED if manifest.stopped else Ending.FINISHED
    return Ending.BROKEN_OFF if owner_of(folder) is None else Ending.RUNNING


def _counts(found: Any) -> dict[Arm, _Counts] | None:
    """None where there are none, or none that this version knows."""
    try:
        counts = _COUNTS.validate_python(found)
    except ValidationError:
        return None
    return counts if all(arm in counts for arm in ARMS) else None


def _rates(counts: _Counts) -> ArmRates:
    shares = (Share(*counts["strict"]), Share(*counts["unwrapped"]), Share(*counts["schema"]), Share(*counts["right"]))
    return ArmRates(*shares, errors=counts["errors"])


def _count_lines(records: Path) -> int | None:
    """How many records there are by now: only of runs without an end, which are few."""
    try:
        with records.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(_BUFFER), b""))
    except OSError:
        return None


def _time_of(folder: Path) -> datetime | None:
    """When a run began, by the name of its folder."""
    try:
        return datetime.strptime(folder.name.split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
