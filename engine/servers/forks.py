"""Where the two arms of a job part, from what a server says of their tokens, or from their texts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from engine.records import UNKNOWN_ID, Candidate, Fork
from engine.servers.replies import Growing, Weighed

Weighing = Literal["none", "unmasked", "masked"]
"""What probabilities a server sends of a constrained reply: none, the model's own, or those that the grammar left."""

_END = Weighed(Candidate("", UNKNOWN_ID, None))  # the end of a reply, of which the server tells no token


def fork_of(free: Growing, constrained: Growing, weighing: Weighing) -> Fork | None:
    """The fork, as soon as there is one: the first token that differs, or the first character where none are told."""
    if weighing == "none":
        return _in_texts(free, constrained)
    for number, end in enumerate([free.start, *free.ends]):
        wanted, allowed = _at(free, number), _at(constrained, number)
        if wanted is None or allowed is None:
            return None
        if not _same(wanted.taken, allowed.taken):
            return _explained(number, end, wanted, allowed, weighing)
        if wanted is _END:
            return None
    return None


def _in_texts(free: Growing, constrained: Growing) -> Fork | None:
    for char, (one, other) in enumerate(zip(free.text, constrained.text, strict=False)):
        if one != other:
            return Fork(None, char, (), (), None)
    shorter, longer = sorted((free, constrained), key=lambda reply: len(reply.text))
    parted = shorter.finish == "stop" and len(longer.text) > len(shorter.text)
    return Fork(None, len(shorter.text), (), (), None) if parted else None


def _at(reply: Growing, number: int) -> Weighed | None:
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
