"""The line above a list of suites or runs, in which a text to find is typed."""

from __future__ import annotations

from typing_extensions import override

from tui.widgets.lines.entry_line import EntryLine


class FindLine(EntryLine):
    """Hidden until it is asked for, and again once it is closed without a text."""

    @property
    def text(self) -> str:
        """The text to find; empty for none."""
        return self.field.value

    def edit(self) -> None:
        """Let the user type."""
        self.display = True
        self.field.focus()

    def clear(self) -> None:
        """Clear the text and close."""
        self.field.value = ""
        self.close()

    @override
    def close(self) -> None:
        self.display = bool(self.text)
        self.post_message(self.Closed())

    @override
    def _apply(self, text: str) -> None:
        self.post_message(self.Changed())
