"""How expected values are compared, by field: the rules of a suite's [compare], and which of them holds where.

A rule is given for a path: a JSON Pointer (RFC 6901) in which `*` stands for any key or index; "" is the whole value.
It holds for the value there and for all that lies in it, unless a longer path has a rule of its own, which then holds
alone. Where several paths match one place, the one that names the outermost key literally goes before `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from engine.json_pointer import steps

ANY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What does not count when two values are compared; by default everything counts.

    casefold: upper and lower case of strings (Unicode case folding). whitespace: how much whitespace stands between
    words, and any around them. unordered: the order of an array's items, of this array alone. ignored: everything.
    tolerance: how far numbers may lie apart, as decimal fractions have it, the distance itself included.
    """

    casefold: bool = False
    whitespace: bool = False
    unordered: bool = False
    ignored: bool = False
    tolerance: float | None = None


EXACT = Rule()


def steps_of(path: str) -> tuple[str, ...]:
    """The keys, indices and `*` of a path. "/" is the whole value, as "" is. Raises ValueError for anything else."""
    if path in ("", "/"):
        return ()
    if not path.startswith("/"):
        raise ValueError(f'{path!r} does not begin with "/"')
    return steps(path)


@dataclass(slots=True)
class _Node:
    """A place in the tree of all paths that have rules."""

    rule: Rule | None = None
    below: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a value, and the rule that holds there."""

    rule: Rule
    _nodes: tuple[_Node, ...]

    @property
    def has_rules_below(self) -> bool:
        """Whether a part of the value here has a rule of its own."""
        return any(node.below for node in self._nodes)

    @property
    def is_decided_by_keys(self) -> bool:
        """Whether equality here is one of kinds: what equals the same equals each other, which a tolerance breaks."""
        if self.rule.tolerance is not None or (self.rule.ignored and self.has_rules_below):
            return False
        todo = [part for node in self._nodes for part in node.below.values()]
        while todo:
            node = todo.pop()
            if node.rule and (node.rule.tolerance is not None or (node.rule.ignored and node.below)):
                return False
            todo += node.below.values()
        return True

    def below_items(self) -> Cursor:
        """The place of the items of an array without order: only `*` leads there, an index means nothing."""
        return self.step(ANY)

    def step(self, key: str | int) -> Cursor:
        """The place below a key or an index."""
        if not self._nodes:
            return self if not self.rule.unordered else replace(self, rule=replace(self.rule, unordered=False))
        steps = dict.fromkeys((str(key), ANY))
        nodes = tuple(node.below[step] for node in self._nodes for step in steps if step in node.below)
        own = next((node.rule for node in nodes if node.rule is not None), None)
        return Cursor(replace(self.rule, unordered=False) if own is None else own, nodes)


def cursor_of(rules: Mapping[str, Rule]) -> Cursor:
    """Where a comparison begins. rules: by path. Raises ValueError as `steps_of` does."""
    root = _Node()
    for path, rule in rules.items():
        node = root
        for step in steps_of(path):
            node = node.below.setdefault(step, _Node())
        node.rule = rule
    return Cursor(root.rule or EXACT, (root,) if root.below else ())


EVERYTHING_COUNTS = cursor_of({})


def same_number(one: int | float, other: int | float, tolerance: float) -> bool:
    """Whether two numbers lie no further apart than `tolerance`, all three taken as they are written."""
    try:
        return abs(exact(one) - exact(other)) <= exact(tolerance)
    except ValueError:  # 1e999 reads as infinity
        return one == other


def exact(number: int | float) -> Fraction:
    """The number as it is written, not its nearest binary fraction. Raises ValueError for infinity."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))
