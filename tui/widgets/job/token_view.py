"""The token view: one arm's reply token by token, and a description of the token under the cursor."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from typing_extensions import override

from engine.records import ARMS, UNKNOWN_ID, Arm, Fork
from tui import keys
from tui.pages.tokens import Choice, Token, choices_at, describe_token, exact_percent, quoted, tokens_of
from tui.state.job import JobState, job_name
from tui.state.manifest_facts import PromptFacts, facts_for
from tui.state.run import RunState
from tui.text.wrap import wrap
from tui.widgets.job.record_view import unfinished
from tui.widgets.job.token_flow import TokenFlow
from tui.widgets.views.line_view import Line, LineView

_TOKEN_CELLS = 14
_OLD = "An older version made this run: it did not keep"
_SERVER = "The server did not report"  # or only probabilities under the grammar, which are not comparable
_NO_TOKENS = "The server did not report the tokens of this reply."


class TokenView(Vertical):
    """Shows one arm at a time; the fork, if there is one, is marked in both."""

    ALLOW_MAXIMIZE = True
    BINDINGS = keys.TOKENS

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.arm: Arm = "free"
        self._state: RunState | None = None
        self._job: JobState | None = None
        self._tokens: list[Token] = []
        self._drawn: tuple[object, ...] = ()

    @override
    def compose(self) -> ComposeResult:
        yield TokenFlow()
        panel = LineView(id="token")
        panel.can_focus = False
        yield panel

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the tokens of a job, if it is finished."""
        now = (self.arm, job is not None and job.record is not None, job is not None and job.cancelled, state.labels)
        if job is self._job and now == self._drawn:
            return
        self._state, self._job, self._drawn = state, job, now
        reply = job.reply(self.arm) if job is not None else None
        if job is None or reply is None:
            self._tokens = []
        else:
            prompts = facts_for(state, job).prompts
            self._tokens = tokens_of(reply, prompts.get(job.info.prompt, PromptFacts()).prefill)
        self.query_one(TokenFlow).show(self._tokens, self._fork.token if self._fork else None, self._initial_cursor())
        self._show_title()
        self._show_token()

    def show_arm(self, arm: Arm) -> None:
        """Show the reply of an arm."""
        self.arm = arm
        if self._state is not None:
            self.show_job(self._state, self._job)

    def action_other_arm(self) -> None:
        """Show the other arm."""
        self.show_arm("constrained" if self.arm == "free" else "free")

    def action_step(self, tokens: int) -> None:
        """Move the cursor by tokens."""
        flow = self.query_one(TokenFlow)
        flow.move(flow.cursor + tokens)

    def action_fork(self) -> None:
        """Move the cursor to the fork."""
        if self._fork is not None and self._fork.token is not None:
            self.query_one(TokenFlow).move(self._fork.token)

    def action_panel(self, lines: int) -> None:
        """Scroll the description of the token."""
        view = self.query_one("#token", LineView)
        view.scroll_to(y=view.scroll_offset.y + lines, animate=False)

    @property
    def _fork(self) -> Fork | None:
        """The fork; a comparison of two runs has none."""
        compared = self._state is not None and self._state.labels != ARMS
        return self._job.fork if self._job is not None and self._job.record is not None and not compared else None

    def _initial_cursor(self) -> int:
        """The first position of the cursor: the fork, else where the reply breaks, else its beginning."""
        if self._fork is not None and self._fork.token is not None:
            return min(self._fork.token, max(0, len(self._tokens) - 1))
        reply = self._job.reply(self.arm) if self._job is not None else None
        where = reply.verdict.where if reply is not None and reply.verdict is not None else None
        if where is None or reply is None or not reply.ends:
            return 0
        return next(
            (number for number, end in enumerate(reply.ends) if end > where.start), max(0, len(self._tokens) - 1)
        )

    def _show_title(self) -> None:
        if self._job is None or self._state is None:
            return
        parts: list[str | tuple[str, str]] = ["TOKENS  "]
        for arm, label in zip(ARMS, self._state.labels, strict=True):
            words = f"{label} {self._job.tokens(arm)}"
            parts += [(f"[{words}]", "bold $text-primary") if arm == self.arm else f" {words} ", " "]
        self.border_title = Content.assemble(*parts, f" tab: the other   {job_name(self._job.info)}")

    @on(TokenFlow.Moved)
    def _show_token(self) -> None:
        """Describe the token under the cursor."""
        view = self.query_one("#token", LineView)
        view.scroll_to(y=0, animate=False)
        view.show_lines(list(self._lines(max(20, view.line_cells))))

    def on_resize(self) -> None:
        """Wrap the description to the new width."""
        self.call_after_refresh(self._show_token)

    def _lines(self, width: int) -> Iterator[Line]:
        job = self._job
        if job is None:
            return
        if job.record is None:
            yield from _folded(unfinished(job, "The tokens are shown"), width)
            return
        if not self._tokens:
            error = job.record.reply(self.arm).error
            words = f"The reply has no tokens{f': {error}' if error else '.'}"
            yield from _folded(words if error or not job.record.reply(self.arm).text else _NO_TOKENS, width)
            return
        number = self.query_one(TokenFlow).cursor
        for sentence in describe_token(self._tokens, number, self._fork):
            yield from _folded(sentence, width)
        lacking = [] if self._tokens[0].known else ["texts (these are ids)"]
        lacking += [] if self._tokens[0].p is not None else ["probabilities"]
        if lacking:
            why = _SERVER if self._tokens[0].id == UNKNOWN_ID or self._tokens[0].known else _OLD
            yield from _folded(f"{why} the {' and the '.join(lacking)} of tokens.", width, "text--label")
        if self._fork is not None and self._fork.token == number:
            yield from _choices(choices_at(self._fork))


def _choices(choices: list[Choice]) -> Iterator[Line]:
    """The candidates at the fork as a table."""
    yield [(f"{'p':>8}  {'token':<{_TOKEN_CELLS}}  {'id':>7}  {'grammar':<7}  taken by", "text--label")]
    for choice in choices:
        each = choice.candidate
        words = {True: "allowed", False: "removed", None: "not known"}[choice.allowed]
        style = {True: "text--ok", False: "text--differs", None: None}[choice.allowed]
        token = quoted(each.token, _TOKEN_CELLS - 2)
        yield [
            (f"{exact_percent(each.p) if each.p is not None else '?':>8}  ", None),
            (token + " " * (_TOKEN_CELLS - cell_len(token)), "text--heading" if choice.taken else None),
            (f"  {each.id if each.id != UNKNOWN_ID else '?':>7}  ", None),
            (f"{words:<9}", style),
            (choice.taken or "", None),
        ]


def _folded(sentence: str, width: int, style: str | None = None) -> Iterator[Line]:
    for left, right in wrap(sentence, width):
        yield [(sentence[left:right], style)]
