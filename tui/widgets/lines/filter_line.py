"""One line over the list: what the filter lets through, and while somebody types a text, the place to type it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui import keys
from tui.messages import Direction, MoveRequested
from tui.state.filtered_jobs import FilteredJobs
from tui.text.safe import one_line, shorten
from tui.widgets.fields.quiet_input import QuietInput

_BACK = "  (esc clears)"
_TYPED_CELLS = 24  # of the line are left to what is typed


class FilterLine(Horizontal):
    """Takes no room while everything is shown. Changes the filter of its view; the screen draws the list."""

    BINDINGS = keys.FIND

    class Changed(Message):
        """Another filter applies."""

    @dataclass
    class Closed(Message):
        """The text is kept or cleared."""

        left: bool
        """The focus has moved somewhere else already."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: FilteredJobs | None = None
        self._words = ""
        self.display = False

    def compose(self) -> ComposeResult:
        """What is typed, and the words."""
        yield Static("/", id="filter-slash", markup=False)
        yield QuietInput(id="filter-text", select_on_focus=False)
        yield Static(id="filter-words", markup=False)

    @property
    def editing(self) -> bool:
        """Whether somebody types here."""
        return self.has_class("-editing")

    def edit(self, view: FilteredJobs) -> None:
        """Let the user type a text; it holds with each key."""
        self._view = view
        view.prepare_search()
        field = self.query_one(QuietInput)
        with field.prevent(Input.Changed):
            field.value = view.filter.text
        field.cursor_position = len(field.value)
        self.add_class("-editing")
        self.show(view)
        field.focus()

    def show(self, view: FilteredJobs) -> None:
        """Draw what the view lets through."""
        self._view = view
        self.display = bool(view.filter) or self.editing
        width = self.screen.size.width - 2  # a cell each side is padding
        words = self._typing_words(view, width - _TYPED_CELLS) if self.editing else format_filter(view, width)
        if words != self._words:
            self._words = words
            self.query_one("#filter-words", Static).update(Content(words))

    def _typing_words(self, view: FilteredJobs, cells: int) -> str:
        others = replace(view.filter, text="").describe(view.state.labels)
        count = format_count(view)
        return f"{shorten(others, max(0, cells - cell_len(count) - 2))}  {count}" if others else count

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        safe = one_line(event.value)  # what is pasted may hold anything
        if safe != event.value:
            event.input.value = safe
        elif self._view is not None:
            self._view.filter = replace(self._view.filter, text=safe)
            self.post_message(self.Changed())

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()

    def close(self, left: bool = False) -> None:
        """The text stays as it is."""
        if self.editing:
            self.remove_class("-editing")
            self.post_message(self.Closed(left))

    def on_descendant_blur(self) -> None:
        """A click somewhere else ends the typing; a terminal that loses the focus does not."""
        if self.app.app_focus:
            self.close(left=True)

    def action_submit(self) -> None:
        """Keep the text."""
        self.close()

    def action_clear(self) -> None:
        """Clear the text; close when there is none."""
        field = self.query_one(QuietInput)
        if field.value:
            field.value = ""
        else:
            self.close()

    def action_move(self, direction: Direction) -> None:
        """Move the cursor of the list."""
        self.post_message(MoveRequested(direction))


def format_filter(view: FilteredJobs, cells: int) -> str:
    """`filter: broken free, class prose_before, "alice"  12 of 320  (esc clears)`, in so many cells."""
    if not view.filter:
        return ""
    end = f"  {format_count(view)}{_BACK}"
    return shorten(f"filter: {view.filter.describe(view.state.labels)}", max(0, cells - len(end))) + end


def format_count(view: FilteredJobs) -> str:
    """`12 of 320`: how many jobs are shown."""
    return f"{len(view.numbers)} of {len(view.state.jobs)}"
