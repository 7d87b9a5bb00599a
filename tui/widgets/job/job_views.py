"""The lower half of the run screen: the two replies of the selected job, or one of the views that replace them."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from textual.widget import Widget
from textual.widgets import ContentSwitcher

from engine.records import Arm
from tui.process.runner import Runner
from tui.state.job import JobState
from tui.state.run import RunState
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.panes import Panes
from tui.widgets.job.prompt_view import PromptView
from tui.widgets.job.record_view import RecordView
from tui.widgets.job.token_flow import TokenFlow
from tui.widgets.job.token_view import TokenView
from tui.widgets.job.values_view import ValuesView

ViewName: TypeAlias = Literal["tokens", "prompt", "values", "record"]
_PANES = "replies"


class JobDetails(ContentSwitcher):
    """Only the visible view is drawn, and only when its content has changed."""

    def __init__(self, runner: Runner, *, id: str) -> None:
        views = (
            TokenView(id="tokens", classes="view"),
            PromptView(runner, id="prompt", classes="view"),
            ValuesView(id="values", classes="view"),
            RecordView(id="record", classes="view"),
        )
        super().__init__(Panes(id=_PANES), *views, id=id, initial=_PANES)
        self._job: tuple[RunState, JobState | None] | None = None
        self._focused_before: Widget | None = None  # when the view was opened

    @property
    def name_shown(self) -> ViewName | None:
        """The view in place of the panes, None while the panes are visible."""
        return next((name for name in get_args(ViewName) if name == self.current), None)

    @property
    def panes(self) -> Panes:
        """The two replies."""
        return self.query_one(Panes)

    @property
    def arm(self) -> Arm:
        """The selected arm: that of the token view, else that of the pane with the focus."""
        return self.query_one(TokenView).arm if self.current == "tokens" else self.panes.pane.arm

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the state of a job."""
        self._job = (state, job)
        self._shown.show_job(state, job)

    @property
    def _shown(self) -> Panes | TokenView | PromptView | ValuesView | RecordView:
        shown = self.visible_content
        assert isinstance(shown, Panes | TokenView | PromptView | ValuesView | RecordView)
        return shown

    def toggle(self, name: ViewName) -> None:
        """Open a view in place of the panes, or close it if it is open."""
        if self.current == name:
            self.close()
            return
        if self.current == _PANES:
            self._focused_before = self.screen.focused
        if name == "tokens":
            self.query_one(TokenView).arm = self.arm
        # The values are read at a glance while one walks through the jobs; the other views are scrolled, by keys.
        takes_keys = name != "values" or self.has_focus_within
        self._switch(name)
        if takes_keys:
            self._target.focus()

    def close(self) -> bool:
        """Show the panes again. Returns whether a view was open."""
        if self.current == _PANES:
            return False
        had_keys = self.has_focus_within
        self._switch(_PANES)
        if had_keys and self._focused_before is not None and self._focused_before.is_attached:
            self._focused_before.focus()
        return True

    def _switch(self, name: str) -> None:
        zoomed = self.screen.maximized is not None
        if zoomed:
            self.screen.minimize()
        self.current = name
        if self._job is not None:
            self._shown.show_job(*self._job)
        if zoomed:
            self.zoom()

    def zoom(self) -> None:
        """Maximize the visible pane or view, or restore it."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        else:
            target = self._target
            target.focus()  # so that its keys work, also once it is restored
            self.screen.maximize(self._zoomed)

    @property
    def _zoomed(self) -> Widget:
        shown = self._shown
        return shown.pane if isinstance(shown, Panes) else shown

    @property
    def _target(self) -> Widget:
        """The widget that takes the keys."""
        shown = self._zoomed
        if isinstance(shown, ArmPane):
            return shown.view
        return shown.query_one(TokenFlow) if isinstance(shown, TokenView) else shown
