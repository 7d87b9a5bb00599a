"""The search screen: the leaderboard during the search, then the winner and its prompt to paste."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from typing_extensions import override

from tui import keys
from tui.messages import SearchRequested
from tui.pages.search import search_page
from tui.process.runner import Runner
from tui.screens.dialogs import Answer, ConfirmScreen
from tui.screens.text import RemarksScreen
from tui.state.search import SearchState
from tui.state.task import Phase
from tui.terminal.clipboard import copy
from tui.terminal.driver import is_lagging
from tui.text.safe import one_line
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lines.notice import format_failure, format_loading
from tui.widgets.lines.search_status import SearchStatus
from tui.widgets.views.text_view import TextView

FLUSH_SECONDS = 0.1
_FRAME = 4  # cells of a line that the view needs: padding, scroll bar, the column of marks


class SearchScreen(Screen[None]):
    """Draws the runner's search ten times a second, if it changed."""

    BINDINGS = keys.SEARCH
    AUTO_FOCUS = "#found"

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._drawn: tuple[object, ...] = ()
        self._at_the_end: SearchState | None = None

    @override
    def compose(self) -> ComposeResult:
        yield SearchStatus(id="status")
        yield Static(id="notice", markup=False)
        yield TextView(id="found")
        yield KeyLine()

    def on_mount(self) -> None:
        """Start drawing."""
        self.set_interval(FLUSH_SECONDS, self.flush)

    def on_screen_resume(self) -> None:
        """Draw at once when the screen comes to the front."""
        self._redraw()

    def on_resize(self) -> None:
        """The width has changed, and with it what fits."""
        self._redraw()

    def _redraw(self) -> None:
        self._drawn = ()
        self.call_after_refresh(self.flush)

    def flush(self) -> None:
        """Draw what changed since the last time. An idle screen writes nothing."""
        state = self._runner.search
        if state is None or not self.is_current or is_lagging(self.app):
            return
        elapsed = time.monotonic() - state.since
        now = (state, state.revision, int(elapsed) if state.folder is None and not state.over else 0)
        if now == self._drawn:
            return
        self._drawn = now
        self.query_one(SearchStatus).show(state, elapsed)
        self._show_notice(state, elapsed)
        view = self.query_one("#found", TextView)
        page = search_page(state.board, state.found, self.size.width - _FRAME)
        view.show(page.text, page.spans)
        if state.found is not None and self._at_the_end is not state:
            self._at_the_end = state
            view.scroll_to(y=0, animate=False)

    def _show_notice(self, state: SearchState, elapsed: float) -> None:
        notice = self.query_one("#notice", Static)
        content = _notice(state, elapsed)
        notice.update(content)
        notice.display = bool(content.plain)
        notice.set_class(state.phase is Phase.FAILED, "-failed")

    async def action_pause(self) -> None:
        """Pause the search, or resume it."""
        state = self._runner.search
        if state is None or state.phase is not Phase.RUNNING:
            self.notify("There is nothing to pause.", markup=False)
            return
        await self._runner.pause(not state.paused)

    def action_write(self) -> None:
        """Write the winner's block to a file next to the search's folder."""
        state = self._runner.search
        if state is None or state.found is None or state.folder is None:
            self.notify("There is no winner yet.", markup=False)
            return
        path = state.folder.with_name(f"{state.folder.name}.toml")
        try:
            path.write_bytes(state.found.block.encode())
        except OSError as error:
            self.notify(f"{one_line(str(path))} cannot be written: {error.strerror}.", severity="error", markup=False)
            return
        self.notify(f"Written to {one_line(str(path))}", markup=False)

    async def action_copy(self) -> None:
        """Copy the winner's block to the terminal's clipboard."""
        state = self._runner.search
        if state is None or state.found is None:
            self.notify("There is no winner yet.", markup=False)
            return
        self.notify(one_line(await copy(self.app, state.found.block, "prompt.toml")), markup=False)

    def action_remarks(self) -> None:
        """Show all remarks on the search."""
        state = self._runner.search
        if state is None or not state.remarks:
            self.notify("There are no remarks on this search.", markup=False)
            return
        self.app.push_screen(RemarksScreen(state.remarks))

    def action_again(self) -> None:
        """Search again."""
        state = self._runner.search
        if state is None or not state.over:
            self.notify("The search is still in progress.", markup=False)
            return
        self.app.post_message(SearchRequested(state.suite))

    def action_back(self) -> None:
        """Back to the suites, asking first while the search is in progress."""
        if not self._runner.busy:
            self.dismiss()
            return
        question = "A search is in progress. Stop it and go back? What is finished stays on disk."
        self.app.push_screen(ConfirmScreen(question, "Stop and go back"), self._leave)

    async def _leave(self, answer: Answer | None) -> None:
        if answer == "stop":
            await self._runner.stop()
            self.dismiss()


def _notice(state: SearchState, elapsed: float) -> Content:
    if state.phase is Phase.FAILED:
        return format_failure(state)
    if not state.over and state.started is None:
        return format_loading(state, elapsed)
    where = f"  saved in {one_line(str(state.folder))}" if state.folder else ""
    if state.phase is Phase.STOPPED:
        why = "no prompt was judged on held-out cases"
        return Content.assemble(("-- stopped  ", "bold"), f"{why}{where}")
    if state.phase is Phase.FINISHED:
        return Content.assemble(("ok finished", "bold"), where)
    return Content("")
