"""The progress of a search on two lines: stage and jobs, then the subject and the time."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from tui.pages.search import format_stage
from tui.state.search import SearchState
from tui.text.safe import one_line, shorten
from tui.widgets.lines.status_line import both_ends, format_phase


class SearchStatus(Static):
    """Redrawn only when its text changes."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._drawn = ""

    def show(self, state: SearchState, elapsed: float) -> None:
        """Draw the state; `elapsed` is the time since the search was requested, in seconds."""
        width = self.size.width
        lines = [
            _line(_stage(state), _progress(state), width),
            _line(_subject(state), format_phase(state, elapsed), width),
        ]
        text = "\n".join(lines)
        if text != self._drawn:
            self._drawn = text
            self.update(Content(text))


def _line(left: str, right: str, width: int) -> str:
    return both_ends(shorten(left, max(1, width - cell_len(right) - 2)), right, width)


def _stage(state: SearchState) -> str:
    if state.started is None:
        return "search"
    if state.found is not None:
        return "ok the winner has been judged on cases that it was not chosen on"
    return format_stage(state.board, len(state.started.rounds), state.started.candidates)


def _progress(state: SearchState) -> str:
    if state.finished is not None:
        return f"{state.finished.done} jobs"
    if state.progress is None:
        return ""
    return f"{state.progress.done}/{state.progress.total} jobs  {state.progress.tokens_per_second:.0f} tok/s"


def _subject(state: SearchState) -> str:
    if state.started is None:
        return one_line(state.suite.stem)
    return one_line(f"{state.started.suite}  {state.started.model}  baseline: {state.started.yardstick}")
