"""Every key of the interface, in one place: the screens bind them from here and the help lists them."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def rows(bindings: list[BindingType]) -> list[tuple[str, str]]:
    """Key and explanation of each binding, for the help."""
    return [(each.key_display or each.key, each.tooltip) for each in bindings if isinstance(each, Binding)]


def _key(
    keys: str, action: str, label: str, help_text: str, *, show: bool = False, display: str | None = None
) -> Binding:
    """A binding: `label` for the footer, `help_text` for the help screen."""
    return Binding(keys, action, label, show=show, key_display=display, tooltip=help_text)


APP: list[BindingType] = [
    _key("question_mark,f1", "help", "help", "this help", show=True, display="?"),
    _key("q,ctrl+q", "leave", "quit", "quit; asks first when a run or a search is on", show=True, display="q"),
    _key("ctrl+c", "leave", "quit", "quit; a second time stops the run at once", display="ctrl+c"),
]

BROWSE: list[BindingType] = [
    _key("r,enter", "run", "run", "run the chosen suite", show=True, display="r"),
    _key("1", "tab('prompts')", "prompts", "show the prompts as written", show=True, display="1"),
    _key("2", "tab('schema')", "schema", "show the JSON Schema", show=True, display="2"),
    _key("3", "tab('cases')", "cases", "show the cases", show=True, display="3"),
    _key("S", "search", "search", "search for the best plain prompt by composing techniques", show=True, display="S"),
    _key("f5", "reload", "reload", "read the suites again", display="F5"),
]

RUN: list[BindingType] = [
    _key("n", "broken(1)", "next broken", "go to the next broken case", show=True, display="n"),
    _key("N", "broken(-1)", "previous", "go to the previous broken case", display="N"),
    _key("space", "pause", "pause", "pause the run, or go on", show=True, display="space"),
    _key("c", "cancel", "cancel", "cancel the selected job; the run goes on without it", show=True, display="c"),
    _key("i", "remarks", "remarks", "show all remarks on the run", display="i"),
    _key("z", "zoom", "zoom", "give the pane the whole screen, or back", show=True, display="z"),
    _key("r", "again", "run again", "run the suite again when the run is over", display="r"),
    _key("escape", "back", "back", "back to the suites; asks first when a run is on", show=True, display="esc"),
]

SEARCH: list[BindingType] = [
    _key("space", "pause", "pause", "pause the search, or go on", show=True, display="space"),
    _key("w", "write", "write", "write the winner's [[prompt]] block to a file", show=True, display="w"),
    _key("c", "copy", "copy", "copy the block to the terminal's clipboard", show=True, display="c"),
    _key("i", "remarks", "remarks", "show all remarks on the search", display="i"),
    _key("r", "again", "search again", "search again when the search is over", display="r"),
    _key("escape", "back", "back", "back to the suites; asks first when a search is on", show=True, display="esc"),
]

MOVE: list[BindingType] = [
    _key("up,k", "up", "up", "one line up", display="up k"),
    _key("down,j", "down", "down", "one line down", display="down j"),
    _key("pageup,ctrl+u", "page_up", "page up", "one page up", display="pgup ^u"),
    _key("pagedown,ctrl+d", "page_down", "page down", "one page down", display="pgdn ^d"),
    _key("home,g", "first", "first", "to the beginning", display="home g"),
    _key("end,G", "last", "last", "to the end; a streaming pane follows again", display="end G"),
]

PANES = [("tab", "to the next pane"), ("shift+tab", "to the previous pane")]
