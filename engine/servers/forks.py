"""Where the two arms of a job part, from what a server says of their tokens, or from their texts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from engine.records import UNKNOWN_ID, Candidate, Fork
from engine.servers.streams import PartialReply, Weighed

Weighing = Literal["none", "unmasked", "masked"]
"""What probabilities a server sends of a constrained reply: none, the model's own, or those that the grammar left."""

_END = Weighed(Candidate("", UNKNOWN_ID, None))  # the end of a reply, of which the server tells no token


class ForkFinder:
    """Looks for the fork of one job while its replies grow; what was found to agree is not looked at again."""

    def __init__(self, weighing: Weighing) -> None:
        self._weighing = weighing
        self._agreed = 0  # tokens, or characters where none are told

    def look(self, free: PartialReply, constrained: PartialReply) -> Fork | None:
        """The fork, as soon as there is one: the first token that differs, or the first character."""
        return self._in_texts(free, constrained) if self._weighing == "none" else self._in_tokens(free, constrained)

    def _in_tokens(self, free: PartialReply, constrained: PartialReply) -> Fork | None:
        while (wanted := _at(free, self._agreed)) and (allowed := _at(constrained, self._agreed)):
            if not _same(wanted.taken, allowed.taken):
                char = free.ends[self._agreed - 1] if self._agreed else free.start
                return _explained(self._agreed, char, wanted, allowed, self._weighing)
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


def _at(reply: PartialReply, number: int) -> Weighed | None:
    """The token of a number; the end of the reply where that is it; None where it is not known yet, or cut off."""
    if number < len(reply.tokens):
        return reply.tokens[number]
    return _END if reply.finish == "stop" else None


def _same(one: Candidate, other: Candidate) -> bool:
    ids = {one.id, other.id} - {UNKNOWN_ID}
    return one.token == other.token if len(ids) < 2 else False


def _explained(number: int, char: int, wanted: Weighed, allowed: Weighed, weighing: Weighing) -> Fork:
    ids = {each.taken.token: each.taken.id for each in (wanted, allowed)}  # of the others servers tell the text alone
    favourites = tuple(replace(each, id=ids.get(each.token, each.id)) for each in (wanted.taken, *wanted.others))
    if weighing == "unmasked":
        return Fork(number, char, favourites, (allowed.taken,), None)
    model = {each.token: each.p for each in favourites}
    # The grammar's probabilities are the model's, divided by the mass of all that is allowed. A token of which both
    # are told gives that mass; the most probable one gives it best.
    shares = [(model[each.token], each.p) for each in (allowed.taken, *allowed.others) if model.get(each.token)]
    mass = next((min(1.0, p / share) for p, share in shares if p and share), None)
    return Fork(
        number,
        char,
        favourites,
        tuple(
            replace(each, id=ids.get(each.token, each.id), p=_unmasked(each.p, mass))
            for each in (allowed.taken, *allowed.others)
        ),
        mass,
    )


def _unmasked(p: float | None, mass: float | None) -> float | None:
    return None if p is None or mass is None else p * mass
