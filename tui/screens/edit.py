"""The editor for a prompt, and what the edited one is tried on."""

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

from engine.errors import BadInputError
from tui import keys
from tui.state.trials import Scope
from tui.text.safe import one_line, visible
from tui.widgets.fields.prompt_field import PromptField

_FIELDS = ("system", "user", "prefill")


@dataclass(frozen=True, slots=True)
class Edited:
    """What the user leaves the editor with. run: whether it is to be tried; else it is kept for the next time."""

    table: dict[str, Any]
    scope: Scope
    run: bool


class EditScreen(ModalScreen[Edited]):
    """Shows system message, user message and prefill; the prompt's other keys stay, and are there in $EDITOR.

    table: the prompt under its new name. counts: how many inputs each scope has. check: raises BadInputError where the
    suite could not have such a prompt; called in a thread.
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
        self._unread: bytes | None = None  # what was written in $EDITOR and cannot be read yet

    def compose(self) -> ComposeResult:
        """From top to bottom: the texts, what it is tried on, what is wrong."""
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
            yield Static(id="fault", markup=False)

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
        """The prompt as it stands in the fields. One that was emptied is not there, but for the user message."""
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

    def _show_fault(self, sentence: str) -> None:
        self.query_one("#fault", Static).update(Content.styled(visible(sentence), "bold $text-error"))

    def action_next_scope(self) -> None:
        """Try it on something else."""
        scopes = list(Scope)
        self._scope = scopes[(scopes.index(self._scope) + 1) % len(scopes)]
        self._show_scope()

    async def action_run(self) -> None:
        """Try it, if a suite could have such a prompt."""
        table = self._read()
        if not self._counts[self._scope]:
            self._show_fault(f"There is nothing to try it on: {self._scope.value} are none. F3 takes others.")
            return
        try:
            await asyncio.to_thread(self._check, table)
        except BadInputError as error:
            self._show_fault(str(error))
            return
        self.dismiss(Edited(table, self._scope, run=True))

    def action_close(self) -> None:
        """Close the editor. The text is there again the next time."""
        self.dismiss(Edited(self._read(), self._scope, run=False))

    def action_editor(self) -> None:
        """Edit the whole [[prompt]] table in $VISUAL or $EDITOR."""
        self.run_worker(self._edit_outside(), group="editor", exclusive=True)  # the run goes on beside it

    async def _edit_outside(self) -> None:
        from engine.suites.editing import as_toml
        from tui.terminal.editor import edit_externally

        try:
            written = self._unread or as_toml(self._read()).encode()
            self._take(await edit_externally(self.app, written, "prompt.toml"))
        except BadInputError as error:
            self._show_fault(str(error))

    def _take(self, written: bytes) -> None:
        """The table as it was written, under the name it has: a trial is told by it from the prompt it came of."""
        self._unread = written
        try:
            table = _only_prompt(written)
        except ValueError as error:
            self._show_fault(f"What was written is not one [[prompt]] table: {error}. F4 shows it again.")
            return
        self._unread = None
        name = self._table["name"]
        changed = table.get("name") != name
        self._table = {**table, "name": name}
        self._show_fault(f"The name stays {name}: a trial is called after its prompt." if changed else "")
        self._fill()


def _only_prompt(written: bytes) -> dict[str, Any]:
    """The table in a file that has no other. Raises ValueError with a reason that ends without a full stop."""
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
