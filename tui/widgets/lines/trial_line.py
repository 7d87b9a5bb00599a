"""The result of a trial: its progress, then what it fixed and broke, compared with the prompt it was edited from."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from engine.reports.figures import format_difference
from engine.statistics import Paired, newcombe_interval
from tui.state import intervals
from tui.state.run import RunState
from tui.state.task import Phase
from tui.state.trials import TrialState, original_of, paired_results, trial_prompts
from tui.text.safe import one_line
from tui.widgets.lines.status_line import clock


class TrialLine(Static):
    """Hidden while there is no trial."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._content = Content("")
        self._counted: tuple[object, ...] = ()
        self._paired = Paired()
        self.display = False

    def show(self, state: RunState, prompt: str | None, trial: TrialState | None) -> None:
        """Draw the trial of the selected job's prompt, else the last one. trial: the last one started here."""
        prompts = trial_prompts(state)
        name = prompt if prompt in prompts else (prompts[-1] if prompts else None)
        lines = [] if trial is None else _describe_trial(trial)
        if name is not None:
            lines += self._comparison(state, name)
        content = Content("\n").join(lines)
        if content != self._content:
            self._content = content
            self.update(content)
        self.display = bool(lines)

    def _comparison(self, state: RunState, name: str) -> list[Content]:
        """The prompt and its original on the inputs that both have answered. Counted only when a job has ended."""
        counted = (state, name, state.done, state.ended_trials, len(state.excluded), len(state.jobs))
        if counted != self._counted:
            self._counted, self._paired = counted, paired_results(state, name)
        paired = self._paired
        if not paired.n:
            return []
        words = (
            f"{paired.only_second} fixed, {paired.only_first} newly broken, {paired.both + paired.neither} unchanged"
        )
        if paired.neither and not paired.both:
            words += " (all broken)"
        title = (f"{one_line(name)} after {one_line(original_of(name))}: ", "bold")
        lines = [Content.assemble(title, words)]
        if intervals.ready():
            lines.append(Content(_format_difference(paired)))
        return lines


def _format_difference(paired: Paired) -> str:
    """`ok 0/7, then 4/7: +57.1 points (−6.6 to +88.9), no difference shown`."""
    before, after = (paired.both + only for only in (paired.only_first, paired.only_second))
    low, high = newcombe_interval(paired)
    words = f"ok {before}/{paired.n}, then {after}/{paired.n}: {format_difference(paired.difference, (low, high))}"
    return f"{words}, no difference shown" if low <= 0 <= high else words


def _describe_trial(trial: TrialState) -> list[Content]:
    lines = format_trial_progress(trial)
    if trial.other_model is not None:
        words = f"  the trial runs on {one_line(trial.other_model)}, the run did on another model"
        lines.append(Content.assemble(("note", "bold"), words))
    return lines


def format_trial_progress(trial: TrialState) -> list[Content]:
    """The progress of a trial, or why it failed. Empty once it has finished."""
    prompt = trial.command.prompt
    name = prompt if isinstance(prompt, str) else prompt["name"]
    what = "rerun of a job under" if trial.command.repeat is not None else "trial of"
    if trial.phase is Phase.FAILED:
        return [Content.assemble(("xx trial failed  ", "bold $text-error"), one_line(trial.failure or ""))]
    if trial.phase is Phase.FINISHED:
        return []
    word = "paused" if trial.paused and trial.phase is Phase.RUNNING else trial.phase.value
    seconds = f"  {clock(trial.progress.seconds)}" if trial.progress is not None else ""
    return [
        Content.assemble(
            (f"{what} {one_line(name)}: ", "bold"), f"{trial.finished}/{trial.planned} jobs  {word}{seconds}"
        )
    ]
