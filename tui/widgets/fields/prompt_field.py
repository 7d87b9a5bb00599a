"""A field for any text: characters that would control the terminal are drawn as pictures, and kept in the text."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.widgets import TextArea
from typing_extensions import override

from tui.text.safe import visible
from tui.widgets.fields.quiet_input import run_bound_actions

# Hidden characters are replaced by stand-ins from Unicode's last plane, which is for private use. The stand-in of a
# character of the first plane has the same last 16 bits; tags, the only other hidden characters, take numbers of the
# first plane's own private area.
_PLANE = 0x100000
_TAGS, _FOR_TAGS = range(0xE0000, 0xE1000), 0xE000


class PromptField(TextArea):
    """Keeps every character that is not edited, and does not blink.

    A TextArea takes a control character for zero cells wide, so that its picture would shift the line, and turns seven
    other characters into line ends. So its document has a stand-in, one cell wide, for each hidden character.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, highlight_cursor_line=False)
        self.cursor_blink = False  # an idle screen writes nothing

    async def on_key(self, event: events.Key) -> None:
        """Take a key before TextArea does."""
        await run_bound_actions(self, event)

    @property
    def value(self) -> str:
        """The text itself, without stand-ins. Only "\\n" ends a line."""
        return _original(self.text)

    @value.setter
    def value(self, value: str) -> None:
        self.text = _with_stand_ins(value)

    @property
    @override
    def selected_text(self) -> str:
        return _original(super().selected_text)

    @override
    def get_line(self, line_index: int) -> Text:
        return Text(visible(_original(self.document.get_line(line_index))), end="", no_wrap=True)

    @override
    def edit(self, edit: Edit) -> EditResult:
        # Typed and pasted text comes through here. A terminal pastes line ends as returns.
        edit.text = _with_stand_ins(edit.text.replace("\r\n", "\n").replace("\r", "\n"))
        return super().edit(edit)


def _with_stand_ins(text: str) -> str:
    pairs = zip(text, visible(text), strict=True)
    return "".join(char if char == drawn else chr(_stand_in_of(ord(char))) for char, drawn in pairs)


def _stand_in_of(code: int) -> int:
    return _PLANE + (code - _TAGS.start + _FOR_TAGS if code in _TAGS else code)


def _original(text: str) -> str:
    return "".join(map(_original_of, text))


def _original_of(char: str) -> str:
    """The hidden character that a stand-in replaces; other characters stay as they are."""
    code = ord(char) - _PLANE
    if code < 0:
        return char
    hidden = chr(code - _FOR_TAGS + _TAGS.start if _FOR_TAGS <= code < _FOR_TAGS + len(_TAGS) else code)
    return char if visible(hidden) == hidden else hidden
