"""The list of runs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets.option_list import Option

from engine.runs.listing import ListedRun
from tui.pages.run_list import Columns, header, row
from tui.widgets.lists.moving_list import MovingList

_FRAME = 3  # cells of a line that are not text: one of padding each side, the scroll bar


class RunList(MovingList):
    """A list with a header in its border. The cursor stays on its run when the list is filled again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runs: list[ListedRun] = []
        self._baseline: str | None = None

    @property
    def chosen(self) -> ListedRun | None:
        """The run under the cursor."""
        number = self.highlighted
        return self._runs[number] if number is not None and number < len(self._runs) else None

    def show(self, runs: Sequence[ListedRun], baseline: str | None) -> None:
        """Fill the list. baseline: the name of its folder."""
        chosen = self.chosen
        self._runs, self._baseline = list(runs), baseline
        folders = [run.folder for run in self._runs]
        self._draw()
        if folders:
            self.highlighted = folders.index(chosen.folder) if chosen and chosen.folder in folders else 0

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self._draw()

    def _draw(self) -> None:
        columns = Columns.fitting(self.size.width - _FRAME, self._runs)
        at = self.highlighted
        self.border_title = Content(header(columns))
        self.set_options([Option(Content(row(run, columns, run.folder.name == self._baseline))) for run in self._runs])
        if at is not None and at < len(self._runs):
            self.highlighted = at
