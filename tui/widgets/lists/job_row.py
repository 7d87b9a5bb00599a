"""A row of the job list as words in columns: the verdicts stand left of all text that people and models wrote.

So nothing in such a text can move them: not a glyph wider than it claims, nor a terminal that turns right-to-left text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from engine.records import ARMS, Arm
from tui.state.job import JobState, Mark
from tui.text.safe import fit, one_line

CURSOR_CELLS = 2
VERDICT_CELLS = 18  # "!! multiple_values"
WIDE = 100  # columns: from here on there is room to breathe
PROMPT_CELLS = {False: 14, True: 24}  # at most, by whether it is wide
NAME_CELLS = {False: 24, True: 32}
INPUT_CELLS_MIN = 16
NOTE_CELLS = 8  # "excluded"
_WORDS = {
    Mark.WAITING: "waiting",
    Mark.RUNNING: "running",
    Mark.BREAKING: "broke",
    Mark.OK: "",
    Mark.ERROR: "error",
    Mark.CANCELLED: "cancelled",
}


def format_verdict(job: JobState, arm: Arm, over: bool) -> str:
    """Mark and word for one reply: "ok", "!! prose_before", ".. running", ".! broke", "-- waiting"."""
    mark = job.mark(arm)
    if mark is Mark.BROKEN:
        verdict = job.verdict(arm)
        assert verdict is not None
        return f"{mark.value} {verdict.classes[0]}"
    if over and mark.pending:
        return f"{Mark.WAITING.value} not run"
    return f"{mark.value} {_WORDS[mark]}".rstrip()


@dataclass(slots=True)
class Measure:
    """How wide the names in a run are, in cells. Takes in each job once: a run may have 100,000."""

    prompt: int = 0
    case: int = 0
    suffix: int = 0
    trials: bool = False
    _jobs: int = 0
    _prompts: set[str] = field(default_factory=set)
    _cases: set[str] = field(default_factory=set)
    _suffixes: set[tuple[str | None, int]] = field(default_factory=set)

    def take_in(self, jobs: Sequence[JobState]) -> None:
        """Measure the jobs that were added since the last time."""
        for job in jobs[self._jobs :]:
            info = job.info
            self.trials |= job.trial
            if info.prompt not in self._prompts:
                self._prompts.add(info.prompt)
                self.prompt = max(self.prompt, _cells(info.prompt))
            if info.case not in self._cases:
                self._cases.add(info.case)
                self.case = max(self.case, _cells(info.case))
            if (info.variation, info.repeat) not in self._suffixes:
                self._suffixes.add((info.variation, info.repeat))
                self.suffix = max(self.suffix, _cells(_suffix(job)))
        self._jobs = len(jobs)


def _cells(text: str) -> int:
    return cell_len(one_line(text))


@dataclass(frozen=True, slots=True)
class Columns:
    """How many cells each column has; `gap` stands between two."""

    width: int
    gap: int
    apart: int
    prompt: int
    name: int
    text: int

    @classmethod
    def fitting(cls, width: int, measure: Measure, excluded: bool) -> Columns:
        """The columns of a list so many cells wide. excluded: there are cases that count nowhere."""
        wide = width >= WIDE
        gap = 2 if wide else 1
        apart = NOTE_CELLS if excluded else len("trial") if measure.trials else 0
        room = width - CURSOR_CELLS - len(ARMS) * (VERDICT_CELLS + gap) - (apart + gap if apart else 0)
        prompt = min(measure.prompt, PROMPT_CELLS[wide], max(0, room - gap - 8))
        room -= prompt + gap
        name = min(measure.case + measure.suffix, NAME_CELLS[wide])
        text = room - name - gap
        if text < INPUT_CELLS_MIN:
            name, text = max(0, room), 0
        return cls(width, gap, apart, prompt, name, text)

    @property
    def texts_at(self) -> int:
        """Where the texts of others begin."""
        return CURSOR_CELLS + len(ARMS) * (VERDICT_CELLS + self.gap)


def format_name(job: JobState) -> str:
    """`case~variation#repeat`, the repeat only where it is not the first."""
    return job.info.case + _suffix(job)


def _suffix(job: JobState) -> str:
    variation = f"~{job.info.variation}" if job.info.variation else ""
    return variation + (f"#{job.info.repeat}" if job.info.repeat else "")


def format_note(job: JobState, excluded: bool) -> str:
    """Why a job does not count in the run's rates, if it does not."""
    return "excluded" if excluded else "trial" if job.trial else ""


def names(job: JobState, columns: Columns, apart: str) -> str:
    """What stands between the verdicts and the input."""
    gap = " " * columns.gap
    left = fit(apart, columns.apart) + gap if columns.apart else ""
    return left + fit(job.info.prompt, columns.prompt) + gap + fit(format_name(job), columns.name)


def format_input(job: JobState, columns: Columns) -> str:
    """As much of the input as fits."""
    return " " * columns.gap + fit(job.info.input, columns.text) if columns.text else ""


def format_header(columns: Columns, labels: tuple[str, str], title: str, status: str, rule: str) -> str:
    """A rule that names the two sides, what is run on what, and at its right end how the list behaves."""
    words = rule
    for label in labels:
        name = f" {fit(label.upper(), VERDICT_CELLS - 2).rstrip()} "
        words += name + rule * (VERDICT_CELLS + columns.gap - cell_len(name))
    words = words.removesuffix(rule)
    status = f" {status} {rule}" if status else ""
    room = columns.width - cell_len(words) - len(status) - 2
    title = fit(title, max(0, room)).rstrip()
    words += f" {title} " if title else ""
    return words + rule * (columns.width - cell_len(words) - len(status)) + status
