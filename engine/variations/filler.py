"""Sentences about nothing that a suite may ask for: no names, numbers, times, products or requests."""

from __future__ import annotations

from functools import lru_cache

from engine.variations.draws import Draws
from engine.variations.facts import Facts, SuiteFacts

_THINGS = (
    "The gravel path",
    "The old staircase",
    "The hedge beside the gate",
    "The roof of the shed",
    "The bench under the trees",
    "The wooden fence",
    "The wall around the yard",
    "The meadow behind the houses",
    "The surface of the pond",
    "The narrow footbridge",
    "The window of the attic",
    "The stone archway",
)
_STATES = (
    "glistened a little in the rain",
    "lay in the shade of the clouds",
    "looked the same as ever",
    "was covered with fallen leaves",
    "could be seen from far away",
    "was touched by the sun for a moment",
    "had a thin layer of dust on it",
    "seemed grey and quiet",
    "was still damp from the mist",
    "creaked softly in the wind",
    "stood out against the pale sky",
    "was as calm as the street beyond it",
)


def sentences(facts: Facts, draws: Draws, number: int) -> list[str]:
    """At most `number` different sentences, none with a string that the suite expects anywhere."""
    return draws.shuffled(_harmless(facts.suite))[:number]


@lru_cache(maxsize=4)  # the same for all cases of a suite
def _harmless(suite: SuiteFacts) -> list[str]:
    pairs = (f"{thing} {state}." for thing in _THINGS for state in _STATES)
    return [sentence for sentence in pairs if not suite.strings.search(sentence)]
