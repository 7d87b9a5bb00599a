"""The tokens of a reply as the screen shows them, and the description of one. Does not import Textual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engine.records import UNKNOWN_ID, Arm, Candidate, Fork, Reply
from tui.text.safe import one_line, shorten

SPACE = "\u00b7"  # ·, so that a token's blanks can be seen
_PART = "\u2026"  # …, for a token that has no text of its own
_SHOWN = 100  # characters of one token; the description below has all of them
_LEVELS = (0.9, 0.5, 0.1, 0.01)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a reply, and how it is drawn."""

    number: int
    """Its position in the reply."""
    id: int
    text: str
    """As generated; empty for a part of a character."""
    p: float | None
    """Its probability under the unmasked model, None if it was not recorded."""
    known: bool
    """Whether its text was recorded."""
    shown: str
    """The text on one line, blanks and breaks as pictures; the id in brackets if the text was not recorded."""
    percent: str
    """The probability in percent, in at most three cells."""
    cells: int
    """How wide it is drawn."""

    @property
    def level(self) -> int | None:
        """How improbable it was, from 0 to 4; None if the probability is not known."""
        return None if self.p is None else sum(self.p < bound for bound in _LEVELS)


def token_of(number: int, id: int, text: str, p: float | None, known: bool = True) -> Token:
    """Make a token, with the texts that are drawn."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026"
    shown = (one_line(short).replace(" ", SPACE) or _PART) if known else f"[{id}]"
    percent = "" if p is None else "<1" if p < 0.005 else f"{100 * p:.0f}"
    return Token(number, id, text, p, known, shown, percent, max(cell_len(shown), len(percent)))


def tokens_of(reply: Reply, prefill: str) -> list[Token]:
    """The tokens of a reply. prefill: the text that the reply was given to begin with, which has no tokens here."""
    known = len(reply.ends) == len(reply.tokens)
    weighed = len(reply.p) == len(reply.tokens)
    start = len(prefill) if reply.text.startswith(prefill) else 0
    tokens = []
    for number, id in enumerate(reply.tokens):
        end = reply.ends[number] if known else start
        tokens.append(token_of(number, id, reply.text[start:end], reply.p[number] if weighed else None, known))
        start = max(start, end)
    return tokens


def rows_of(tokens: Sequence[Token], width: int, marked: int | None) -> list[range]:
    """The tokens in rows of at most `width` cells, with a blank between them; a line break ends its row.

    marked: the number of a token with a mark before it, which takes one more cell.
    """
    rows: list[range] = []
    first, used = 0, 0
    for token in tokens:
        cells = token.cells + 1 + (token.number == marked)
        if used + cells > width + 1 and token.number > first:
            rows.append(range(first, token.number))
            first, used = token.number, 0
        used += cells
        if "\n" in token.text:
            rows.append(range(first, token.number + 1))
            first, used = token.number + 1, 0
    if first < len(tokens) or not rows:
        rows.append(range(first, len(tokens)))
    return rows


def describe_token(tokens: Sequence[Token], number: int, fork: Fork | None) -> Iterator[str]:
    """Describe a token: its text, its id, its probability, and what is special about it."""
    token = tokens[number]
    words = [f"token {number} of {len(tokens)}"]
    if token.known:
        words.append(quoted(token.text) if token.text else _part(tokens, number))
    if token.id != UNKNOWN_ID:
        words.append(f"id {token.id}")
    if token.p is not None:
        words.append(f"p {exact_percent(token.p)}")
    yield "  ".join(words)
    if token.text and number and not tokens[number - 1].text and tokens[number - 1].known:
        yield "It completes a character that the tokens before it began."
    if fork is not None and fork.token == number:
        if fork.allowed_mass is None:
            yield "The arms part here. The server does not report how much the grammar allowed and removed."
            return
        removed = exact_percent(max(0.0, 1 - fork.allowed_mass))
        yield f"The arms part here. The grammar allowed {exact_percent(fork.allowed_mass)} and removed {removed}."


def _part(tokens: Sequence[Token], number: int) -> str:
    for token in tokens[number + 1 :]:
        if token.text:
            return f"part of a character that token {token.number} completes"
    return "without text of its own"


def quoted(text: str, cells: int | None = None) -> str:
    """A token's text on one line, in quotes that it does not contain itself. cells: its width, None for all of it."""
    quote = "'" if '"' in text else '"'
    return f"{quote}{one_line(text) if cells is None else shorten(one_line(text), cells)}{quote}"


def exact_percent(p: float) -> str:
    """A probability as a percentage, precise enough that only 0 and 1 look like 0% and 100%."""
    if p in (0, 1):
        return f"{100 * p:.0f}%"
    digits = f"{100 * p:.2f}"
    if digits == "0.00":
        return f"{100 * p:.2g}%"
    return ">99.99%" if digits == "100.00" else f"{digits}%"


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate at the fork."""

    candidate: Candidate
    allowed: bool | None
    """Whether the grammar allowed it; None if the record does not say."""
    taken: Arm | None
    """The arm that took it."""


def choices_at(fork: Fork) -> list[Choice]:
    """All candidates in the record of a fork, the most probable first."""
    allowed = {_name(each) for each in fork.allowed}
    taken: dict[int | str, Arm] = {}
    if fork.allowed:
        taken[_name(fork.allowed[0])] = "constrained"
    if fork.wanted:
        taken[_name(fork.wanted[0])] = "free"
    every = {_name(each): each for each in (*fork.wanted, *fork.allowed)}
    return [
        Choice(each, True if name in allowed else _allowed_if_unlisted(each, fork), taken.get(name))
        for name, each in sorted(every.items(), key=lambda item: -(item[1].p or 0.0))
    ]


def _name(candidate: Candidate) -> int | str:
    """What identifies it: its id, or its text if a server reports no ids."""
    return candidate.token if candidate.id == UNKNOWN_ID else candidate.id


def _allowed_if_unlisted(candidate: Candidate, fork: Fork) -> bool | None:
    """False if the grammar must have removed it, else None.

    The record has the most probable allowed tokens: a candidate more probable than one of them would be there too.
    """
    if fork.allowed_mass is None:
        return None
    favourites = fork.allowed[1:]
    return False if len(favourites) < 9 or any((candidate.p or 0) > (each.p or 0) for each in favourites) else None
