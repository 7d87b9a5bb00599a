"""Every key of the interface, in one table: the screens bind them from here and the help lists them."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def _key(
    name: str, keys: str, action: str, label: str, help_text: str, *, show: bool = False, display: str | None = None
) -> Binding:
    """A binding: `name` in the user's key map, `label` for the footer, `help_text` for the help and the palette."""
    return Binding(keys, action, label, show=show, key_display=display, tooltip=help_text, id=name)


APP: list[BindingType] = [
    _key("help", "question_mark,f1", "help", "help", "this help", show=True, display="?"),
    _key("quit", "q,ctrl+q", "leave", "quit", "quit; asks first while something runs", show=True, display="q"),
    _key("interrupt", "ctrl+c", "leave", "quit", "quit; a second time stops the run at once", display="ctrl+c"),
    _key("theme", "f2", "next_theme", "theme", "the next theme: dark, light, high contrast, ansi", display="F2"),
    _key("palette", "ctrl+p", "command_palette", "palette", "find an action by its description", display="ctrl+p"),
    _key("suspend", "ctrl+z", "suspend_process", "suspend", "suspend the program; fg resumes it", display="ctrl+z"),
]

BROWSE: list[BindingType] = [
    _key("browse.run", "r,enter", "run", "run", "run the chosen suite", show=True, display="r"),
    _key("browse.runs", "o", "runs", "past runs", "list the runs: open, follow, compare", show=True, display="o"),
    _key("browse.prompts", "1", "tab('prompts')", "prompts", "show the prompts as written", display="1"),
    _key("browse.schema", "2", "tab('schema')", "schema", "show the JSON Schema", display="2"),
    _key("browse.cases", "3", "tab('cases')", "cases", "show the cases and the variations", display="3"),
    _key("browse.sent", "4", "tab('as sent')", "as sent", "show the prompts as the model reads them", display="4"),
    _key("browse.special", "t", "special", "tokens", "show or hide the special tokens of a prompt", display="t"),
    _key("browse.filter", "slash", "filter", "filter", "filter the suites by text", show=True, display="/"),
    _key("browse.search", "S", "search", "search", "search for the best plain prompt", show=True, display="S"),
    _key("browse.adapter", "a", "adapter", "adapter", "run with the next adapter, or the base", show=True, display="a"),
    _key("browse.reload", "f5", "reload", "reload", "read the suites again", display="F5"),
    _key("browse.back", "escape", "back", "clear", "show all suites again", display="esc"),
]

_STEPS: list[BindingType] = [
    _key("run.next_broken", "n", "broken(1)", "next broken", "to the next broken free reply", show=True, display="n"),
    _key("run.previous_broken", "N", "broken(-1)", "previous", "to the previous broken free reply", display="N"),
    _key("run.next_alike", "right_square_bracket", "alike(1)", "alike", "to the next of the same class", display="]"),
    _key("run.previous_alike", "left_square_bracket", "alike(-1)", "alike", "to the previous alike", display="["),
    _key("run.search", "slash", "search_text", "find", "find jobs by text", show=True, display="/"),
    _key("run.filter", "F", "filter", "filter", "filter by outcome, class, tag, prompt or variation", display="F"),
]
_VIEWS: list[BindingType] = [
    _key("run.tokens", "t", "show('tokens')", "tokens", "tokens and probabilities, or back", show=True, display="t"),
    _key("run.prompt", "p", "show('prompt')", "prompt", "the exact prompt, or back", display="p"),
    _key("run.values", "v", "show('values')", "values", "the values next to the expected ones, or back", display="v"),
    _key("run.record", "j", "show('record')", "record", "the record as JSON, or back", display="j"),
    _key("run.matrix", "m", "matrix", "matrix", "prompts by variations, tags or classes", show=True, display="m"),
]
_COPIES: list[BindingType] = [
    _key("run.copy", "y", "copy('reply')", "copy", "copy the reply of the pane with the focus", display="y"),
    _key("run.copy_record", "Y", "copy('record')", "copy record", "copy the record as JSON", display="Y"),
    _key("run.report", "w", "report", "report", "write the report next to the run's folder", display="w"),
]
_LAST: list[BindingType] = [
    _key("run.remarks", "i", "remarks", "remarks", "show all remarks on the run", display="i"),
    _key("run.zoom", "z", "zoom", "zoom", "give the pane the whole screen, or back", display="z"),
    _key(
        "run.back",
        "escape",
        "back",
        "back",
        "a step back; asks first while something runs",
        show=True,
        display="esc",
    ),
]

RUN: list[BindingType] = [
    *_STEPS,
    _key("run.follow", "f", "follow", "follow", "follow the newest job, or stop following", display="f"),
    *_VIEWS,
    _key("run.edit", "e", "edit", "edit", "edit the prompt and try it on some of the jobs", show=True, display="e"),
    _key("run.save", "s", "save_prompt", "save", "save the edited prompt into the suite's file", display="s"),
    _key("run.rerun", "R", "rerun", "rerun", "run this job with another seed or temperature", display="R"),
    _key("run.exclude", "x", "exclude", "exclude", "leave this case out of all counts, or count it again", display="x"),
    *_COPIES,
    _key("run.tune", "T", "tune", "tune", "train a LoRA adapter on this run", display="T"),
    _key("run.pause", "space", "pause", "pause", "pause the run, or resume it", display="space"),
    _key("run.cancel", "c", "cancel", "cancel", "cancel the selected job; the run continues", display="c"),
    _key("run.beside", "b", "beside", "beside", "compare with the run of the base or another adapter", display="b"),
    _key("run.again", "r", "again", "run again", "run again; resume a run that was interrupted", display="r"),
    *_LAST,
]

COMPARE: list[BindingType] = [
    *_STEPS,
    *_VIEWS,
    _key("compare.arm", "a", "arm", "arm", "compare the replies of the other arm", show=True, display="a"),
    *_COPIES,
    *_LAST,
]

EDIT: list[BindingType] = [
    _key("edit.run", "f5", "run", "try it", "try the edited prompt", display="F5"),
    _key("edit.scope", "f3", "next_scope", "on what", "try it on broken cases, the filter's jobs, all", display="F3"),
    _key("edit.editor", "f4", "editor", "editor", "edit the whole [[prompt]] in $VISUAL or $EDITOR", display="F4"),
    _key("edit.close", "escape", "close", "close", "close the editor; the text is kept", display="esc"),
]

RERUN: list[BindingType] = [
    _key("rerun.close", "escape", "close", "close", "run nothing", display="esc"),
]

TUNE: list[BindingType] = [
    _key("tune.close", "escape,ctrl+c", "close", "close", "leave; asks first while a tune runs", display="esc"),
]

SEARCH: list[BindingType] = [
    _key("search.pause", "space", "pause", "pause", "pause the search, or resume it", show=True, display="space"),
    _key(
        "search.write", "w", "write", "write", "write the winner's [[prompt]] block to a file", show=True, display="w"
    ),
    _key("search.copy", "y,c", "copy", "copy", "copy the block to the clipboard", show=True, display="y"),
    _key("search.remarks", "i", "remarks", "remarks", "show all remarks on the search", display="i"),
    _key("search.again", "r", "again", "search again", "search again when the search has ended", display="r"),
    _key(
        "search.back",
        "escape",
        "back",
        "back",
        "back; asks first while a search runs",
        show=True,
        display="esc",
    ),
]

RUNS: list[BindingType] = [
    _key(
        "runs.open",
        "enter",
        "open",
        "open",
        "open the run; follow it while it runs",
        show=True,
        display="enter",
    ),
    _key("runs.baseline", "b", "baseline", "baseline", "mark the run as the baseline", show=True, display="b"),
    _key("runs.compare", "c", "compare", "compare", "compare the run with the baseline", show=True, display="c"),
    _key("runs.stop", "x", "stop", "stop", "stop the engine of a run in progress", display="x"),
    _key("runs.filter", "slash", "filter", "filter", "filter the runs by text", show=True, display="/"),
    _key("runs.report", "w", "report", "report", "write the report of the run", display="w"),
    _key("runs.reload", "f5", "reload", "reload", "read the folder again", display="F5"),
    _key("runs.back", "escape", "back", "back", "back to the suites", show=True, display="esc"),
]

CHOICE: list[BindingType] = [
    _key("choice.previous", "left,shift+tab", "app.focus_previous", "previous", "to the answer before", display="left"),
    _key("choice.next", "right,tab", "app.focus_next", "next", "to the next answer", display="right"),
]
CONFIRM: list[BindingType] = [
    _key("confirm.stay", "escape,n", "answer('stay')", "stay", "change nothing", display="esc"),
    _key("confirm.stop", "y,q,ctrl+c", "answer('stop')", "stop", "stop it", display="y"),
    _key("confirm.leave", "l", "answer('leave')", "leave", "leave it running without this program", display="l"),
]
OFFER: list[BindingType] = [
    _key("offer.follow", "f", "answer('follow')", "follow", "follow the run", display="f"),
    _key("offer.stop", "x", "answer('stop')", "stop", "stop the run", display="x"),
    _key("offer.leave", "l,escape,ctrl+c", "answer('leave')", "leave", "leave it alone", display="esc"),
]

TEXT: list[BindingType] = [
    _key("text.close", "escape,q,ctrl+c", "dismiss", "close", "close the text", display="esc"),
]
HELP: list[BindingType] = [
    _key("text.close_help", "question_mark,f1", "dismiss", "close", "close the help", display="?"),
]
REMARKS: list[BindingType] = [
    _key("text.close_remarks", "i", "dismiss", "close", "close the remarks", display="i"),
]

PALETTE: list[BindingType] = [
    _key("commands.up", "up", "command_list('cursor_up')", "up", "one command up", display="up"),
    _key("commands.down", "down", "cursor_down", "down", "one command down", display="down"),
    _key("commands.page_up", "pageup", "command_list('page_up')", "page up", "one page up", display="pgup"),
    _key("commands.page_down", "pagedown", "command_list('page_down')", "page down", "one page down", display="pgdn"),
    _key("commands.first", "ctrl+home,shift+home", "command_list('first')", "first", "to the first", display="^home"),
    _key("commands.last", "ctrl+end,shift+end", "command_list('last')", "last", "to the last", display="^end"),
    _key("commands.close", "escape", "escape", "close", "close the palette", display="esc"),
]

ARROWS: list[BindingType] = [
    _key("move.up", "up", "up", "up", "one line up", display="up"),
    _key("move.down", "down", "down", "down", "one line down", display="down"),
    _key("move.page_up", "pageup,ctrl+u", "page_up", "page up", "one page up", display="pgup ^u"),
    _key("move.page_down", "pagedown,ctrl+d", "page_down", "page down", "one page down", display="pgdn ^d"),
    _key("move.first", "home,g", "first", "first", "to the beginning", display="home g"),
    _key("move.last", "end,G", "last", "last", "to the end; a streaming pane follows again", display="end G"),
]
"""Alone on the screens of jobs: j shows the record there, so the letters of vi do not move."""

MOVE: list[BindingType] = [
    *ARROWS,
    _key("move.vi_up", "k", "up", "up", "one line up", display="k"),
    _key("move.vi_down", "j", "down", "down", "one line down", display="j"),
]

SIDEWAYS: list[BindingType] = [
    _key("move.left", "left,h", "left", "left", "one column to the left", display="left h"),
    _key("move.right", "right,l", "right", "right", "one column to the right", display="right l"),
]

TOKENS: list[BindingType] = [
    _key("tokens.left", "left", "step(-1)", "token back", "one token back", display="left"),
    _key("tokens.right", "right", "step(1)", "token on", "one token on", display="right"),
    _key("tokens.fork", "enter", "fork", "to the fork", "to the fork", display="enter"),
    _key("tokens.panel_up", "shift+up", "panel(-1)", "panel up", "one candidate up", display="shift+up"),
    _key("tokens.panel_down", "shift+down", "panel(1)", "panel down", "one candidate down", display="shift+down"),
    _key("tokens.arm", "tab", "other_arm", "other arm", "the tokens of the other arm", display="tab"),
]
"""In the token view."""

FIND: list[BindingType] = [
    _key("find.keep", "enter,tab", "submit", "keep", "keep the text, back to the list", show=True, display="enter"),
    _key("find.clear", "escape", "clear", "clear", "clear the text, then close", show=True, display="esc"),
    _key("find.up", "up", "move('up')", "up", "one job up in the list", display="up"),
    _key("find.down", "down", "move('down')", "down", "one job down in the list", display="down"),
    _key("find.page_up", "pageup", "move('page_up')", "page up", "one page up in the list", display="pgup"),
    _key("find.page_down", "pagedown", "move('page_down')", "page down", "one page down in the list", display="pgdn"),
]
"""While a text to find is typed."""

FILTER: list[BindingType] = [
    _key("filter.toggle", "space,enter", "select", "toggle", "turn the value on or off", display="space"),
    _key("filter.clear", "0,backspace", "screen.clear", "clear", "show all jobs again", display="0"),
    _key("filter.next", "tab,right", "facet(1)", "next", "to the next heading", display="tab"),
    _key("filter.previous", "shift+tab,left", "facet(-1)", "previous", "to the previous heading", display="shift+tab"),
    _key("filter.down", "j", "cursor_down", "down", "one value down", display="j"),
    _key("filter.up", "k", "cursor_up", "up", "one value up", display="k"),
    _key("filter.close", "escape,q,F,ctrl+c", "screen.dismiss", "close", "back to the list", display="esc"),
]

MATRIX: list[BindingType] = [
    _key("matrix.open", "enter", "open", "open", "show the jobs of the cell", show=True, display="enter"),
    _key("matrix.columns", "v", "columns", "columns", "by variations, tags or classes", show=True, display="v"),
    _key("matrix.rate", "r", "rate", "rate", "count strict, schema, right or ok", show=True, display="r"),
    _key("matrix.arm", "a", "arm", "arm", "the free arm, the constrained, their difference", show=True, display="a"),
    _key("matrix.back", "escape,m", "back", "back", "back to the run", show=True, display="esc"),
]

PANES = [("tab", "to the next pane"), ("shift+tab", "to the previous pane")]
