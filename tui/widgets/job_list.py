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
from tui.jobs import JobState, Mark
from tui.messages import JobSelected
from tui.text import one_line, shorten
from tui.views import JobView

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
        verdict = job.verdict(arm)
        assert verdict is not None
        return f"{mark.value} {verdict.classes[0]}"
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
    BINDINGS = keys.ARROWS
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.following = True
        self._view: JobView | None = None
        self._title = ""
        self._measured = 0
        self._prompt_cells = 0
        self._case_cells = 0

    def show(self, view: JobView, title: str) -> None:
        """Draw the jobs of a view as they are now, and follow the newest if nobody has moved the cursor."""
        view.update()
        if self._view is None or view.state is not self._view.state:
            self.cursor, self.following, self._measured = 0, True, 0
        self._view = view
        if len(view.state.jobs) != self._measured:
            self._measure(view.state.jobs)
        self._title = title
        self.virtual_size = Size(self.size.width, self._count + 1)
        newest = view.state.newest
        if self.following and newest is not None and view.row_of(newest) is not None:
            self._place(newest)
        elif self._count and view.row_of(self.cursor) is None:
            self._place(view.numbers[view.nearest_row(self.cursor)])  # the filter let go of it
        self.refresh()

    def _measure(self, jobs: list[JobState]) -> None:
        """How wide the columns are."""
        self._measured = len(jobs)
        self._prompt_cells = min(PROMPT_CELLS, max(map(cell_len, {job.info.prompt for job in jobs}), default=0))
        self._case_cells = min(CASE_CELLS, max(map(cell_len, {job.info.case for job in jobs}), default=0))

    def select(self, number: int) -> None:
        """Put the cursor on a job by its number, as the user does: it is not moved by itself any more."""
        self.following = False
        self._place(number)

    def _place(self, number: int) -> None:
        if number != self.cursor:
            self.cursor = number
            self.post_message(JobSelected(number))
        self._reveal()
        self.refresh()

    def _step(self, rows: int) -> None:
        """Move the cursor by so many rows, as far as there are any."""
        if self._view is not None and self._count:
            row = max(0, min(self._row + rows, self._count - 1))
            self.select(self._view.numbers[row])

    def _reveal(self) -> None:
        """Scroll so far that the row of the cursor is in view."""
        window = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if not top <= self._row < top + window:
            self.scroll_to(y=self._row if self._row < top else self._row - window + 1, animate=False)

    def on_resize(self) -> None:
        """A smaller window keeps the cursor in view."""
        self._reveal()

    @property
    def _count(self) -> int:
        return len(self._view.numbers) if self._view else 0

    @property
    def _row(self) -> int:
        return self._view.nearest_row(self.cursor) if self._view else 0

    def on_focus(self) -> None:
        """The cursor looks different with focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different without focus."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor on the row clicked."""
        row = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and self._view is not None and row < self._count:
            self.select(self._view.numbers[row])

    def action_up(self) -> None:
        """To the job above."""
        self._step(-1)

    def action_down(self) -> None:
        """To the job below."""
        self._step(1)

    def action_page_up(self) -> None:
        """One page up."""
        self._step(-max(1, self.size.height - 2))

    def action_page_down(self) -> None:
        """One page down."""
        self._step(max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the first job."""
        self._step(-self._count)

    def action_last(self) -> None:
        """To the last job."""
        self._step(self._count)

    def render_line(self, y: int) -> Strip:
        """Draw the header, or the row of a job."""
        width = self.size.width
        if y == 0:
            return self._header(width)
        row = self.scroll_offset.y + y - 1
        if self._view is None or row >= self._count:
            return Strip.blank(width, self.rich_style)
        number = self._view.numbers[row]
        return self._draw(number, self._view.state.jobs[number], width).crop_extend(0, width, self.rich_style)

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

    def _draw(self, number: int, job: JobState, width: int) -> Strip:
        assert self._view is not None
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
            words = verdict_words(job, arm, self._view.state.over)
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
            case Mark.BREAKING if self._view is not None and not self._view.state.over:
                name = "job--broken"
            case Mark.ERROR:
                name = "job--error"
            case _:
                name = "job--pending"
        return self.rich_style + self._component(name, partial=True)

    def _component(self, name: str, partial: bool = False) -> Style:
        return self.get_component_rich_style(name, partial=partial)
