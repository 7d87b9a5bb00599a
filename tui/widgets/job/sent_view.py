"""A suite's prompts as the model really reads them: the engine is asked, prompt by prompt."""

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

REST_SECONDS = 0.15  # after which a selection is no longer on its way


class SentView(TextView):
    """Asks when a selection has come to rest, and remembers what the engine said of this very suite.

    runner: what has the engine; it is made when it is needed.
    """

    def __init__(self, runner: Callable[[], Runner], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runner = runner
        self._suite: Suite | None = None
        self._answers: dict[int, tuple[Suite, dict[str, PromptRendered]]] = {}  # by the suite's identity
        self._special = True

    def show_suite(self, suite: Suite) -> None:
        """Draw a suite's prompts, as soon as they are known."""
        if suite is not self._suite:
            self._suite = suite
            self.scroll_to(y=0, animate=False)
        self._find(suite)

    def leave(self) -> None:
        """Nobody looks any more: the engine is asked nothing more."""
        self._suite = None
        self.workers.cancel_group(self, "sent")

    def toggle_special(self) -> None:
        """Show the special tokens, or hide them."""
        self._special = not self._special
        if self._suite is not None:
            self._find(self._suite)

    def forget(self) -> None:
        """The suites were read again."""
        self._answers.clear()

    @work(exclusive=True, group="sent")
    async def _find(self, suite: Suite) -> None:
        """Draw what is known, and ask what is not. What could not be answered is asked again the next time."""
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
