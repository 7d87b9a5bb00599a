"""Every key, and what the marks mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui import keys
from tui.page import Page
from tui.widgets.text_view import BREAK_GLYPH, FORK_GLYPH, TextView

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


class HelpScreen(ModalScreen[None]):
    """Opened by `?`, closed by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "close", key_display="esc"),
        Binding("ctrl+c", "dismiss", "close", show=False),
    ]

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        view = TextView(id="help", classes="page")
        view.border_title = "Help"
        view.border_subtitle = "up/down scroll, esc closes"
        yield view

    def on_mount(self) -> None:
        """Fill in the text."""
        page = help_page()
        self.query_one(TextView).show(page.text, page.spans)


def help_page() -> Page:
    """The text of the help, made from the keys the screens bind."""
    page = Page()
    for title, bindings in (
        ("Suites", keys.BROWSE),
        ("A run", keys.RUN),
        ("The tokens of a reply", keys.TOKENS),
        ("While a text to find is typed", keys.FIND),
        ("The filter", keys.FILTER),
        ("The matrix", [*keys.MATRIX, *keys.SIDEWAYS]),
        ("Past runs", keys.RUNS),
        ("A run beside its baseline", keys.COMPARE),
        ("A search", keys.SEARCH),
        ("Moving in a list or a text", keys.MOVE),
        ("Everywhere", keys.APP),
    ):
        page.heading(title)
        _add_rows(page, keys.rows(bindings))
    page.heading("Panes")
    _add_rows(page, keys.PANES)
    page.heading("Marks")
    _add_rows(page, _MARKS)
    page.heading("Words")
    _add_rows(page, _WORDS)
    return page


def _add_rows(page: Page, rows: list[tuple[str, str]]) -> None:
    for key, words in rows:
        page.add(f"  {key:<12}", "text--label").add(f" {words}\n")
    page.add("\n")
