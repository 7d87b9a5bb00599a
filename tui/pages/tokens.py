"""The tokens of a reply as the screen shows them, and what is said of one of them. Knows nothing of Textual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engine.records import UNKNOWN_ID, Arm, Candidate, Fork, Reply
from tui.text.safe import one_line, shorten

SPACE = "\u00b7"  # ·, so that a token's blanks can be seen
_PART = "\u2026"  # …, for a token that has no text of its own
_SHOWN = 100  # characters of one token; what is said of it below has all of them
_LEVELS = (0.9, 0.5, 0.1, 0.01)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its number in the reply, its id, and its text as it came; "" where it is a part of a character.

    p: its probability under the unmasked model, None where that was not kept. known: whether its text was kept.
    shown: the text on one line, blanks and breaks as pictures; the id in brackets where the text was not kept.
    percent: the probability in percent, in at most three cells. cells: how wide it is drawn.
    """

    number: int
    id: int
    text: str
    p: float | None
    known: bool
    shown: str
    percent: str
    cells: int

    @property
    def level(self) -> int | None:
        """How improbable it was, from 0 to 4."""
        return None if self.p is None else sum(self.p < bound for bound in _LEVELS)


def token_of(number: int, id: int, text: str, p: float | None, known: bool = True) -> Token:
    """A token, and how it is drawn."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026"
    shown = (one_line(short).replace(" ", SPACE) or _PART) if known else f"[{id}]"
    percent = "" if p is None else "<1" if p < 0.005 else f"{100 * p:.0f}"
    return Token(number, id, text, p, known, shown, percent, max(cell_len(shown), len(percent)))


def tokens_of(reply: Reply, prefill: str) -> list[Token]:
    """The tokens of a reply. prefill: the beginning that it was given, which none of them is part of."""
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
    """The tokens in rows at most so many cells wide, a blank between them; a line break ends its row.

    marked: a token with a mark before it, which takes a cell more.
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
    """What there is to say of a token: its text, its id, its probability, and what is special about it."""
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
            yield "The arms part here. The server does not tell how much the grammar allowed and removed."
            return
        removed = exact_percent(max(0.0, 1 - fork.allowed_mass))
        yield f"The arms part here. The grammar allowed {exact_percent(fork.allowed_mass)} and removed {removed}."


def _part(tokens: Sequence[Token], number: int) -> str:
    for token in tokens[number + 1 :]:
        if token.text:
            return f"part of a character that token {token.number} completes"
    return "without text of its own"


def quoted(text: str, cells: int | None = None) -> str:
    """A token's text on one line, in quotes of the kind that it has not. cells: how much of it, None for all."""
    quote = "'" if '"' in text else '"'
    return f"{quote}{one_line(text) if cells is None else shorten(one_line(text), cells)}{quote}"


def exact_percent(p: float) -> str:
    """A probability as a percentage, so exact that none but 0 and 1 look like them."""
    if p in (0, 1):
        return f"{100 * p:.0f}%"
    digits = f"{100 * p:.2f}"
    if digits == "0.00":
        return f"{100 * p:.2g}%"
    return ">99.99%" if digits == "100.00" else f"{digits}%"


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate at the fork. allowed: by the grammar; None where the record does not tell. taken: by which arm."""

    candidate: Candidate
    allowed: bool | None
    taken: Arm | None


def choices_at(fork: Fork) -> list[Choice]:
    """All candidates that the record of a fork has, the most probable first."""
    allowed = {_name(each) for each in fork.allowed}
    taken: dict[int | str, Arm] = {}
    if fork.allowed:
        taken[_name(fork.allowed[0])] = "constrained"
    if fork.wanted:
        taken[_name(fork.wanted[0])] = "free"
    every = {_name(each): each for each in (*fork.wanted, *fork.allowed)}
    return [
        Choice(each, True if name in allowed else _refused(each, fork), taken.get(name))
        for name, each in sorted(every.items(), key=lambda item: -(item[1].p or 0.0))
    ]


def _name(candidate: Candidate) -> int | str:
    """What tells it from others: its id, or its text where a server tells no more."""
    return candidate.token if candidate.id == UNKNOWN_ID else candidate.id


def _refused(candidate: Candidate, fork: Fork) -> bool | None:
    """False of a candidate that would stand among the allowed ones, being more probable than one of them."""
    if fork.allowed_mass is None:
        return None
    favourites = fork.allowed[1:]
    return False if len(favourites) < 9 or any((candidate.p or 0) > (each.p or 0) for each in favourites) else None
