"""The names of a suite's parts on one line, with the visible one marked."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static


class TabLine(Static):
    """A line such as " 1 prompts  [2 schema]  3 cases ". The keys belong to the screen; a click does the same."""

    @dataclass
    class Selected(Message):
        """A part was clicked."""

        name: str

    ALLOW_SELECT = False

    def __init__(self, names: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._names = names

    def show(self, chosen: str) -> None:
        """Draw the line with one name marked, by brackets so that it is not marked by colour alone."""
        parts: list[str | tuple[str, str]] = []
        for number, name in enumerate(self._names, 1):
            words = f"{number} {name}"
            parts.append((f"[{words}]", "bold $text-primary") if name == chosen else f" {words} ")
            parts.append(" ")
        self.update(Content.assemble(*parts))

    def on_click(self, event: Click) -> None:
        """Select the part clicked."""
        left = 0
        for number, name in enumerate(self._names, 1):
            left += len(f" {number} {name}  ")
            if event.x < left:
                self.post_message(self.Selected(name))
                return
