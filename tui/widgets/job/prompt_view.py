"""The exact prompt of a job, as rendered by the chat template."""

from __future__ import annotations

import asyncio

from textual import work
from textual.cache import LRUCache
from textual.content import Content

from tui.pages.prompt import asked_by, messages_page, other_model, rendered_page
from tui.process.runner import Runner
from tui.state.job import JobState, job_name
from tui.state.run import RunState
from tui.text.page import Page
from tui.widgets.views.text_view import JobText

REST_SECONDS = 0.15  # a selection that stays this long is wanted: others are passed over


class PromptView(JobText):
    """Asks the engine once a selection is stable, and caches the answers."""

    ALLOW_MAXIMIZE = True

    def __init__(self, runner: Runner, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._runner = runner
        self._shown: tuple[RunState, JobState, bool] | None = None
        self._pages: LRUCache[tuple[object, ...], Page] = LRUCache(64)

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the prompt of a job, as soon as it is rendered."""
        if job is None:
            return
        now = (state, job, job.record is not None)
        if self._shown is not None and all(one is other for one, other in zip(now, self._shown, strict=True)):
            return
        if self._shown is None or job is not self._shown[1]:
            self.scroll_to(y=0, animate=False)
        self._shown = now
        self.border_title = Content(f"PROMPT  {job_name(job.info)}")
        page = self._pages.get(_key(state, job))
        if page is not None:
            self.workers.cancel_group(self, "prompt")
            self.show(page.text, page.spans)
        else:
            self.show("Asking the engine how the model reads this prompt ...")
            self._find(state, job)

    @work(exclusive=True, group="prompt")
    async def _find(self, state: RunState, job: JobState) -> None:
        await asyncio.sleep(REST_SECONDS)
        page, cacheable = await self._page(state, job)
        if cacheable:
            self._pages[_key(state, job)] = page
        self.show(page.text, page.spans)

    async def _page(self, state: RunState, job: JobState) -> tuple[Page, bool]:
        """The page, and whether it can be cached."""
        from engine.errors import BadInputError

        try:
            asked = await asyncio.to_thread(asked_by, state, job)
        except (BadInputError, OSError) as error:
            return Page().add(f"The suite can no longer be read: {error}"), False
        if asked is None:
            return Page().add("The prompt is shown when the job is finished: the suite's file does not have it."), False
        rendered = await self._runner.render(asked.command(job.info.id))
        why = rendered.error or other_model(asked, rendered.model)
        if why is not None:
            return messages_page(asked, why), rendered.error is None
        return rendered_page(asked, rendered), True


def _key(state: RunState, job: JobState) -> tuple[object, ...]:
    return id(state), job.info.id, job.record is not None
