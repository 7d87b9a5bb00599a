"""The keys in effect: those of tui.keys, some of them remapped in the settings."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys, format_key

from tui import keys

SECTIONS: dict[str, list[BindingType]] = {
    "Suites": keys.BROWSE,
    "A run": keys.RUN,
    "The tokens of a reply": keys.TOKENS,
    "The editor of a prompt": keys.EDIT,
    "Before a job is run again": keys.RERUN,
    "While an adapter is tuned": keys.TUNE,
    "While a text to find is typed": keys.FIND,
    "The filter": keys.FILTER,
    "The matrix": [*keys.MATRIX, *keys.SIDEWAYS],
    "Past runs": keys.RUNS,
    "Two runs compared": [each for each in keys.COMPARE if each not in keys.RUN],
    "A search": keys.SEARCH,
    "A question": [*keys.CONFIRM, *keys.CHOICE],
    "A run that is found in progress": keys.OFFER,
    "A text over the screen": [*keys.TEXT, *keys.HELP, *keys.REMARKS],
    "The palette": keys.PALETTE,
    "Moving in a list or a text": keys.MOVE,
    "Everywhere": keys.APP,
}
"""Every key, once, under the title that the help gives it."""

_TOGETHER = (
    [keys.APP, keys.BROWSE, keys.MOVE],
    [keys.APP, keys.RUN, keys.ARROWS],
    [keys.APP, keys.COMPARE, keys.ARROWS],
    [keys.APP, keys.TOKENS, keys.ARROWS],
    [keys.APP, keys.SEARCH, keys.MOVE],
    [keys.APP, keys.RUNS, keys.MOVE],
    [keys.APP, keys.MATRIX, keys.MOVE, keys.SIDEWAYS],
    [keys.APP, keys.EDIT],
    [keys.FILTER],
    [keys.FIND],
    [keys.RERUN],
    [keys.TUNE],
    [keys.CHOICE, keys.CONFIRM],
    [keys.CHOICE, keys.OFFER],
    [keys.TEXT, keys.HELP, keys.MOVE],
    [keys.TEXT, keys.REMARKS, keys.MOVE],
    [keys.PALETTE],
)
"""Lists that are active at the same time: no key may have two meanings in one of these groups."""

_MODIFIERS = {"ctrl", "shift", "alt", "meta", "super", "hyper"}
_SHORT = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn"}
KEY_NAMES = {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}
"""The names of keys that are not characters, and of some that are."""


def named(bindings: Sequence[BindingType]) -> dict[str, Binding]:
    """The bindings by their names in the settings."""
    return {each.id: each for each in bindings if isinstance(each, Binding) and each.id}


NAMES: tuple[str, ...] = tuple(name for bindings in SECTIONS.values() for name in named(bindings))
"""The names by which keys can be remapped."""


def rows(bindings: Sequence[BindingType], remapped: Mapping[str, str]) -> list[tuple[str, str]]:
    """The keys and the explanation of each binding, for the help."""
    return [
        (format_keys(remapped[name]) if name in remapped else each.key_display or format_keys(each.key), each.tooltip)
        for name, each in named(bindings).items()
    ]


def format_keys(written: str) -> str:
    """Keys as people know them: "ctrl+n F9 /" for "ctrl+n,f9,slash"."""
    return " ".join(map(_format_key, _split(written)))


def _format_key(key: str) -> str:
    *modifiers, last = key.split("+")
    word = last.upper() if last[:1] == "f" and last[1:].isdigit() else _SHORT.get(last, last)
    character = format_key(last)
    return "+".join([*modifiers, character if len(character) == 1 and last not in KEY_NAMES else word])


def unknown_keys(written: str) -> list[str]:
    """Those of several keys that do not exist: a misspelt one would leave its action without a key."""
    return [key for key in _split(written) if not _known(key)]


def _known(key: str) -> bool:
    *modifiers, last = key.split("+")
    if not _MODIFIERS.issuperset(modifiers):
        return False
    if len(last) == 1 or last in KEY_NAMES or last in KEY_NAME_REPLACEMENTS.values() or last in KEY_TO_UNICODE_NAME:
        return True
    try:
        unicodedata.lookup(last.replace("_", " "))
    except KeyError:
        return False
    return True


def clashes(remapped: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name, other name and key wherever a remapped key also belongs to another action active at the same time."""
    found = set()
    for lists in _TOGETHER:
        bound = {name: each for bindings in lists for name, each in named(bindings).items()}
        sets = {name: set(_split(remapped.get(name, each.key))) for name, each in bound.items()}
        for name in remapped.keys() & sets.keys():
            for other in sets.keys() - {name}:
                if bound[other].action != bound[name].action:
                    found |= {(name, other, _format_key(key)) for key in sets[name] & sets[other]}
    return sorted(found)


def _split(written: str) -> list[str]:
    """The keys by the names that Textual gives them: "slash" for "/"."""
    return [each.key for each in Binding.make_bindings([Binding(written, "")])]
