"""The line above the list of jobs: what the filter lets through, and a field for its text while that is typed."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len
from textual.widgets import Input
from typing_extensions import override

from tui.state.filtered_jobs import FilteredJobs
from tui.text.safe import shorten
from tui.widgets.lines.entry_line import EntryLine

_BACK = "  (esc clears)"
_TYPED_CELLS = 24  # of the line are left for the text


class FilterLine(EntryLine):
    """Hidden while everything is shown. Changes the filter of its view; the screen draws the list."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: FilteredJobs | None = None

    @property
    def editing(self) -> bool:
        """Whether the user is typing a text."""
        return self.has_class("-editing")

    def edit(self, view: FilteredJobs) -> None:
        """Let the user type a text."""
        view.prepare_search()
        with self.field.prevent(Input.Changed):
            self.field.value = view.filter.text
        self.field.cursor_position = len(view.filter.text)
        self.add_class("-editing")
        self.show(view)
        self.field.focus()

    def show(self, view: FilteredJobs) -> None:
        """Draw what the view lets through."""
        self._view = view
        self.display = bool(view.filter) or self.editing
        width = self.screen.size.width - 2  # a cell of padding on each side
        self.show_note(_format_others(view, width - _TYPED_CELLS) if self.editing else format_filter(view, width))

    @override
    def close(self, left: bool = False) -> None:
        if self.editing:
            self.remove_class("-editing")
            self.post_message(self.Closed(left))

    @override
    def _apply(self, text: str) -> None:
        if self._view is not None:
            self._view.filter = replace(self._view.filter, text=text)
            self.post_message(self.Changed())

    def on_descendant_blur(self) -> None:
        """A click somewhere else ends the typing; a terminal that loses the focus does not."""
        if self.app.app_focus:
            self.close(left=True)


def format_filter(view: FilteredJobs, cells: int) -> str:
    """`filter: broken free, class prose_before, "alice"  12 of 320  (esc clears)`, in at most `cells` cells."""
    if not view.filter:
        return ""
    end = f"  {format_count(view)}{_BACK}"
    return shorten(f"filter: {view.filter.describe(view.state.labels)}", max(0, cells - len(end))) + end


def _format_others(view: FilteredJobs, cells: int) -> str:
    """The filter without the text, which is in the field, and how many jobs it shows."""
    others = replace(view.filter, text="").describe(view.state.labels)
    count = format_count(view)
    return f"{shorten(others, max(0, cells - cell_len(count) - 2))}  {count}" if others else count


def format_count(view: FilteredJobs) -> str:
    """`12 of 320`: how many jobs are shown."""
    return f"{len(view.numbers)} of {len(view.state.jobs)}"
