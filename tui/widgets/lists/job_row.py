"""A row of the job list as text in columns, with the verdicts left of all text that users and models wrote.

So nothing in such text can move them: neither a glyph wider than it claims, nor a terminal that reorders Arabic.
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
WIDE = 100  # columns: from here on there is room for wider columns
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
    """The widths of the names in a run, in cells. Measures each job once: a run may have 100,000."""

    prompt: int = 0
    case: int = 0
    suffix: int = 0
    trials: bool = False
    _measured: int = 0
    _prompts: set[str] = field(default_factory=set)
    _cases: set[str] = field(default_factory=set)
    _suffixes: set[tuple[str | None, int]] = field(default_factory=set)

    def update(self, jobs: Sequence[JobState]) -> None:
        """Measure the jobs that were added since the last update."""
        for job in jobs[self._measured :]:
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
        self._measured = len(jobs)


def _cells(text: str) -> int:
    return cell_len(one_line(text))


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of the columns, in cells."""

    width: int
    """Of the whole row."""
    gap: int
    """Between two columns."""
    note: int
    """Of the reason why a job does not count."""
    prompt: int
    name: int
    text: int
    """Of the input."""

    @classmethod
    def fitting(cls, width: int, measure: Measure, excluded: bool) -> Columns:
        """The columns of a list that is `width` cells wide. excluded: whether there are excluded cases."""
        wide = width >= WIDE
        gap = 2 if wide else 1
        note = NOTE_CELLS if excluded else len("trial") if measure.trials else 0
        room = width - CURSOR_CELLS - len(ARMS) * (VERDICT_CELLS + gap) - (note + gap if note else 0)
        prompt = min(measure.prompt, PROMPT_CELLS[wide], max(0, room - gap - 8))
        room -= prompt + gap
        name = min(measure.case + measure.suffix, NAME_CELLS[wide])
        text = room - name - gap
        if text < INPUT_CELLS_MIN:
            name, text = max(0, room), 0
        return cls(width, gap, note, prompt, name, text)

    @property
    def texts_at(self) -> int:
        """The cell at which the text of users and models begins."""
        return CURSOR_CELLS + len(ARMS) * (VERDICT_CELLS + self.gap)


def format_name(job: JobState) -> str:
    """`case~variation#repeat`, the repeat only if it is not the first."""
    return job.info.case + _suffix(job)


def _suffix(job: JobState) -> str:
    variation = f"~{job.info.variation}" if job.info.variation else ""
    return variation + (f"#{job.info.repeat}" if job.info.repeat else "")


def format_note(job: JobState, excluded: bool) -> str:
    """Why a job does not count in the run's rates, if it does not."""
    return "excluded" if excluded else "trial" if job.trial else ""


def format_names(job: JobState, columns: Columns, note: str) -> str:
    """The columns between the verdicts and the input."""
    gap = " " * columns.gap
    left = fit(note, columns.note) + gap if columns.note else ""
    return left + fit(job.info.prompt, columns.prompt) + gap + fit(format_name(job), columns.name)


def format_input(job: JobState, columns: Columns) -> str:
    """As much of the input as fits."""
    return " " * columns.gap + fit(job.info.input, columns.text) if columns.text else ""


def format_header(columns: Columns, labels: tuple[str, str], title: str, status: str, rule: str) -> str:
    """A rule with the labels of the two replies, a title, and a status at its right end."""
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
