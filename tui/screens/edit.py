"""The editor for a prompt, and what the edited one is tried on."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import ComposeResult, SuspendNotSupported
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static, TextArea

from engine.errors import BadInputError
from tui import keys
from tui.text import one_line
from tui.trials import Scope

_TEXTS = ("system", "user")


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
        self._unread: str | None = None  # what was written in $EDITOR and cannot be read yet

    def compose(self) -> ComposeResult:
        """From top to bottom: the texts, what it is tried on, what is wrong."""
        with Vertical(id="edit") as box:
            box.border_title = Content(f"{one_line(self._original)}, edited: {one_line(self._table['name'])}")
            box.border_subtitle = "F5 try it, F3 on what, F4 $EDITOR, esc close"
            yield Label("system message (empty: none)", markup=False)
            yield TextArea(id="system", compact=True, highlight_cursor_line=False)
            yield Label("user message; {input} is the input, {schema} the schema, {keys} its keys", markup=False)
            yield TextArea(id="user", compact=True, highlight_cursor_line=False)
            yield Label("prefill: how the reply begins (empty: nothing)", markup=False)
            yield Input(id="prefill", compact=True, select_on_focus=False)
            yield Static(id="scope", markup=False)
            yield Static(id="fault", markup=False)

    def on_mount(self) -> None:
        """Fill in the texts."""
        self._fill()
        self._show_scope()

    def _fill(self) -> None:
        for name in _TEXTS:
            self.query_one(f"#{name}", TextArea).text = self._table.get(name) or ""
        self.query_one("#prefill", Input).value = self._table.get("prefill") or ""

    def _read(self) -> dict[str, Any]:
        """The prompt as it stands in the fields. An empty system message or prefill is none."""
        texts = {name: self.query_one(f"#{name}", TextArea).text for name in _TEXTS}
        texts["prefill"] = self.query_one("#prefill", Input).value
        table = {**self._table, **texts}
        return {key: value for key, value in table.items() if value != "" or key not in ("system", "prefill")}

    def _show_scope(self) -> None:
        parts: list[str | tuple[str, str]] = ["try it on  "]
        for scope in Scope:
            words = f"{scope.value} {self._counts[scope]}"
            parts += [(f"[{words}]", "bold $text-primary") if scope is self._scope else f" {words} ", " "]
        self.query_one("#scope", Static).update(Content.assemble(*parts))

    def _show_fault(self, sentence: str) -> None:
        self.query_one("#fault", Static).update(Content.styled(one_line(sentence), "bold $text-error"))

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
        from engine.suite_editing import as_toml

        command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "prompt.toml"
            file.write_text(self._unread or as_toml(self._read()), encoding="utf-8")
            try:
                with self.app.suspend():
                    subprocess.run([*command, str(file)], check=True)
                text = file.read_text(encoding="utf-8")
            except (OSError, ValueError, subprocess.CalledProcessError, SuspendNotSupported) as error:
                self._show_fault(f"{command[0]} could not edit it: {error}")
                return
        self.app.refresh(layout=True)
        self._take(text)

    def _take(self, text: str) -> None:
        """The table as it was written. Its name stays: it is how the trial is told from the prompt it came of."""
        import tomli

        try:
            (table,) = tomli.loads(text)["prompt"]
            if not all(isinstance(table.get(name, ""), str) for name in (*_TEXTS, "prefill")):
                raise ValueError("system, user and prefill are texts")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._unread = text
            said = str(error) if isinstance(error, ValueError) and str(error) else "there must be one [[prompt]]"
            self._show_fault(f"What was written is not one [[prompt]] table: {said}. F4 shows it again.")
            return
        self._unread = None
        self._table = {**table, "name": self._table["name"]}
        self._show_fault("")
        self._fill()
