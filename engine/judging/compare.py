"""How expected values are compared, by field: the rules of a suite's [compare] table, and which of them applies where.

A rule belongs to a path: a JSON Pointer (RFC 6901) in which `*` matches any key or index; "" is the whole value. It
applies to the value there and to everything inside it, unless a longer path has a rule of its own, which then replaces
it. Where several paths match one place, a literal key takes precedence over `*`, the outermost key first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from engine.json_pointer import parse_pointer

ANY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is ignored when two values are compared; by default nothing."""

    casefold: bool = False
    """Ignore the case of strings (Unicode case folding)."""
    whitespace: bool = False
    """Ignore the amount of whitespace between words, and any around the text."""
    unordered: bool = False
    """Ignore the order of the items, of this array only."""
    ignored: bool = False
    """Ignore the whole value."""
    tolerance: float | None = None
    """How far apart two numbers may be, inclusive, in decimal arithmetic."""


EXACT = Rule()


def parse_path(path: str) -> tuple[str, ...]:
    """The keys, indices and `*` of a path; "/" and "" are the whole value. Raises ValueError without a leading "/"."""
    if path in ("", "/"):
        return ()
    if not path.startswith("/"):
        raise ValueError(f'{path!r} does not begin with "/"')
    return parse_pointer(path)


@dataclass(slots=True)
class _Node:
    """A node of the tree of all paths that have rules."""

    rule: Rule | None = None
    below: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a value, and the rule that applies there."""

    rule: Rule
    _nodes: tuple[_Node, ...]
    """The nodes of the rule tree that match this place, in order of precedence."""

    @property
    def has_rules_below(self) -> bool:
        """Whether a part of the value here has a rule of its own."""
        return any(node.below for node in self._nodes)

    @property
    def is_decided_by_keys(self) -> bool:
        """Whether equality of keys (see unordered.py) decides equality here.

        Not with a tolerance, under which equality is not transitive; nor where an ignored value has parts with rules of
        their own, which its key leaves out.
        """
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
        """The place of the items of an unordered array: only `*` leads there, an index means nothing."""
        return self.step(ANY)

    def step(self, key: str | int) -> Cursor:
        """The place below a key or an index."""
        if not self._nodes:
            return self if not self.rule.unordered else replace(self, rule=replace(self.rule, unordered=False))
        steps = dict.fromkeys((str(key), ANY))  # a literal key first: the order decides which rule takes precedence
        nodes = tuple(node.below[step] for node in self._nodes for step in steps if step in node.below)
        own = next((node.rule for node in nodes if node.rule is not None), None)
        return Cursor(replace(self.rule, unordered=False) if own is None else own, nodes)


def cursor_of(rules: Mapping[str, Rule]) -> Cursor:
    """The cursor at the whole value. rules: by path. Raises ValueError as `parse_path` does."""
    root = _Node()
    for path, rule in rules.items():
        node = root
        for step in parse_path(path):
            node = node.below.setdefault(step, _Node())
        node.rule = rule
    return Cursor(root.rule or EXACT, (root,) if root.below else ())


EVERYTHING_COUNTS = cursor_of({})


def same_number(one: int | float, other: int | float, tolerance: float) -> bool:
    """Whether two numbers are at most `tolerance` apart, all three taken as decimals, as they are written."""
    try:
        return abs(exact(one) - exact(other)) <= exact(tolerance)
    except ValueError:  # 1e999 reads as infinity
        return one == other


def exact(number: int | float) -> Fraction:
    """The number as it is written, not its nearest binary fraction. Raises ValueError for infinity."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))
