"""Which items of two arrays pair off, when their order does not count. Items that come twice must come twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from engine.judging.compare import Cursor, Rule, same_number

Same: TypeAlias = Callable[[Any, Any], bool]

_ITEMS_TRIED = 1000  # of those a reply has too many of, when each is held against each
_LARGE = 2**53
_IGNORED, _NUMBER = object(), object()  # the keys of what is ignored, and of numbers that a tolerance holds for


def unmatched(expected: Sequence[Any], got: Sequence[Any], rules: Cursor, same: Same) -> tuple[list[int], list[int]]:
    """The indices of what is in `expected` and not in `got`, and the other way round, each in order.

    rules: of the items. same: whether two items are equal under them.
    """
    groups: dict[Hashable, tuple[list[int], list[int]]] = {}
    for side, items in enumerate((expected, got)):
        for index, item in enumerate(items):
            groups.setdefault(_safe_key(item, rules), ([], []))[side].append(index)
    missing: list[int] = []
    surplus: list[int] = []
    for key, (here, there) in groups.items():
        if key is _NUMBER:
            lacking, extra = _numbers_left(expected, got, here, there, rules.rule.tolerance or 0)
        elif rules.is_decided_by_keys or not (here and there):
            pairs = min(len(here), len(there))
            lacking, extra = here[pairs:], there[pairs:]
        else:
            lacking, extra = _each_against_each(expected, got, here, there, same)
        missing += lacking
        surplus += extra
    return sorted(missing), sorted(surplus)


def number_key(number: int | float) -> Hashable:
    """Equal for equal numbers. Python hashes integers modulo 2^61 - 1, which a reply could use to make sets slow."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return str(number) if isinstance(number, int) and abs(number) > _LARGE else number


def folded(text: str, rule: Rule) -> str:
    """The text without what does not count."""
    if rule.casefold:
        text = text.casefold()
    return " ".join(text.split()) if rule.whitespace else text


def _safe_key(item: Any, rules: Cursor) -> Hashable:
    try:
        return _key(item, rules)
    except RecursionError:  # deeper than what a suite could have loaded, so equal to nothing in it
        return object()


def _key(value: Any, rules: Cursor) -> Hashable:
    """Equal for values that are equal under the rules; for others too, where keys do not decide that."""
    rule = rules.rule
    if rule.ignored:
        return _IGNORED
    if isinstance(value, bool) or value is None:
        return (type(value), value)
    if isinstance(value, str):
        return (str, folded(value, rule))
    if isinstance(value, list) and rule.unordered:
        below = rules.below_items()
        return (list, frozenset(Counter(_key(item, below) for item in value).items()))
    if isinstance(value, list | dict):
        parts = enumerate(value) if isinstance(value, list) else value.items()
        keys = ((step, _key(part, rules.step(step))) for step, part in parts)
        return (type(value), frozenset(part for part in keys if part[1] is not _IGNORED))
    return _NUMBER if rule.tolerance is not None else number_key(value)


def _numbers_left(
    expected: Sequence[Any], got: Sequence[Any], here: list[int], there: list[int], tolerance: float
) -> tuple[list[int], list[int]]:
    """Of numbers the smallest pair off first: no other way leaves fewer."""
    lacking: list[int] = []
    extra: list[int] = []
    here = sorted(here, key=lambda index: expected[index], reverse=True)
    there = sorted(there, key=lambda index: got[index], reverse=True)
    while here and there:
        one, other = expected[here[-1]], got[there[-1]]
        if same_number(one, other, tolerance):
            here.pop()
            there.pop()
        elif one < other:
            lacking.append(here.pop())
        else:
            extra.append(there.pop())
    return lacking + here, extra + there


def _each_against_each(
    expected: Sequence[Any], got: Sequence[Any], here: list[int], there: list[int], same: Same
) -> tuple[list[int], list[int]]:
    """The most pairs there can be (Hopcroft and Karp 1973, from scipy): what is near to two items may be either."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    tried = there[: max(len(here), _ITEMS_TRIED)]
    near = csr_array(np.array([[same(expected[one], got[other]) for other in tried] for one in here]))
    matched = maximum_bipartite_matching(near, perm_type="column")
    taken = {int(column) for column in matched if column >= 0}
    lacking = [index for index, column in zip(here, matched, strict=True) if column < 0]
    return lacking, [index for column, index in enumerate(there) if column not in taken]
