"""Two runs, job by job: the baseline's reply on the left, the candidate's on the right. Does not import Textual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from engine.comparing import comparison as of_runs
from engine.comparing.pairing import Pair, PairedRun, Pairing
from engine.protocol.events import Loading, RunStarted
from engine.records import BASE, Arm, Record
from engine.runs.differences import differences
from engine.runs.job_facts import JobFacts
from engine.runs.reading import RunFolder
from engine.runs.summaries import without_collector
from engine.statistics import Paired
from tui.state.run import RunState
from tui.state.task import Phase

LABELS = ("baseline", "candidate")
_LABEL_CELLS_MIN = 7  # labels that differ only after this may look the same on the screen


@dataclass(frozen=True, slots=True)
class PairBatch:
    """What has been read of two runs."""

    pairs: list[Pair]
    read: int = 0
    """How many records of the baseline have been read so far."""
    remarks: tuple[str, ...] | None = None
    """In the last batch only."""
    failure: str | None = None


@dataclass(slots=True)
class ArmComparison:
    """The comparison of one arm's replies."""

    state: RunState
    """Lists the pairs as the jobs of a run: the baseline's reply as the free one, the candidate's as the other."""
    change: Paired = field(default_factory=Paired)
    """Which replies are ok, of the pairs that were decoded in both runs."""
    undecoded: int = 0
    """The number of the other pairs."""

    def add(self, pairs: list[Pair], arm: Arm) -> None:
        """List more pairs, and count them."""
        with without_collector():
            jobs = [
                (info, JobFacts(baseline.of(arm), candidate.of(arm), place=number))
                for number, (info, baseline, candidate) in enumerate(pairs, len(self.state.jobs))
            ]
            self.state.add_finished(jobs)
        for info, facts in jobs:
            if facts.free is None or facts.constrained is None:
                self.undecoded += 1
            else:
                self.change.add(facts.free.ok, facts.constrained.ok, info.case)


class Comparison:
    """Two run folders and the comparison of each arm: iterate over `read` in a thread, and `apply` each batch.

    Jobs are paired by their ids, in the order of the candidate. Raises BadInputError if records cannot be read.
    """

    def __init__(self, baseline: Path, candidate: Path) -> None:
        self._runs = (RunFolder(baseline), RunFolder(candidate))
        self._pairs: list[Pair] = []
        self._notes: list[PairBatch] = []  # batches without pairs, kept for an arm that is asked for later
        self._by_arm: dict[Arm, ArmComparison] = {}

    @property
    def folders(self) -> tuple[Path, Path]:
        """The folders of the baseline and of the candidate."""
        baseline, candidate = self._runs
        return baseline.folder, candidate.folder

    def of(self, arm: Arm) -> ArmComparison:
        """The comparison of one arm's replies, created on the first call."""
        if arm not in self._by_arm:
            comparison = self._by_arm[arm] = ArmComparison(self._state(arm))
            comparison.add(self._pairs, arm)
            for batch in self._notes:
                self._update(comparison, batch)
        return self._by_arm[arm]

    def read(self) -> Iterator[PairBatch]:
        """Yield the pairs as they are found; at last the remarks on them all."""
        try:
            yield from self._read()
        except OSError as error:
            yield PairBatch([], failure=f"The records cannot be read ({error.strerror}).")

    def _read(self) -> Iterator[PairBatch]:
        pairing = Pairing(self._runs[0].folder)
        for read in pairing.read():
            yield PairBatch([], read=read)
        paired = PairedRun(pairing, self._runs[1].folder)
        for pairs in paired.batches():
            yield PairBatch(pairs)
        remarks = [
            words
            for role, run, reader in zip(LABELS, self._runs, (pairing.reader, paired.reader), strict=True)
            for words in of_runs.remarks_on(role, run, reader)
        ]
        missing = of_runs.describe_unpaired(paired.only_in_baseline, paired.only_in_run, LABELS[1])
        yield PairBatch([], remarks=(*remarks, *([missing] if missing else []), *self._describe_differences()))

    def apply(self, batch: PairBatch) -> None:
        """Add a batch to all comparisons."""
        self._pairs += batch.pairs
        if not batch.pairs:
            self._notes.append(batch)
        for arm, comparison in self._by_arm.items():
            comparison.add(batch.pairs, arm)
            self._update(comparison, batch)

    def _update(self, comparison: ArmComparison, batch: PairBatch) -> None:
        state = comparison.state
        if batch.read:
            state.loading = Loading("reading the baseline", batch.read, self._runs[0].manifest.jobs, "records")
        if batch.failure is not None:
            state.fail(batch.failure)
        elif batch.remarks is not None:
            state.remarks += batch.remarks
            state.phase, state.seconds = Phase.FINISHED, 0.0
        state.revision += 1

    @property
    def nothing_in_common(self) -> str:
        """Why the runs have no pair of jobs, if they have none."""
        return of_runs.nothing_in_common(*self._runs)

    def _state(self, arm: Arm) -> RunState:
        candidate = self._runs[1].manifest
        labels, answers = _names(self._runs)
        suite = Path(candidate.suite_file or self._runs[1].folder.name)
        state = RunState(suite, phase=Phase.LOADING, labels=labels)
        state.started = RunStarted(self._runs[1].folder, f"{candidate.suite or '?'}, {arm}", answers, ())
        state.fetch = partial(self._fetch, arm)
        return state

    def _fetch(self, arm: Arm, number: int) -> Record:
        """The record of a pair: the candidate's, with the baseline's reply for the free one."""
        _, *both = self._pairs[number]
        places = [facts.place for facts in both if facts.place is not None]
        baseline, candidate = (run.record_at(place) for run, place in zip(self._runs, places, strict=True))
        if baseline.id != candidate.id:
            raise ValueError(f"the record of {baseline.id} stands where that of {candidate.id} was")
        return replace(candidate, free=baseline.reply(arm), constrained=candidate.reply(arm), fork=None, agree=None)

    def _describe_differences(self) -> Iterator[str]:
        differing = differences(*(run.manifest for run in self._runs))
        if differing.asked:
            yield f"These runs do not compare, since what was asked differs: {', '.join(differing.asked)}."
        if differing.answered:
            yield f"The runs differ in: {', '.join(differing.answered)}."
        if not differing.asked and not differing.answered:
            yield "The manifests of the runs do not differ."


def _names(runs: tuple[RunFolder, RunFolder]) -> tuple[tuple[str, str], str]:
    """The labels of the two runs, and what answered in them: the adapters, if only these differ."""
    models = [run.manifest.model or "?" for run in runs]
    first, second = (run.manifest.adapter.name if run.manifest.adapter else BASE for run in runs)
    if models[0] != models[1]:
        return LABELS, f"{models[0]} and {models[1]}"
    if first[:_LABEL_CELLS_MIN] != second[:_LABEL_CELLS_MIN]:
        return (first, second), f"{models[0]}: {first} and {second}"
    began = [run.folder.name.split("-")[0] for run in runs]
    return LABELS, f"{began[0]} and {began[1]}"
