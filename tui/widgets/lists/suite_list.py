"""The list of suites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets.option_list import Option

from tui.pages.last_results import format_last_result
from tui.text.safe import one_line, shorten
from tui.widgets.lists.moving_list import MovingList

if TYPE_CHECKING:
    from engine.runs.listing import ListedRun
    from tui.state.suites import SuiteFile

_FRAME = 1  # a cell of the content is the scroll bar's


class SuiteList(MovingList):
    """Three lines for each suite. The cursor stays on its suite when the list is filled again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._files: list[SuiteFile] = []
        self._last: Mapping[str, ListedRun] | None = None

    @property
    def chosen(self) -> SuiteFile | None:
        """The suite under the cursor."""
        number = self.highlighted
        return self._files[number] if number is not None and number < len(self._files) else None

    def show(self, files: Sequence[SuiteFile]) -> None:
        """Fill the list."""
        chosen = self.chosen
        self._files = list(files)
        paths = [file.path for file in self._files]
        self._draw(paths.index(chosen.path) if chosen is not None and chosen.path in paths else 0)

    def show_results(self, last: Mapping[str, ListedRun]) -> None:
        """Show the results of the last runs. last: by the suites' names."""
        self._last = last
        self._draw(self.highlighted)

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self._draw(self.highlighted)

    def _draw(self, at: int | None) -> None:
        cells = self.content_region.width - _FRAME
        self.set_options([Option(_entry(file, self._last, cells)) for file in self._files])
        if at is not None and at < len(self._files):
            self.highlighted = at


def _entry(file: SuiteFile, last: Mapping[str, ListedRun] | None, cells: int) -> Content:
    """A suite in the list: its name, its size, and its last result once it is known; or that it does not load."""
    if file.suite is None:
        return Content.assemble(shorten(one_line(file.path.name), cells), "\n", ("!! does not load", "$text-error"))
    size = f"{len(file.suite.prompts)} x {len(file.suite.cases)} cases"
    result = "" if last is None else format_last_result(last.get(file.suite.name), cells)
    name = shorten(one_line(file.suite.name), cells)
    return Content.assemble(name, "\n", (f"{size}\n{result}", "dim"))
