"""A suite's prompts as the model really reads them: the engine renders them one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import work

from tui.widgets.views.text_view import TextView

if TYPE_CHECKING:
    from engine.protocol.events import PromptRendered
    from engine.suites.suite import Suite
    from tui.process.runner import Runner

REST_SECONDS = 0.15  # a selection that stays this long is wanted: others are passed over


class SentView(TextView):
    """Asks the engine once a selection is stable, and caches the answers by suite.

    runner: called when the engine is needed first, since most users never look at this page.
    """

    def __init__(self, runner: Callable[[], Runner], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runner = runner
        self._suite: Suite | None = None
        self._answers: dict[int, tuple[Suite, dict[str, PromptRendered]]] = {}  # by the suite's identity
        self._special = True

    def show_suite(self, suite: Suite) -> None:
        """Draw a suite's prompts, each as soon as it is rendered."""
        if suite is not self._suite:
            self._suite = suite
            self.scroll_to(y=0, animate=False)
        self._find(suite)

    def leave(self) -> None:
        """The view was hidden: ask the engine no more."""
        self._suite = None
        self.workers.cancel_group(self, "sent")

    def toggle_special(self) -> None:
        """Show or hide the special tokens."""
        self._special = not self._special
        if self._suite is not None:
            self._find(self._suite)

    def forget(self) -> None:
        """Drop the cached answers, since the suites were read again."""
        self._answers.clear()

    @work(exclusive=True, group="sent")
    async def _find(self, suite: Suite) -> None:
        """Draw what is rendered, and ask for the rest. An answer with an error is not cached."""
        from tui.pages.prompt import asked_of, sent_page

        _, answers = self._answers.setdefault(id(suite), (suite, {}))
        asked = await asyncio.to_thread(asked_of, suite)
        now = dict(answers)

        def draw() -> None:
            page = sent_page(suite, asked, now, self._special)
            self.show(page.text, page.spans)

        draw()
        if len(now) == len(asked):
            return
        await asyncio.sleep(REST_SECONDS)
        for name, question in asked.items():
            if name not in now:
                now[name] = await self._runner().render(question.command(f"{suite.name}/{name}"))
                if now[name].error is None:
                    answers[name] = now[name]
                draw()
