"""A field for a text that may hold anything: what would steer the terminal is drawn as a picture, and stays in it."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.widgets import TextArea

from tui.text.safe import visible
from tui.widgets.fields.quiet_input import run_bound_actions

# Where the stand-ins of hidden characters begin: Unicode's last plane, for private use, whose first 0xffff characters
# stand for those of the first plane. Tags, the only others that are hidden, take the place of the first private area.
_PLANE = 0x100000
_TAGS, _FOR_TAGS = range(0xE0000, 0xE1000), 0xE000


class PromptField(TextArea):
    """Keeps every character that nobody edits, and does not blink.

    A TextArea measures a control as no cell, so that its picture would shift the line, and takes seven characters for
    ends of lines, which it makes one. Hence a hidden character is there as another, which is one cell wide.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, highlight_cursor_line=False)
        self.cursor_blink = False  # an idle screen writes nothing

    async def on_key(self, event: events.Key) -> None:
        """Take a key before TextArea does."""
        await run_bound_actions(self, event)

    @property
    def value(self) -> str:
        """The text. Only "\\n" ends a line."""
        return _own(self.text)

    @value.setter
    def value(self, value: str) -> None:
        self.text = _stand_in(value)

    @property
    def selected_text(self) -> str:
        """What is copied."""
        return _own(super().selected_text)

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn."""
        return Text(visible(_own(self.document.get_line(line_index))), end="", no_wrap=True)

    def edit(self, edit: Edit) -> EditResult:
        """Take what is typed or pasted; a terminal pastes ends of lines as returns."""
        edit.text = _stand_in(edit.text.replace("\r\n", "\n").replace("\r", "\n"))
        return super().edit(edit)


def _stand_in(text: str) -> str:
    pairs = zip(text, visible(text), strict=True)
    return "".join(char if char == drawn else chr(_place_of(ord(char))) for char, drawn in pairs)


def _place_of(code: int) -> int:
    return _PLANE + (code - _TAGS.start + _FOR_TAGS if code in _TAGS else code)


def _own(text: str) -> str:
    return "".join(map(_character, text))


def _character(char: str) -> str:
    """What a character stands for, if it does."""
    code = ord(char) - _PLANE
    if code < 0:
        return char
    hidden = chr(code - _FOR_TAGS + _TAGS.start if _FOR_TAGS <= code < _FOR_TAGS + len(_TAGS) else code)
    return char if visible(hidden) == hidden else hidden
