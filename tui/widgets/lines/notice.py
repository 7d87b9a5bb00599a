"""What concerns the run as a whole: that the model loads, that the run is finished, that it failed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from engine.protocol.events import Loading
from tui.state.run import RunState
from tui.state.task import EngineTask, Phase
from tui.text.safe import one_line, visible
from tui.widgets.lines.status_line import clock


class Notice(Static):
    """Hidden while there is nothing to say."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._content = Content("")
        self.display = False

    def show(self, state: RunState, elapsed: float) -> None:
        """Draw the notice for a state."""
        content = _format_notice(state, elapsed)
        if content != self._content:
            self._content = content
            self.update(content)
            self.display = bool(content.plain)
        self.set_class(state.phase is Phase.FAILED, "-failed")


def _format_notice(state: RunState, elapsed: float) -> Content:
    if state.phase is Phase.FAILED:
        return format_failure(state)
    if state.phase in (Phase.FINISHED, Phase.STOPPED):
        return _format_end(state)
    if not state.jobs:
        return format_loading(state, elapsed)
    if state.started is not None and state.started.constrained_error:
        return Content.assemble(
            ("xx no constrained arm: ", "bold $text-warning"), one_line(state.started.constrained_error)
        )
    return Content("")


def format_loading(work: EngineTask, elapsed: float) -> Content:
    """The step of loading, with its progress."""
    step = "starting the engine" if work.loading is None else one_line(work.loading.step)
    if work.phase is Phase.STOPPING:
        step = "stopping"
    lines: list[str | tuple[str, str]] = [("Getting ready\n\n", "bold"), f".. {step}  {clock(elapsed)}\n"]
    if work.loading is not None and work.loading.done is not None:
        lines.append(f"   {_amount(work.loading)}\n")
    lines.append(("\nThe first run loads the model; it stays loaded for the next ones.", "$text-muted"))
    return Content.assemble(*lines)


def _amount(loading: Loading) -> str:
    """The amount done of a step, with a bar if the total is known."""
    assert loading.done is not None
    if not loading.total:
        return f"{_number(loading.done, loading.unit)}"
    filled = min(20, 20 * loading.done // loading.total)
    bar = "#" * filled + "." * (20 - filled)
    return f"[{bar}] {_number(loading.done, loading.unit)} of {_number(loading.total, loading.unit)}"


def _number(value: int, unit: str) -> str:
    if unit in ("B", "bytes"):
        return f"{value / 1e6:.1f} MB"
    return f"{value} {unit}".rstrip()


def _format_end(state: RunState) -> Content:
    done, total = state.done, state.total
    if not state.jobs:
        return Content.assemble(("-- stopped ", "bold"), "before the first job")
    word = "ok finished" if state.phase is Phase.FINISHED else "-- stopped"
    where = Content(f"  saved in {one_line(str(state.folder))}") if state.folder else Content("")
    cancelled = f", {state.cancelled} cancelled" if state.cancelled else ""
    took = f"  {clock(state.seconds)}" if state.seconds is not None else ""
    return Content.assemble((word, "bold"), f"  {done} of {total} jobs{cancelled}{took}", where)


def format_failure(work: EngineTask) -> Content:
    """Why a task failed, and what can be done."""
    lines: list[str | tuple[str, str]] = [("xx failed  ", "bold $text-error"), visible(work.failure or "")]
    if work.folder is not None:
        lines.append(f"\nWhat was finished is saved in {one_line(str(work.folder))}")
    if work.log:
        lines.append(("\nThe end of the engine's log:\n", "bold"))
        lines.append("\n".join(one_line(line) for line in work.log))
    resumable = isinstance(work, RunState) and work.resumable
    what = "resumes the run" if resumable else f"starts the {work.label} again"
    lines.append((f"\n\nr {what}, escape goes back.", "$text-muted"))
    return Content.assemble(*lines)
