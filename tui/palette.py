"""The command palette: the actions of all active keys, found by what they do or by their labels, and the themes."""

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
from typing_extensions import override

from tui import keys
from tui.themes import NAMES

_KEY_CELLS = 12


@dataclass(frozen=True, slots=True)
class _Command:
    label: str
    """What the footer calls it; empty for a theme."""
    description: str
    key: str
    run: IgnoreReturnCallbackType

    @property
    def line(self) -> Content:
        return Content.assemble((f"{self.key:<{_KEY_CELLS}} ", "dim"), self.description)


class Palette(CommandPalette, inherit_bindings=False):
    """Finds what KeyCommands offers. Its keys are Textual's own, listed with all others."""

    BINDINGS = keys.PALETTE

    def __init__(self) -> None:
        super().__init__([KeyCommands], placeholder="Search for a command", id="--command-palette")

    def on_mount(self) -> None:
        """Stop the cursor from blinking: an idle screen writes nothing."""
        self.query_one(Input).cursor_blink = False


class KeyCommands(Provider):
    """The actions of the keys on the screen under the palette, and of its focused widget."""

    @override
    async def discover(self) -> Hits:
        for each in _commands(self.app, self.screen):
            yield DiscoveryHit(each.line, each.run, each.description)

    @override
    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for each in _commands(self.app, self.screen):
            if score := matcher.match(f"{each.description} {each.label}"):
                yield Hit(score, each.line, each.run, each.description)


def _commands(app: App[Any], screen: Screen[Any]) -> Iterator[_Command]:
    """First the screen's, then the app's, the themes, and what moves in the focused view."""
    active = [each for each in screen.active_bindings.values() if each.enabled and each.binding.tooltip]
    active.sort(key=lambda each: 0 if each.node is screen else 1 if each.node is app else 2)
    for moves in (False, True):
        seen = set()
        for node, binding, _, _ in active:
            if (node not in (screen, app)) is moves and binding.action not in seen:
                seen.add(binding.action)
                run = partial(app.run_action, binding.action, node)
                yield _Command(binding.description, binding.tooltip, app.get_key_display(binding), run)
        if not moves:
            for name in NAMES:
                yield _Command("", f"switch to the theme {name}", "", partial(setattr, app, "theme", name))
