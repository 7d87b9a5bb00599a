"""The help: every key, and what the marks and words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import BindingType

from tui import keymap, keys
from tui.screens.text import TextScreen
from tui.settings import settings_file
from tui.text.page import Page
from tui.text.safe import visible
from tui.themes import NAMES
from tui.widgets.views.text_view import BREAK_GLYPH, FORK_GLYPH

_MARKS = [
    ("--", "waiting"),
    ("..", "running"),
    (".!", "still running, but nothing that follows can make it right"),
    ("ok", "nothing is wrong with the reply"),
    ("!!", "broken: the class says how, the marked text where"),
    ("xx", "the reply could not be decoded"),
    ("~~", "cancelled: taken out of the run, counted nowhere"),
    (FORK_GLYPH, "the fork: up to here both arms said the same"),
    (BREAK_GLYPH, "something is missing here"),
]
_WORDS = [
    ("free", "the reply to the prompt alone"),
    ("constrained", "the same prompt, but the grammar of the schema masks the tokens"),
    ("strict", "the whole reply is one JSON value"),
    ("schema", "the value satisfies the JSON Schema"),
    ("right", "the value equals what the case expects"),
    ("kept", "in a search: the prompt is in the better half of its round"),
    ("held out", "in a search: cases that no prompt is chosen by, for the winner's figure"),
]
_SETTINGS = f"""\
theme = "{NAMES[0]}"       # or {", ".join(NAMES[1:])}
keep_running = true  # a run continues when the connection drops; you may leave one running
[keys]               # other keys, by the names below; several with commas
run.next_broken = "n,f9"
"""


class HelpScreen(TextScreen):
    """remapped: the user's keys, by the names of tui.keys. bound: the bindings of the screen it was opened on."""

    BINDINGS = keys.HELP

    def __init__(self, remapped: Mapping[str, str], bound: Sequence[BindingType]) -> None:
        super().__init__("Help", help_page(remapped, bound))


def help_page(remapped: Mapping[str, str], bound: Sequence[BindingType]) -> Page:
    """The text of the help, made from the table of keys; first the keys of the screen it was opened on."""
    page = Page()
    for title, bindings in sorted(keymap.SECTIONS.items(), key=lambda section: section[1][0] not in bound):
        page.heading(title)
        _add_rows(page, keymap.rows(bindings, remapped))
    for title, rows in (("Panes", keys.PANES), ("Marks", _MARKS), ("Words", _WORDS)):
        page.heading(title)
        _add_rows(page, rows)
    page.heading("Settings")
    page.add(f"In {visible(str(settings_file()))}\n\n", "text--label").add(_SETTINGS).add("\n")
    page.add("Names of the keys:\n", "text--label")
    for bindings in keymap.SECTIONS.values():
        for name in keymap.named(bindings):
            page.add(f"  {name}\n")
    return page


def _add_rows(page: Page, rows: list[tuple[str, str]]) -> None:
    for key, words in rows:
        page.add(f"  {key:<12}", "text--label").add(f" {words}\n")
    page.add("\n")
