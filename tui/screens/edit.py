"""The editor of a prompt, and the choice of jobs to try the edited one on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static
from typing_extensions import override

from engine.errors import BadInputError
from tui import keys
from tui.state.trials import Scope
from tui.text.safe import one_line, visible
from tui.widgets.fields.prompt_field import PromptField

_FIELDS = ("system", "user", "prefill")


@dataclass(frozen=True, slots=True)
class Edited:
    """The result of the editor."""

    table: dict[str, Any]
    """The [[prompt]] table."""

    scope: Scope
    """What to try it on."""

    run: bool
    """Whether to try it; else it is kept as a draft."""


class EditScreen(ModalScreen[Edited]):
    """Edits system message, user message and prefill; the prompt's other keys stay, and can be edited in $EDITOR.

    table: the prompt under its new name. counts: how many inputs each scope has. check: raises BadInputError if the
    suite cannot have such a prompt; called in a thread.
    """

    BINDINGS = keys.EDIT
    AUTO_FOCUS = "#user"

    def __init__(
        self,
        original: str,
        table: Mapping[str, Any],
        counts: Mapping[Scope, int],
        check: Callable[[Mapping[str, Any]], object],
    ) -> None:
        super().__init__()
        self._original, self._table, self._counts, self._check = original, dict(table), counts, check
        self._scope = next((scope for scope in Scope if counts[scope]), Scope.ALL)
        self._unread: bytes | None = None  # what $EDITOR left, if it is not a prompt

    @override
    def compose(self) -> ComposeResult:
        with Vertical(id="edit") as box:
            box.border_title = Content(f"{one_line(self._original)}, edited: {one_line(self._table['name'])}")
            box.border_subtitle = "F5 try it, F3 on what, F4 $EDITOR, esc close"
            yield Label(id="system-label", markup=False)
            yield PromptField(id="system")
            yield Label("user message; {input} is the input, {schema} the schema, {keys} its keys", markup=False)
            yield PromptField(id="user")
            yield Label("prefill: how the reply begins (empty: nothing)", markup=False)
            yield PromptField(id="prefill")
            yield Static(id="scope", markup=False)
            yield Static(id="error", markup=False)

    def on_mount(self) -> None:
        """Fill in the texts."""
        self._fill()
        self._show_scope()

    def _fill(self) -> None:
        for name in _FIELDS:
            self.query_one(f"#{name}", PromptField).value = self._table.get(name) or ""
        empty = "an empty one is sent" if self._table.get("system") == "" else "none"
        self.query_one("#system-label", Label).update(Content(f"system message (empty: {empty})"))

    def _read(self) -> dict[str, Any]:
        """The prompt in the fields. A text that was emptied is left out, except the user message."""
        table = dict(self._table)
        for name in _FIELDS:
            text = self.query_one(f"#{name}", PromptField).value
            if text == (table.get(name) or ""):
                continue
            table[name] = text
            if not text and name != "user":
                del table[name]
        return table

    def _show_scope(self) -> None:
        parts: list[str | tuple[str, str]] = ["try it on  "]
        for scope in Scope:
            words = f"{scope.value} {self._counts[scope]}"
            parts += [(f"[{words}]", "bold $text-primary") if scope is self._scope else f" {words} ", " "]
        self.query_one("#scope", Static).update(Content.assemble(*parts))

    def _show_error(self, sentence: str) -> None:
        self.query_one("#error", Static).update(Content.styled(visible(sentence), "bold $text-error"))

    def action_next_scope(self) -> None:
        """Switch to the next scope."""
        scopes = list(Scope)
        self._scope = scopes[(scopes.index(self._scope) + 1) % len(scopes)]
        self._show_scope()

    async def action_run(self) -> None:
        """Try it, if a suite can have such a prompt."""
        table = self._read()
        if not self._counts[self._scope]:
            self._show_error(f"There is nothing to try it on: no jobs for {self._scope.value}. F3 switches to others.")
            return
        try:
            await asyncio.to_thread(self._check, table)
        except BadInputError as error:
            self._show_error(str(error))
            return
        self.dismiss(Edited(table, self._scope, run=True))

    def action_close(self) -> None:
        """Close the editor; the text is kept as a draft."""
        self.dismiss(Edited(self._read(), self._scope, run=False))

    def action_editor(self) -> None:
        """Edit the whole [[prompt]] table in $VISUAL or $EDITOR."""
        self.run_worker(self._edit_externally(), group="editor", exclusive=True)  # the run continues meanwhile

    async def _edit_externally(self) -> None:
        from engine.suites.editing import as_toml
        from tui.terminal.editor import edit_externally

        try:
            written = self._unread or as_toml(self._read()).encode()
            self._apply(await edit_externally(self.app, written, "prompt.toml"))
        except BadInputError as error:
            self._show_error(str(error))

    def _apply(self, written: bytes) -> None:
        """Take the table as it was written. Its name stays: it distinguishes the trial from the original prompt."""
        self._unread = written
        try:
            table = _only_prompt(written)
        except ValueError as error:
            self._show_error(f"What was written is not one [[prompt]] table: {error}. F4 shows it again.")
            return
        self._unread = None
        name = self._table["name"]
        changed = table.get("name") != name
        self._table = {**table, "name": name}
        self._show_error(f"The name stays {name}: a trial is named after its prompt." if changed else "")
        self._fill()


def _only_prompt(written: bytes) -> dict[str, Any]:
    """The only table in a file. Raises ValueError with a reason that ends without a full stop."""
    import tomli

    try:
        data = tomli.loads(written.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    prompts = data.get("prompt")
    if len(data) != 1 or not isinstance(prompts, list) or len(prompts) != 1 or not isinstance(prompts[0], dict):
        raise ValueError("there must be one, and nothing else")
    table: dict[str, Any] = prompts[0]
    if wrong := [name for name in _FIELDS if not isinstance(table.get(name, ""), str)]:
        raise ValueError(f"{wrong[0]} must be a text in quotes")
    return table
