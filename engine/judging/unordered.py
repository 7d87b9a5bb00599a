"""Matches the items of two arrays whose order does not matter. Each item matches at most one item of the other array.

Where equality is transitive, equal items have equal keys, and counting keys is enough: linear time. A tolerance breaks
that (1.0 ≈ 1.1 ≈ 1.2, but not 1.0 ≈ 1.2), so numbers are then matched in sorted order, and containers with a tolerance
inside by a maximum bipartite matching.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from engine.judging.compare import Cursor, Rule, same_number

Same: TypeAlias = Callable[[Any, Any], bool]

_ITEMS_TRIED = 1000  # a bound on the quadratic matching: a reply may have any number of items
_LARGE = 2**53  # integers below it are exact as floats and hash to themselves
_IGNORED, _NUMBER = object(), object()  # the keys of ignored values, and of numbers with a tolerance


def unmatched(expected: Sequence[Any], got: Sequence[Any], rules: Cursor, same: Same) -> tuple[list[int], list[int]]:
    """The indices of the items of `expected` without a match in `got`, and the other way round, each in order.

    rules: those of the items. same: whether two items are equal under these rules.
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
    """Equal for equal numbers, and hashed safely.

    Python hashes integers modulo 2^61 - 1, so a reply of colliding integers could make sets quadratic; strings are
    hashed with a random seed.
    """
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return str(number) if isinstance(number, int) and abs(number) > _LARGE else number


def folded(text: str, rule: Rule) -> str:
    """The text without what the rule ignores."""
    if rule.casefold:
        text = text.casefold()
    return " ".join(text.split()) if rule.whitespace else text


def _safe_key(item: Any, rules: Cursor) -> Hashable:
    try:
        return _key(item, rules)
    except RecursionError:  # nested more deeply than a suite can be, so equal to nothing in it
        return object()


def _key(value: Any, rules: Cursor) -> Hashable:
    """Equal for values that are equal under the rules; where keys do not decide equality, possibly for others too."""
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
    """Match numbers in ascending order, which leaves the fewest without a match."""
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
    """The largest possible matching (Hopcroft and Karp 1973, from scipy): an item may be near several others."""
    import numpy as np  # imported late: few suites need it, and scipy is slow to import
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    tried = there[: max(len(here), _ITEMS_TRIED)]
    near = csr_array(np.array([[same(expected[one], got[other]) for other in tried] for one in here]))
    matched = maximum_bipartite_matching(near, perm_type="column")
    taken = {int(column) for column in matched if column >= 0}
    lacking = [index for index, column in zip(here, matched, strict=True) if column < 0]
    return lacking, [index for column, index in enumerate(there) if column not in taken]
