"""The jobs of a run, a row each, drawn line by line: a hundred thousand rows cost no more than those in view."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

from engine.records import ARMS, Arm
from tui import keys
from tui.messages import Direction, JobSelected
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter
from tui.state.job import JobState, Mark
from tui.widgets.lists.job_row import (
    VERDICT_CELLS,
    Columns,
    Measure,
    format_header,
    format_input,
    format_names,
    format_note,
    format_verdict,
)


class JobList(ScrollView, can_focus=True):
    """A header and a row for each job shown. The cursor follows the newest job until the user moves it."""

    cursor: int
    """The number of the selected job among all of the run."""

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
        "job--apart",
    }
    BINDINGS = keys.ARROWS
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.following = True
        self._chosen = 0  # where the user put the cursor: it returns there once a filter lets the job through again
        self._view: FilteredJobs | None = None
        self._shown_filter = Filter()
        self._row_shown = 0
        self._title = ""
        self._measure = Measure()
        self._drawn: dict[int, tuple[object, ...]] = {}  # what each line of the window depended on when it was drawn

    def show(self, view: FilteredJobs, title: str) -> None:
        """Draw the jobs of a view as they are now, and follow the newest unless the user has moved the cursor."""
        view.update()
        if self._view is None or view.state is not self._view.state:
            if not view.state.resumed:  # a resumed run is the one shown before: keep the place
                self.cursor, self._chosen, self._row_shown, self.following = 0, 0, 0, True
            self._measure = Measure()
        self._view, self._title = view, title
        self._measure.update(view.state.jobs)
        self.virtual_size = Size(self.size.width, self._count + 1)
        followed = self._followed() if self.following else None
        if followed is not None:
            self._chosen = followed
            self._place(followed)
        else:
            self._stay()
        self._shown_filter = view.filter
        self._refresh_changed()

    def _refresh_changed(self) -> None:
        """Redraw the lines that have changed: most stay as they are while texts stream."""
        for y in range(self.size.height):
            if self._drawn.get(y) != self._line_state(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _followed(self) -> int | None:
        """The newest job of those shown."""
        assert self._view is not None
        newest = self._view.state.newest
        return newest if newest is not None and self._view.row_of(newest) is not None else self._view.latest

    def _stay(self) -> None:
        """Keep the cursor on its job, and the job on its line of the screen, as far as the filter allows."""
        assert self._view is not None
        if not self._count:
            return
        same = self._view.filter == self._shown_filter
        number = self.cursor if same else self._chosen
        if self._view.row_of(number) is None:
            number = self._view.numbers[self._view.nearest_row(number)]
        if same and number == self.cursor:
            moved, self._row_shown = self._row - self._row_shown, self._row
            if moved:
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False)
        else:
            self._place(number)

    @override
    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        # Room for all jobs, also while a filter shows few: what is below must not jump while the user types.
        return len(self._view.state.jobs) + 1 if self._view else 1

    def select(self, number: int) -> None:
        """Move the cursor to a job by its number, as the user does: it follows the newest no longer."""
        self.following = False
        self._chosen = number
        self._place(number)

    def settle(self) -> None:
        """Take the job under the cursor as chosen by the user: no filter returns to the one before."""
        self._chosen = self.cursor

    def follow(self, on: bool) -> None:
        """Follow the newest job, or stop following."""
        self.following = on
        if on and self._view is not None and (number := self._followed()) is not None:
            self._chosen = number
            self._place(number)
        self.refresh()

    def _place(self, number: int) -> None:
        if number != self.cursor:
            self.cursor = number
            self.post_message(JobSelected(number))
        self._row_shown = self._row
        self._reveal()
        self._refresh_changed()

    def _step(self, rows: int) -> None:
        """Move the cursor by rows, at most to the first or the last."""
        if self._view is not None and self._count:
            row = max(0, min(self._row + rows, self._count - 1))
            self.select(self._view.numbers[row])

    def _reveal(self) -> None:
        """Scroll until the row of the cursor is in view."""
        window = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if not top <= self._row < top + window:
            self.scroll_to(y=self._row if self._row < top else self._row - window + 1, animate=False)

    def on_resize(self) -> None:
        """Keep the cursor in view in a smaller window."""
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
        """Move the cursor to the row clicked."""
        row = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and self._view is not None and row < self._count:
            self.select(self._view.numbers[row])

    def move(self, direction: Direction) -> None:
        """Move the cursor by a job or by a page."""
        page = max(1, self.size.height - 2)
        self._step({"up": -1, "down": 1, "page_up": -page, "page_down": page}[direction])

    def action_up(self) -> None:
        """To the job above."""
        self.move("up")

    def action_down(self) -> None:
        """To the job below."""
        self.move("down")

    def action_page_up(self) -> None:
        """One page up."""
        self.move("page_up")

    def action_page_down(self) -> None:
        """One page down."""
        self.move("page_down")

    def action_first(self) -> None:
        """To the first job."""
        self._step(-self._count)

    def action_last(self) -> None:
        """To the last job."""
        self._step(self._count)

    @override
    def render_line(self, y: int) -> Strip:
        self._drawn[y] = self._line_state(y)
        width = self.size.width
        if self._view is None:
            return Strip.blank(width, self.rich_style)
        state, row, columns = self._view.state, self.scroll_offset.y + y - 1, self._columns
        if y == 0:
            strip = self._header(columns)
        elif row < self._count:
            number = self._view.numbers[row]
            strip = self._draw(number, state.jobs[number], columns)
        elif row == 0 and self._view.filter:
            words = f"  No job matches the filter. esc clears it and shows all {len(state.jobs)} again."
            strip = Strip([Segment(words, self.rich_style)])
        else:
            strip = Strip.blank(width, self.rich_style)
        return strip.crop_extend(0, width, self.rich_style)

    @property
    def _columns(self) -> Columns:
        assert self._view is not None
        return Columns.fitting(self.size.width, self._measure, bool(self._view.state.excluded))

    def _line_state(self, y: int) -> tuple[object, ...]:
        """All that the drawing of a line depends on, at a tenth of the cost of `render_line`."""
        if self._view is None:
            return ()
        state, row = self._view.state, self.scroll_offset.y + y - 1
        frame = (self._columns, self.has_focus)
        if y == 0:
            return *frame, state.labels, self._title, self.following, state.over
        if row >= self._count:
            return *frame, bool(self._view.filter), row, len(state.jobs)
        number = self._view.numbers[row]
        job = state.jobs[number]
        words = [format_verdict(job, arm, state.over_for(job)) for arm in ARMS]
        return *frame, number, number == self.cursor, format_note(job, job.info.case in state.excluded), *words

    def _header(self, columns: Columns) -> Strip:
        assert self._view is not None
        state = self._view.state
        style = self._component("job--header-focused" if self.has_focus else "job--header")
        status = "following" if self.following and not state.over else ""
        rule = "━" if self.has_focus else "─"
        return Strip([Segment(format_header(columns, state.labels, self._title, status, rule), style)])

    def _draw(self, number: int, job: JobState, columns: Columns) -> Strip:
        assert self._view is not None
        state, selected = self._view.state, number == self.cursor
        note = format_note(job, job.info.case in state.excluded)
        base = self.rich_style
        if note:
            base += self._component("job--apart", partial=True)
        cursor = base
        if selected:
            cursor += self._component("job--cursor-focused" if self.has_focus else "job--cursor", partial=True)
        segments = [Segment("> " if selected else "  ", cursor)]
        for arm in ARMS:
            words = format_verdict(job, arm, state.over_for(job))
            segments.append(Segment(words.ljust(VERDICT_CELLS + columns.gap), base + self._verdict_style(job, arm)))
        segments.append(Segment(format_names(job, columns, note), cursor))
        segments.append(Segment(format_input(job, columns), cursor + self._component("job--input", partial=True)))
        return Strip(segments)

    def _verdict_style(self, job: JobState, arm: Arm) -> Style:
        match job.mark(arm):
            case Mark.OK:
                name = "job--ok"
            case Mark.BROKEN:
                name = "job--broken"
            case Mark.BREAKING if self._view is not None and not self._view.state.over_for(job):
                name = "job--broken"
            case Mark.ERROR:
                name = "job--error"
            case _:
                name = "job--pending"
        return self._component(name, partial=True)

    def _component(self, name: str, partial: bool = False) -> Style:
        return self.get_component_rich_style(name, partial=partial)
