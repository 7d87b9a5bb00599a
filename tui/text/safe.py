"""Makes hostile text safe to draw: what would control the terminal becomes a picture, one character for one character.

Offsets into the text stay valid, so that a span the judge found in a reply marks the same characters on the screen.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

SUBSTITUTE = "\u2426"  # ␦, for controls that have no picture of their own
REPLACEMENT = "\ufffd"

# C0 except tab and newline, DEL, C1, and characters that are invisible or change the direction of what follows:
# soft hyphen, zero-width and bidi controls, line separators, the BOM, interlinear marks, lone surrogates, tags.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text with every control, bidi and invisible character as a visible picture.

    Newline and tab stay; every other character is replaced by exactly one, so len(visible(t)) == len(t).
    """
    return _HIDDEN.sub(lambda match: _picture(match[0]), text)


def one_line(text: str) -> str:
    """Like `visible`, with newline and tab as pictures too: for text on a single row."""
    return visible(text).replace("\n", "\u2424").replace("\t", "\u2409")


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return REPLACEMENT
    return SUBSTITUTE


def shorten(text: str, cells: int) -> str:
    """The text cut to a number of cells, with "…" if anything was cut off."""
    # Measuring all of a huge text takes long. Beyond 4 characters a cell only zero-width ones could still fit.
    text = text[: 4 * cells + 4]
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(cells - 1, 0)).rstrip() + "…"


def fit(text: str, cells: int) -> str:
    """The text on one line of exactly `cells` cells: made safe, cut or padded."""
    # Cut first as in `shorten`: making all of a huge text safe takes long, too.
    return set_cell_size(shorten(one_line(text[: 4 * cells + 4]), cells), cells)
