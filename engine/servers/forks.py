"""Where the two arms of a job fork, from the tokens that a server reports, or from their texts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from engine.records import UNKNOWN_ID, Candidate, Fork
from engine.servers.streams import PartialReply, ReportedToken

Weighing = Literal["none", "unmasked", "masked"]
"""The probabilities that a server sends with a constrained reply: none, the model's own, or those under the grammar."""

_END = ReportedToken(Candidate("", UNKNOWN_ID, None))  # the end of a reply whose stop token is not reported


class ForkFinder:
    """Looks for the fork of one job while its replies grow."""

    def __init__(self, weighing: Weighing) -> None:
        self._weighing = weighing
        # How far the arms are known to agree, in tokens, or in characters if no tokens are reported. It is kept between
        # calls: replies only grow, so that each token is compared once.
        self._agreed = 0

    def find(self, free: PartialReply, constrained: PartialReply) -> Fork | None:
        """The fork, as soon as there is one: the first token that differs, or the first character."""
        return self._in_texts(free, constrained) if self._weighing == "none" else self._in_tokens(free, constrained)

    def _in_tokens(self, free: PartialReply, constrained: PartialReply) -> Fork | None:
        while (wanted := _at(free, self._agreed)) and (allowed := _at(constrained, self._agreed)):
            if not _same(wanted.taken, allowed.taken):
                char = free.ends[self._agreed - 1] if self._agreed else free.start
                return _explain(self._agreed, char, wanted, allowed, self._weighing)
            if wanted is _END:
                return None
            self._agreed += 1
        return None

    def _in_texts(self, free: PartialReply, constrained: PartialReply) -> Fork | None:
        shorter, longer = sorted((free, constrained), key=lambda reply: len(reply.text))
        while self._agreed < len(shorter.text) and shorter.text[self._agreed] == longer.text[self._agreed]:
            self._agreed += 1
        ended = shorter.finish == "stop" and len(longer.text) > len(shorter.text)
        return Fork(None, self._agreed, (), (), None) if self._agreed < len(shorter.text) or ended else None


def _at(reply: PartialReply, number: int) -> ReportedToken | None:
    """A token by its number, or _END after the last one; None if it has not arrived, or was cut off by the limit."""
    if number < len(reply.tokens):
        return reply.tokens[number]
    return _END if reply.finish == "stop" else None


def _same(one: Candidate, other: Candidate) -> bool:
    """By their ids where both are known: two tokens can have the same text. Otherwise by their texts."""
    ids = {one.id, other.id} - {UNKNOWN_ID}
    return one.token == other.token if len(ids) < 2 else False


def _explain(number: int, char: int, wanted: ReportedToken, allowed: ReportedToken, weighing: Weighing) -> Fork:
    # Servers report ids only of the tokens that were taken. Where the other arm lists one of these among its
    # alternatives, it is the same token and gets the id.
    ids = {each.taken.token: each.taken.id for each in (wanted, allowed)}
    of_model = tuple(replace(each, id=ids.get(each.token, each.id)) for each in (wanted.taken, *wanted.others))
    if weighing == "unmasked":
        return Fork(number, char, of_model, (allowed.taken,), None)
    # The grammar's probabilities are the model's, divided by the mass of all allowed tokens. Any token that both arms
    # report gives that mass; the most probable one comes first and suffers least from rounding.
    model = {each.token: each.p for each in of_model}
    shares = [(model[each.token], each.p) for each in (allowed.taken, *allowed.others) if model.get(each.token)]
    mass = next((min(1.0, p / share) for p, share in shares if p and share), None)
    return Fork(
        number,
        char,
        of_model,
        tuple(
            replace(each, id=ids.get(each.token, each.id), p=_unmasked(each.p, mass))
            for each in (allowed.taken, *allowed.others)
        ),
        mass,
    )


def _unmasked(p: float | None, mass: float | None) -> float | None:
    return None if p is None or mass is None else p * mass
