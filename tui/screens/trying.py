"""What can be tried beside a run: an edited prompt, one job again, a case less, an adapter."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.screen import Screen

from engine.errors import BadInputError
from engine.protocol.commands import StartTrial, TrialInput
from tui.process.runner import Runner
from tui.screens.edit import Edited, EditScreen
from tui.screens.rerun import Draw, RerunScreen
from tui.state.filtered_jobs import FilteredJobs
from tui.state.job import JobState
from tui.state.run import RunState
from tui.state.trials import Scope, TrialState, inputs_for, next_name, next_repeat, prompt_table, trial_prompts
from tui.text.safe import one_line


class TryingScreen(Screen[None]):
    """The keys for it, for the screen of a run."""

    runner: Runner

    def __init__(self) -> None:
        super().__init__()
        self._trials: list[TrialState] = []
        self._drafts: dict[str, dict[str, Any]] = {}

    @property
    def state(self) -> RunState | None:
        """The run shown."""
        raise NotImplementedError

    @property
    def view(self) -> FilteredJobs:
        """The jobs shown."""
        raise NotImplementedError

    @property
    def selected(self) -> JobState | None:
        """The job under the cursor."""
        raise NotImplementedError

    @property
    def trial(self) -> TrialState | None:
        """The last trial that was begun beside this run, here."""
        return next((trial for trial in reversed(self._trials) if trial.run is self.state), None)

    async def action_edit(self) -> None:
        """Edit the selected job's prompt and try it."""
        state, job = self._tryable()
        if state is None or job is None:
            return
        prompt = job.info.prompt
        try:
            table = await asyncio.to_thread(prompt_table, state, prompt, self._trials)
        except BadInputError as error:
            self._refuse(str(error))
            return
        names = {each.info.prompt for each in state.jobs}
        named = {**self._drafts.get(prompt, table), "name": next_name(prompt, names)}
        inputs = {scope: inputs_for(scope, prompt, state, self.view.numbers) for scope in Scope}
        counts = {scope: len(found) for scope, found in inputs.items()}

        def check(edited: Any) -> None:
            from engine.suites.suite import add_prompt, load_suite

            add_prompt(load_suite(state.suite), edited)

        async def take(edited: Edited | None) -> None:
            if edited is None:
                return
            self._drafts[prompt] = edited.table
            if edited.run:
                await self._begin(state, edited.table, inputs[edited.scope])

        self.app.push_screen(EditScreen(prompt, named, counts, check), take)

    async def action_save_prompt(self) -> None:
        """Save the selected edited prompt, else the last, into the suite's file."""
        state, job = self.state, self.selected
        edited = trial_prompts(state) if state is not None else []
        if state is None or not edited:
            self.notify("There is no edited prompt to save: e edits one.", markup=False)
            return
        name = job.info.prompt if job is not None and job.info.prompt in edited else edited[-1]

        def save() -> None:
            from engine.suites.editing import save_prompt

            save_prompt(state.suite, prompt_table(state, name, self._trials))

        try:
            await asyncio.to_thread(save)
        except BadInputError as error:
            self._refuse(str(error))
        else:
            self.notify(f"Saved as {one_line(name)} in {one_line(str(state.suite))}.", markup=False)

    async def action_rerun(self) -> None:
        """Run the selected job once more, with another seed or temperature."""
        state, job = self._tryable()
        if state is None or job is None:
            return
        try:
            temperature, saved = await asyncio.to_thread(_of_suite, state)
            name = job.info.prompt
            prompt = name if name in saved else await asyncio.to_thread(prompt_table, state, name, self._trials)
        except BadInputError as error:
            self._refuse(str(error))
            return
        each = TrialInput(job.info.case, job.info.variation, job.info.repeat)

        async def take(draw: Draw | None) -> None:
            if draw is not None:
                options = {"seed": draw.seed, "temperature": draw.temperature, "repeat": next_repeat(job, state)}
                await self._begin(state, prompt, (each,), **options)

        self.app.push_screen(RerunScreen(job.info.id, temperature), take)

    def action_tune(self) -> None:
        """Train an adapter on the run."""
        from tui.screens.tune import TuneScreen

        state = self.state
        if self.runner.busy:
            self._refuse("Something is running: wait for it, or stop it first.")
        elif state is None or state.folder is None or not state.over:
            self._refuse("There is no finished run to tune on.")
        else:
            self.app.push_screen(TuneScreen(self.runner, state.folder))

    def action_exclude(self) -> None:
        """Count the selected job's case no more, or again."""
        state, job = self.state, self.selected
        if state is None or job is None:
            return
        case = job.info.case
        if state.exclude(case):
            words = f"{one_line(case)} counts no more, and later runs leave it out; x brings it back."
        else:
            words = f"{one_line(case)} counts again."
        self.notify(words, markup=False)

    async def _begin(
        self, state: RunState, prompt: dict[str, Any] | str, inputs: tuple[TrialInput, ...], **options: Any
    ) -> None:
        assert state.folder is not None
        order = StartTrial(
            state.suite,
            state.folder,
            prompt,
            inputs,
            batch=self.runner.decoding.batch,
            grammar=self.runner.decoding.grammar,
            adapter=state.adapter,
            **options,
        )
        self._trials.append(await self.runner.start_trial(order, state))

    def _tryable(self) -> tuple[RunState | None, JobState | None]:
        """The run and the selected job, where something can be tried; else the user is told why not."""
        state, job = self.state, self.selected
        if self.runner.busy:
            self._refuse("Something is running: wait for it, or stop it first.")
        elif state is None or job is None or state.folder is None:
            self._refuse("There is no job to try anything with.")
        else:
            return state, job
        return None, None

    def _refuse(self, sentence: str) -> None:
        self.notify(one_line(sentence), severity="warning", markup=False)


def _of_suite(state: RunState) -> tuple[float, set[str]]:
    """The temperature of the suite, and the names of its prompts."""
    from engine.suites.suite import load_suite

    suite = load_suite(state.suite)
    return suite.generation.temperature, {prompt.name for prompt in suite.prompts}
