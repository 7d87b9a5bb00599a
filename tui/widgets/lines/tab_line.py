"""Names the parts of a suite on one line, the shown one marked."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.widgets import Static


class TabLine(Static):
    """One line such as " 1 prompts  [2 schema]  3 cases "; the keys are the screen's, a click does the same."""

    ALLOW_SELECT = False

    def __init__(self, names: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._names = names

    def show(self, chosen: str) -> None:
        """Draw the line with one name marked, by brackets and not by colour alone."""
        parts: list[str | tuple[str, str]] = []
        for number, name in enumerate(self._names, 1):
            words = f"{number} {name}"
            parts.append((f"[{words}]", "bold $text-primary") if name == chosen else f" {words} ")
            parts.append(" ")
        self.update(Content.assemble(*parts))

    def on_click(self, event: Click) -> None:
        """Show the part clicked."""
        left = 0
        for number, name in enumerate(self._names, 1):
            left += len(f" {number} {name}  ")
            if event.x < left:
                self.screen.action_tab(name)  # type: ignore[attr-defined]
                return
