"""The jobs of a run, one row each, drawn line by line: a hundred thousand rows cost no more than those in view."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.records import ARMS, Arm
from tui import keys
from tui.messages import JobSelected
from tui.state import JobState, Mark, RunState
from tui.text import one_line, shorten

VERDICT_CELLS = 18  # "!! multiple_values"
PROMPT_CELLS = 20
CASE_CELLS = 24
INPUT_CELLS_MIN = 16
_WORDS = {
    Mark.WAITING: "waiting",
    Mark.RUNNING: "running",
    Mark.BREAKING: "broke",
    Mark.OK: "",
    Mark.ERROR: "error",
    Mark.CANCELLED: "cancelled",
}


def verdict_words(job: JobState, arm: Arm, over: bool) -> str:
    """Mark and word for one reply: "ok", "!! prose_before", ".. running", ".! broke", "-- waiting"."""
    mark = job.mark(arm)
    if mark is Mark.BROKEN:
        reply = job.reply(arm)
        assert reply is not None
        assert reply.verdict is not None
        return f"{mark.value} {reply.verdict.classes[0]}"
    if over and mark.pending:
        return f"{Mark.WAITING.value} not run"
    return f"{mark.value} {_WORDS[mark]}".rstrip()


class JobList(ScrollView, can_focus=True):
    """A header and a row for each job. The cursor follows the newest job until the user moves it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "job--header",
        "job--header-focused",
        "job--input",
        "job--cursor",
        "job--cursor-focused",
        "job--ok",
        "job--broken",
        "job--error",
        "job--pending",
    }
    BINDINGS = keys.MOVE
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.following = True
        self._state: RunState | None = None
        self._title = ""
        self._measured = 0
        self._prompt_cells = 0
        self._case_cells = 0

    def show(self, state: RunState, title: str) -> None:
        """Draw the state's jobs as they are now, and follow the newest if nobody has moved the cursor."""
        if state is not self._state:
            self._state, self.cursor, self.following = state, 0, True
        if len(state.jobs) != self._measured:
            self._measure(state.jobs)
        self._title = title
        self.virtual_size = Size(self.size.width, len(state.jobs) + 1)
        if self.following and state.newest is not None:
            self._place(state.newest)
        self.refresh()

    def _measure(self, jobs: list[JobState]) -> None:
        """How wide the columns are."""
        self._measured = len(jobs)
        self._prompt_cells = min(PROMPT_CELLS, max((cell_len(job.info.prompt) for job in jobs), default=0))
        self._case_cells = min(CASE_CELLS, max((cell_len(job.info.case) for job in jobs), default=0))

    def select(self, number: int) -> None:
        """Put the cursor on a job, as the user does: it is not moved by itself any more."""
        self.following = False
        self._place(number)

    def _place(self, number: int) -> None:
        number = max(0, min(number, self._count - 1))
        if number != self.cursor:
            self.cursor = number
            self.post_message(JobSelected(number))
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        """Scroll so far that the row of the cursor is in view."""
        window = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if not top <= self.cursor < top + window:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - window + 1, animate=False)

    def on_resize(self) -> None:
        """A smaller window keeps the cursor in view."""
        self._reveal()

    @property
    def _count(self) -> int:
        return len(self._state.jobs) if self._state else 0

    def on_focus(self) -> None:
        """The cursor looks different with focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different without focus."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor on the row clicked."""
        number = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and number < self._count:
            self.select(number)

    def action_up(self) -> None:
        """To the job above."""
        self.select(self.cursor - 1)

    def action_down(self) -> None:
        """To the job below."""
        self.select(self.cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self.select(self.cursor - max(1, self.size.height - 2))

    def action_page_down(self) -> None:
        """One page down."""
        self.select(self.cursor + max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the first job."""
        self.select(0)

    def action_last(self) -> None:
        """To the last job."""
        self.select(self._count - 1)

    def render_line(self, y: int) -> Strip:
        """Draw the header, or the row of a job."""
        width = self.size.width
        if y == 0:
            return self._header(width)
        number = self.scroll_offset.y + y - 1
        if self._state is None or number >= self._count:
            return Strip.blank(width, self.rich_style)
        return self._row(number, self._state.jobs[number], width).crop_extend(0, width, self.rich_style)

    def _name_cells(self, width: int) -> int:
        return max(8, width - 2 - len(ARMS) * (VERDICT_CELLS + 2))

    def _header(self, width: int) -> Strip:
        """A rule that names the run and the columns."""
        style = self._component("job--header-focused" if self.has_focus else "job--header")
        rule = "━" if self.has_focus else "─"
        name = shorten(self._title, self._name_cells(width) - 2)
        text = f"{rule} {name} ".ljust(self._name_cells(width) + 2 - (cell_len(name) - len(name)), rule)
        for arm in ARMS:
            text += f"{rule} {arm.upper()} ".ljust(VERDICT_CELLS + 2, rule)
        return Strip([Segment(text, style)]).crop_extend(0, width, style)

    def _row(self, number: int, job: JobState, width: int) -> Strip:
        assert self._state is not None
        selected = number == self.cursor
        base = self.rich_style
        if selected:
            base += self._component("job--cursor-focused" if self.has_focus else "job--cursor", partial=True)
        name, text = self._names(job, self._name_cells(width))
        segments = [
            Segment(f"{'>' if selected else ' '} {name}", base),
            Segment(text, base + self._component("job--input", partial=True)),
        ]
        for arm in ARMS:
            words = verdict_words(job, arm, self._state.over)
            segments.append(Segment("  ", self.rich_style))
            segments.append(Segment(words.ljust(VERDICT_CELLS), self._verdict_style(job, arm)))
        return Strip(segments)

    def _names(self, job: JobState, cells: int) -> tuple[str, str]:
        """Prompt and case, and as much of the input as fits, together so many cells."""
        info = job.info
        name = one_line(info.case) + (f"~{one_line(info.variation)}" if info.variation else "")
        if info.repeat:
            name += f"#{info.repeat}"
        prompt = set_cell_size(shorten(one_line(info.prompt), self._prompt_cells), self._prompt_cells)
        name = f"{prompt}  {name}"
        used = max(cell_len(name), self._prompt_cells + 2 + self._case_cells) + 2
        room = cells - used - 1
        if room < INPUT_CELLS_MIN:
            return set_cell_size(shorten(name, cells), cells), ""
        text = shorten(one_line(info.input[: 4 * room]), room)
        return set_cell_size(name, used), set_cell_size(text, room + 1)

    def _verdict_style(self, job: JobState, arm: Arm) -> Style:
        match job.mark(arm):
            case Mark.OK:
                name = "job--ok"
            case Mark.BROKEN:
                name = "job--broken"
            case Mark.BREAKING if self._state is not None and not self._state.over:
                name = "job--broken"
            case Mark.ERROR:
                name = "job--error"
            case _:
                name = "job--pending"
        return self.rich_style + self._component(name, partial=True)

    def _component(self, name: str, partial: bool = False) -> Style:
        return self.get_component_rich_style(name, partial=partial)
