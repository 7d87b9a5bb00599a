"""The filter: every value of every facet with its count, each a toggle."""

from __future__ import annotations

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from typing_extensions import override

from tui import keys
from tui.state.facets import Choice, Facet, choices, toggled
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter
from tui.text.safe import fit
from tui.widgets.lines.filter_line import format_count

COUNT_SECONDS = 1.0  # a run in progress changes the counts
_COUNT_CELLS = 7
_MARK_CELLS = 4  # "[x] "


class FilterScreen(ModalScreen[None]):
    """Changes the filter of a view with each key."""

    def __init__(self, view: FilteredJobs) -> None:
        super().__init__()
        self._view = view
        self._counted: tuple[object, ...] = ()

    @override
    def compose(self) -> ComposeResult:
        with Vertical(id="facets-box") as box:
            box.border_title = "Filter"
            box.border_subtitle = "space toggles, 0 clears all, esc closes"
            yield FacetList(id="facets", markup=False)
            yield Static(id="facets-words", markup=False)

    def on_mount(self) -> None:
        """Count, and count again while a run is in progress."""
        self.set_interval(COUNT_SECONDS, self._count)
        self.call_after_refresh(self._count)

    def on_resize(self) -> None:
        """The counts are aligned to the right edge."""
        self._counted = ()
        self.call_after_refresh(self._count)

    def _count(self) -> None:
        """Draw the counts, if anything has changed."""
        now = (self._view.state.revision, self._view.filter)
        if now != self._counted:
            self._counted = now
            self._view.update()
            self.query_one(FacetList).show(choices(self._view))
            words = self._view.filter.describe(self._view.state.labels) or "all jobs"
            self.query_one("#facets-words", Static).update(Content(f"{format_count(self._view)}  {words}"))

    @on(OptionList.OptionSelected)
    def _toggle(self, event: OptionList.OptionSelected) -> None:
        choice = self.query_one(FacetList).choice(event.option_index)
        if choice is not None:
            self._view.filter = toggled(self._view.filter, choice.facet, choice.value)
            self._count()

    def action_clear(self) -> None:
        """Show all jobs."""
        self._view.filter = Filter()
        self._count()


class FacetList(OptionList):
    """The headings cannot be selected; the cursor stays on its value when the counts change."""

    BINDINGS = keys.FILTER

    def __init__(self, *, id: str | None = None, markup: bool = True) -> None:
        super().__init__(id=id, markup=markup)
        self._rows: list[Choice | Facet] = []

    def show(self, found: list[Choice]) -> None:
        """Draw the choices, each facet under its heading."""
        rows: list[Choice | Facet] = []
        for choice in found:
            if not rows or _facet(rows[-1]) is not choice.facet:
                rows.append(choice.facet)
            rows.append(choice)
        at = self._position(rows)
        self._rows = rows
        top = self.scroll_offset.y
        self.set_options([Option(self._render_row(row), disabled=isinstance(row, Facet)) for row in rows])
        self.highlighted = at
        self.scroll_to(y=top, animate=False)

    def choice(self, index: int) -> Choice | None:
        """The value in a row; None for a heading."""
        row = self._rows[index]
        return row if isinstance(row, Choice) else None

    @override
    def render_line(self, y: int) -> Strip:
        # Textual drops "reverse" from an option's style, but without colours the cursor needs it.
        strip = super().render_line(y)
        return strip.apply_style(Style(reverse=True)) if self.scroll_offset.y + y == self.highlighted else strip

    def _position(self, rows: list[Choice | Facet]) -> int:
        """The new row of the value under the cursor; the first value if it is gone."""
        former = self._rows[self.highlighted] if self.highlighted is not None and self._rows else None
        if isinstance(former, Choice):
            for number, row in enumerate(rows):
                if isinstance(row, Choice) and (row.facet, row.value) == (former.facet, former.value):
                    return number
        return 1

    def _render_row(self, row: Choice | Facet) -> Content:
        if isinstance(row, Facet):
            return Content.styled(row.value, "bold $text-primary")
        width = max(20, self.scrollable_content_region.width - 2)  # a cell each side is the option's padding
        mark = "[x] " if row.on else "[ ] "
        words = f"{mark}{fit(row.label, width - _MARK_CELLS - _COUNT_CELLS)}{row.count:>{_COUNT_CELLS}}"
        return Content.styled(words, "bold" if row.on else "" if row.count else "dim")

    def action_facet(self, step: int) -> None:
        """To the first value of the next (1) or previous (-1) facet, wrapping around."""
        headings = [number for number, row in enumerate(self._rows) if isinstance(row, Facet)]
        here = max((n for n, at in enumerate(headings) if at <= (self.highlighted or 0)), default=0)
        self.highlighted = headings[(here + step) % len(headings)] + 1


def _facet(row: Choice | Facet) -> Facet:
    return row.facet if isinstance(row, Choice) else row
