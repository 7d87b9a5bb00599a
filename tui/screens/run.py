"""The screen of one run, live or read from disk, and what can be tried on its jobs."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.timer import Timer
from typing_extensions import override

from engine.errors import BadInputError
from engine.protocol.commands import StartTrial, TrialInput
from engine.runs.listing import ListedRun
from tui import keys
from tui.messages import CompareRequested, JobSelected, RunRequested
from tui.process.runner import Runner
from tui.reports import write_findings
from tui.screens.edit import Edited, EditScreen
from tui.screens.jobs import JobScreen
from tui.screens.rerun import Draw, RerunScreen
from tui.state.counterpart import comparable_pair, describe_pair
from tui.state.job import JobState
from tui.state.run import RunState
from tui.state.task import Phase
from tui.state.trials import Scope, TrialState, inputs_for, next_name, next_repeat, prompt_table, trial_prompts
from tui.text.safe import one_line
from tui.widgets.lines.notice import Notice
from tui.widgets.lines.trial_line import TrialLine
from tui.widgets.lists.job_list import JobList

REST_SECONDS = 0.3  # for which the cursor must stay on a job before the engine prefers it


class RunScreen(JobScreen):
    """The jobs of one run. Trials run on the same engine, one at a time, and their jobs join the list."""

    BINDINGS = keys.RUN

    def __init__(self, runner: Runner, state: RunState) -> None:
        super().__init__(runner, state)
        self._rest: Timer | None = None
        self._offered: RunState | None = None  # the run for which a comparison was suggested
        self._trials: list[TrialState] = []
        self._drafts: dict[str, dict[str, Any]] = {}  # unsaved [[prompt]] tables, by the prompt they were edited from

    @override
    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield widget
            if isinstance(widget, Notice):
                yield TrialLine(id="trial")

    @override
    def draw(self, elapsed: float) -> None:
        super().draw(elapsed)
        state = self.state
        job = self.selected if state.jobs else None
        self.query_one(TrialLine).show(state, job.info.prompt if job is not None else None, self.trial)
        if state is self.runner.state and state.phase is Phase.FINISHED and state is not self._offered:
            self._offered = state
            self._suggest_comparison(state)

    @property
    def trial(self) -> TrialState | None:
        """The last trial that was started here on this run."""
        return next((trial for trial in reversed(self._trials) if trial.run is self.state), None)

    @property
    def trial_running(self) -> bool:
        """Whether a trial is in progress."""
        return self.trial is not None and not self.trial.over

    @on(JobSelected)
    def _restart_rest(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_SECONDS, self._prefer_selected)

    async def _prefer_selected(self) -> None:
        """Have a waiting job decoded next once the cursor rests on it, as the user is looking at it."""
        job = self.selected
        if job is not None and not job.started and not job.over:
            await self.runner.prefer(job.info.id)

    def action_broken(self, step: int) -> None:
        """To the next (1) or previous (-1) job whose free reply is broken."""
        if not self.select_next(step, lambda job: job.broken):
            self.inform("No free reply is broken.")

    def action_follow(self) -> None:
        """Follow the newest job, or stay with the selected one."""
        jobs = self.query_one(JobList)
        if self.state.over or self.state.newest is None:
            self.inform("There is no newest job to follow: none is being decoded.")
        else:
            jobs.follow(not jobs.following)

    async def action_pause(self) -> None:
        """Pause the run or its trial, or resume it."""
        work = self.trial if self.trial is not None and self.trial_running else self.state
        if work.phase is Phase.RUNNING:
            await self.runner.pause(not work.paused)
        else:
            self.inform("There is nothing to pause.")

    async def action_cancel(self) -> None:
        """Take the selected job out of the run. Nothing is asked: it can be run again."""
        job = self.selected
        if job is None or job.over or not self.runner.busy:
            self.inform("There is nothing to cancel: this job is over.")
        else:
            await self.runner.cancel(job.info.id)

    @work(thread=True, exclusive=True, group="report")
    def action_report(self) -> None:
        """Write the report of the run next to its folder."""
        folder = self.state.folder
        if folder is None:
            self.app.call_from_thread(self.inform, "There is no run to report on.")
        else:
            self.write_report("report", lambda: write_findings(folder))

    def action_again(self) -> None:
        """Resume a run of which jobs are missing; else run the suite again, without the excluded cases."""
        state = self.state
        if not state.over or self.runner.busy:
            self.inform("Something is still running.")
        else:
            folder = state.folder if state.resumable else None
            self.app.post_message(RunRequested(state.suite, folder, frozenset(state.excluded), state.adapter))

    @work(thread=True, exclusive=True, group="beside")
    def action_beside(self) -> None:
        """Compare the run with that of the base model, or of another adapter."""
        found = _comparable(self.state)
        if found is None:
            sentence = "There is no finished run of this suite on this model with another adapter, or with none."
            self.app.call_from_thread(self.inform, sentence)
        else:
            self.app.post_message(CompareRequested(*(run.folder for run in found)))

    @work(thread=True, exclusive=True, group="beside")
    def _suggest_comparison(self, state: RunState) -> None:
        """When a run with adapters has ended: say that it can be compared, where it can."""
        if (found := _comparable(state)) is not None:
            self.app.call_from_thread(self.inform, f"b shows {one_line(describe_pair(*found))} side by side.")

    async def action_edit(self) -> None:
        """Edit the selected job's prompt and try it."""
        state, job = self.state, self._job_to_try()
        if job is None:
            return
        prompt = job.info.prompt
        try:
            table = await asyncio.to_thread(prompt_table, state, prompt, self._trials)
        except BadInputError as error:
            self.inform(str(error), "warning")
            return
        names = {each.info.prompt for each in state.jobs}
        named = {**self._drafts.get(prompt, table), "name": next_name(prompt, names)}
        inputs = {scope: inputs_for(scope, prompt, state, self.view.numbers) for scope in Scope}
        counts = {scope: len(found) for scope, found in inputs.items()}

        def check(edited: Any) -> None:
            from engine.suites.suite import add_prompt, load_suite

            add_prompt(load_suite(state.suite), edited)

        async def apply(edited: Edited | None) -> None:
            if edited is None:
                return
            self._drafts[prompt] = edited.table
            if edited.run:
                await self._start_trial(state, edited.table, inputs[edited.scope])

        self.app.push_screen(EditScreen(prompt, named, counts, check), apply)

    async def action_save_prompt(self) -> None:
        """Save the selected edited prompt, else the last, into the suite's file."""
        state, job = self.state, self.selected
        edited = trial_prompts(state)
        if not edited:
            self.inform("There is no edited prompt to save: e edits one.")
            return
        name = job.info.prompt if job is not None and job.info.prompt in edited else edited[-1]

        def save() -> None:
            from engine.suites.editing import save_prompt

            save_prompt(state.suite, prompt_table(state, name, self._trials))

        try:
            await asyncio.to_thread(save)
        except BadInputError as error:
            self.inform(str(error), "warning")
        else:
            self.inform(f"Saved as {one_line(name)} in {one_line(str(state.suite))}.")

    async def action_rerun(self) -> None:
        """Run the selected job once more, with another seed or temperature."""
        state, job = self.state, self._job_to_try()
        if job is None:
            return
        try:
            temperature, saved = await asyncio.to_thread(_temperature_and_prompts, state)
            name = job.info.prompt
            prompt = name if name in saved else await asyncio.to_thread(prompt_table, state, name, self._trials)
        except BadInputError as error:
            self.inform(str(error), "warning")
            return
        each = TrialInput(job.info.case, job.info.variation, job.info.repeat)

        async def apply(draw: Draw | None) -> None:
            if draw is not None:
                options = {"seed": draw.seed, "temperature": draw.temperature, "repeat": next_repeat(job, state)}
                await self._start_trial(state, prompt, (each,), **options)

        self.app.push_screen(RerunScreen(job.info.id, temperature), apply)

    def action_tune(self) -> None:
        """Train an adapter on the run."""
        from tui.screens.tune import TuneScreen

        if self.runner.busy:
            self.inform("Something is running: wait for it, or stop it first.", "warning")
        elif self.state.folder is None or not self.state.over:
            self.inform("There is no finished run to tune on.", "warning")
        else:
            self.app.push_screen(TuneScreen(self.runner, self.state.folder))

    def action_exclude(self) -> None:
        """Leave the selected job's case out of all counts, or count it again."""
        job = self.selected
        if job is None:
            return
        case = job.info.case
        if self.state.exclude(case):
            self.inform(f"{case} is no longer counted, and later runs leave it out; x counts it again.")
        else:
            self.inform(f"{case} counts again.")

    async def _start_trial(
        self, state: RunState, prompt: dict[str, Any] | str, inputs: tuple[TrialInput, ...], **options: Any
    ) -> None:
        assert state.folder is not None
        decoding = self.runner.decoding
        command = StartTrial(
            state.suite,
            state.folder,
            prompt,
            inputs,
            batch=decoding.batch,
            grammar=decoding.grammar,
            adapter=state.adapter,
            **options,
        )
        self._trials.append(await self.runner.start_trial(command, state))

    def _job_to_try(self) -> JobState | None:
        """The selected job, where something can be tried; else the user is told why not."""
        job = self.selected
        if self.runner.busy:
            self.inform("Something is running: wait for it, or stop it first.", "warning")
        elif job is None or self.state.folder is None:
            self.inform("There is no job to try anything with.", "warning")
        else:
            return job
        return None


def _comparable(state: RunState) -> tuple[ListedRun, ListedRun] | None:
    """The run of the base model and that of an adapter, of which this run is one."""
    try:
        return comparable_pair(state.folder) if state.folder is not None else None
    except OSError:  # the list of runs says why
        return None


def _temperature_and_prompts(state: RunState) -> tuple[float, set[str]]:
    """The temperature of the suite, and the names of its prompts."""
    from engine.suites.suite import load_suite

    suite = load_suite(state.suite)
    return suite.generation.temperature, {prompt.name for prompt in suite.prompts}
