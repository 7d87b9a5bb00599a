"""The command palette: everything that a key does now, found by its words, and the themes by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen
from textual.types import IgnoreReturnCallbackType
from textual.widgets import Input

from tui import keys
from tui.themes import NAMES

_KEY_CELLS = 12


@dataclass(frozen=True, slots=True)
class _Command:
    words: str
    key: str
    run: IgnoreReturnCallbackType

    @property
    def line(self) -> Content:
        return Content.assemble((f"{self.key:<{_KEY_CELLS}} ", "dim"), self.words)


class Palette(CommandPalette, inherit_bindings=False):
    """Finds what KeyCommands offers. Its keys are Textual's own, listed with all others."""

    BINDINGS = keys.PALETTE

    def __init__(self) -> None:
        super().__init__([KeyCommands], placeholder="What is to be done?", id="--command-palette")

    def on_mount(self) -> None:
        """A cursor that blinks would write to the terminal for ever."""
        self.query_one(Input).cursor_blink = False


class KeyCommands(Provider):
    """What the keys of the screen under the palette do, and of what has the focus there."""

    async def discover(self) -> Hits:
        """All of it: first what is the screen's."""
        for each in _commands(self.app, self.screen):
            yield DiscoveryHit(each.line, each.run, each.words)

    async def search(self, query: str) -> Hits:
        """What has the text in its words, or nearly so."""
        matcher = self.matcher(query)
        for each in _commands(self.app, self.screen):
            if score := matcher.match(each.words):
                yield Hit(score, each.line, each.run, each.words)


def _commands(app: App[Any], screen: Screen[Any]) -> Iterator[_Command]:
    """The screen's, the app's, the themes, then what moves in the view that has the focus."""
    active = [each for each in screen.active_bindings.values() if each.enabled and each.binding.tooltip]
    active.sort(key=lambda each: 0 if each.node is screen else 1 if each.node is app else 2)
    for moves in (False, True):
        seen = set()
        for node, binding, _, _ in active:
            if (node not in (screen, app)) is moves and binding.action not in seen:
                seen.add(binding.action)
                run = partial(app.run_action, binding.action, node)
                yield _Command(binding.tooltip, app.get_key_display(binding), run)
        if not moves:
            for name in NAMES:
                yield _Command(f"take the theme {name}", "", partial(setattr, app, "theme", name))
