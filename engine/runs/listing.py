"""The runs of a folder, newest first, from their manifests alone: hundreds in a fraction of a second."""

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
from engine.runs.reading import is_run
from engine.runs.store import MANIFEST, RECORDS
from engine.statistics import Share

_BLOCK = 1 << 20  # bytes


class Ending(Enum):
    """The state of a run, by the word that is shown for it."""

    FINISHED = "finished"
    STOPPED = "stopped"
    """By the user."""
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """It has not ended, and no engine works on it."""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as lists show it. What its manifest does not say is None."""

    folder: Path
    ending: Ending
    suite: str | None = None
    model: str | None = None
    adapter: str | None = None
    """The adapter's name."""
    started: datetime | None = None
    done: int | None = None
    """Finished jobs."""
    total: int | None = None
    """All jobs but those that were cancelled."""
    rates: dict[Arm, ArmRates] | None = None
    """Written when a run ends."""
    design_effects: dict[Arm, float] | None = None
    """Of the rates, see statistics.design_effect; there if the rates are."""
    trial_of: str | None = None
    """The name of the run that it is a trial of."""
    problem: str | None = None
    """Why the manifest says nothing."""


def _check_share(share: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= share[0] <= share[1]:
        raise ValueError("k must not be more than n")
    return share


_ShareOnDisk: TypeAlias = Annotated[tuple[int, int], AfterValidator(_check_share)]


class _RatesOnDisk(TypedDict):
    """The rates of an arm as running.describe.rates_for_manifest writes them."""

    strict: _ShareOnDisk
    unwrapped: _ShareOnDisk
    schema: _ShareOnDisk
    right: _ShareOnDisk
    errors: int
    replies_as_one: Annotated[float, Field(ge=1, allow_inf_nan=False)]


_RATES: TypeAdapter[dict[Arm, _RatesOnDisk]] = TypeAdapter(dict[Arm, _RatesOnDisk])


class _ListedAdapter(BaseModel):
    name: str


class _ListedManifest(BaseModel):
    """The part of a manifest that lists show."""

    # Not run_manifest.Manifest: a manifest with an unknown value elsewhere, written by a newer version for instance,
    # must still be listed with its state and rates, though it cannot be opened.
    suite: str | None = None
    model: str | None = None
    adapter: _ListedAdapter | None = None
    started: datetime | None = None
    ended: datetime | None = None
    jobs: int | None = None
    done: int | None = None
    cancelled: int | None = None
    stopped: bool | None = None
    rates: Any = None
    trial_of: str | None = None


def list_runs(runs: Path) -> list[ListedRun]:
    """All runs in a folder, newest first, with trials and without searches; [] if the folder does not exist.

    Raises OSError if the folder cannot be read.
    """
    if not runs.is_dir():
        return []
    listed = [list_run(folder) for folder in runs.iterdir() if is_run(folder)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(listed, key=lambda run: (run.started or oldest, run.folder.name), reverse=True)


def list_run(folder: Path) -> ListedRun:
    """One run as lists show it."""
    try:
        manifest = _ListedManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return _unlisted(folder, f"there is no {MANIFEST}")
    except OSError as error:
        return _unlisted(folder, f"{MANIFEST} cannot be read ({error.strerror})")
    except ValidationError:
        return _unlisted(folder, f"{MANIFEST} is not a manifest of jsonbreak")
    rates = _known_rates(manifest.rates)
    return ListedRun(
        folder,
        _ending(folder, manifest),
        manifest.suite,
        manifest.model,
        manifest.adapter.name if manifest.adapter else None,
        manifest.started or _time_of(folder),
        _count_lines(folder / RECORDS) if manifest.done is None else manifest.done,
        None if manifest.jobs is None else manifest.jobs - (manifest.cancelled or 0),
        {arm: _arm_rates(rates[arm]) for arm in ARMS} if rates else None,
        {arm: rates[arm]["replies_as_one"] for arm in ARMS} if rates else None,
        None if manifest.trial_of is None else Path(manifest.trial_of).name,
    )


def last_results(runs: Path) -> dict[str, ListedRun]:
    """The newest run of each suite that has ended and has rates, by the suite's name; no trials."""
    newest: dict[str, ListedRun] = {}
    for run in list_runs(runs):
        if run.suite is not None and run.rates is not None and run.trial_of is None:
            newest.setdefault(run.suite, run)
    return newest


def runs_in_progress(runs: Path) -> list[ListedRun]:
    """The runs in a folder that an engine works on, newest first."""
    return [run for run in list_runs(runs) if run.ending is Ending.RUNNING]


def trials_of(folder: Path) -> list[Path]:
    """The folders of the trials of a run, oldest first."""
    trials = [run.folder for run in list_runs(folder.parent) if run.trial_of == folder.name]
    return trials[::-1]


def _unlisted(folder: Path, problem: str) -> ListedRun:
    return ListedRun(folder, Ending.INTERRUPTED, started=_time_of(folder), problem=problem)


def _ending(folder: Path, manifest: _ListedManifest) -> Ending:
    if manifest.ended is not None:
        return Ending.STOPPED if manifest.stopped else Ending.FINISHED
    return Ending.INTERRUPTED if owner_of(folder) is None else Ending.RUNNING


def _known_rates(on_disk: Any) -> dict[Arm, _RatesOnDisk] | None:
    """None if there are none, or none that this version knows."""
    try:
        rates = _RATES.validate_python(on_disk)
    except ValidationError:
        return None
    return rates if all(arm in rates for arm in ARMS) else None


def _arm_rates(rates: _RatesOnDisk) -> ArmRates:
    shares = (Share(*rates["strict"]), Share(*rates["unwrapped"]), Share(*rates["schema"]), Share(*rates["right"]))
    return ArmRates(*shares, errors=rates["errors"])


def _count_lines(records: Path) -> int | None:
    """How many records there are: read only of runs that have not ended, which are few."""
    try:
        with records.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    except OSError:
        return None


def _time_of(folder: Path) -> datetime | None:
    """When a run started, by the name of its folder."""
    try:
        return datetime.strptime(folder.name.split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
