"""The comparisons of a condition: each node's mask says where it is definitely true.

A leaf over NaN is not true, and neither is its negation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from sys import intern

import numpy as np

from rules.arithmetic import Number
from rules.columns import BoolArray, Operand, Sheet

NOW = "now"
"""The column of the moments looked at (µs UTC); conditions of authors cannot name it."""
NEGATED = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Span:
    """Where a leaf stands in the text of its condition (0-based, end excluded), and whether a `not` stands over it."""

    start: int = 0
    end: int = 0
    negated: bool = False


class Memoised:
    """Computes a mask once per batch and key, read-only because rules share it.

    `features` are those named; `known` those that cannot be unknown where the condition is true.
    """

    __slots__ = ()
    key: str

    def mask(self, sheet: Sheet) -> BoolArray:
        found = sheet.masks.get(self.key)
        if found is None:
            found = sheet.masks[self.key] = self._compute(sheet)
            if isinstance(found, np.ndarray):  # not so while a program is traced
                found.flags.writeable = False
        return found

    def _compute(self, sheet: Sheet) -> BoolArray:
        raise NotImplementedError


class _OfOne(Memoised):
    """A leaf about one feature, which is known wherever the leaf is true."""

    __slots__ = ()
    feature: str

    @property
    def features(self) -> frozenset[str]:
        return frozenset((self.feature,))

    @property
    def known(self) -> frozenset[str]:
        return self.features


def _flipped(span: Span) -> Span:
    return Span(span.start, span.end, not span.negated)


@dataclass(frozen=True, slots=True)
class Compare(Memoised):
    """left op right over numbers; at least one side holds a feature."""

    op: str
    left: Number
    right: Number
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"({self.left.key} {self.op} {self.right.key})"))

    @property
    def features(self) -> frozenset[str]:
        return self.left.features | self.right.features

    @property
    def known(self) -> frozenset[str]:
        return self.left.known | self.right.known

    def negated(self) -> Compare:
        return Compare(NEGATED[self.op], self.left, self.right, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        return COMPARISONS[self.op](self.left.over(sheet), self.right.over(sheet))


@dataclass(frozen=True, slots=True)
class Member(_OfOne):
    """A category is (wanted) or is known and not one (not wanted) of some texts."""

    feature: str
    texts: tuple[str, ...]
    wanted: bool = True
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"({self.feature} {'' if self.wanted else 'not '}in {self.texts!r})"))

    def negated(self) -> Member:
        return Member(self.feature, self.texts, not self.wanted, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        column = sheet[self.feature]
        found = reduce(np.logical_or, (column == sheet.code(self.feature, text) for text in self.texts))
        result: BoolArray = found if self.wanted else ~found & ~np.isnan(column)
        return result


@dataclass(frozen=True, slots=True)
class OneOf(Memoised):
    """A number equals (wanted), or is known and equals none (not wanted), of some numbers."""

    number: Number
    options: tuple[Number, ...]
    wanted: bool = True
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        options = ", ".join(one.key for one in self.options)
        object.__setattr__(self, "key", intern(f"({self.number.key} {'' if self.wanted else 'not '}in [{options}])"))

    @property
    def features(self) -> frozenset[str]:
        return self.number.features.union(*(one.features for one in self.options))

    @property
    def known(self) -> frozenset[str]:
        own = self.number.known
        return own if self.wanted else own.union(*(one.known for one in self.options))

    def negated(self) -> OneOf:
        return OneOf(self.number, self.options, not self.wanted, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        number = self.number.over(sheet)
        compare, join = (np.equal, np.logical_or) if self.wanted else (_differs, np.logical_and)
        result: BoolArray = reduce(join, (compare(number, one.over(sheet)) for one in self.options))
        return result


@dataclass(frozen=True, slots=True)
class Flag(_OfOne):
    """A yes/no feature is known and as wanted."""

    feature: str
    wanted: bool = True
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"({self.feature} is {self.wanted})"))

    def negated(self) -> Flag:
        return Flag(self.feature, not self.wanted, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        column = sheet[self.feature]
        return np.greater(np.abs(column), 0.0) if self.wanted else np.equal(column, 0.0)


@dataclass(frozen=True, slots=True)
class Known(_OfOne):
    """A feature is known (`has`), or is not; itself never unknown."""

    feature: str
    wanted: bool = True
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"(has {self.feature} {self.wanted})"))

    @property
    def known(self) -> frozenset[str]:
        return self.features if self.wanted else frozenset()

    def negated(self) -> Known:
        return Known(self.feature, not self.wanted, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        unknown = np.isnan(sheet[self.feature])
        return ~unknown if self.wanted else unknown


@dataclass(frozen=True, slots=True)
class Since(Memoised):
    """The moment looked at is (wanted) at or after a time (µs UTC), or before it; `untold` where no moment is told."""

    at: int
    wanted: bool = True
    untold: bool = True
    span: Span = field(default=Span(), compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"(now {'>=' if self.wanted else '<'} {self.at} {self.untold})"))

    @property
    def features(self) -> frozenset[str]:
        return frozenset()

    known = features

    def negated(self) -> Since:
        return Since(self.at, not self.wanted, not self.untold, _flipped(self.span))

    def _compute(self, sheet: Sheet) -> BoolArray:
        now, at = sheet[NOW], float(self.at)
        if self.untold:
            return ~np.less(now, at) if self.wanted else ~np.greater_equal(now, at)
        return np.greater_equal(now, at) if self.wanted else np.less(now, at)


Leaf = Compare | Member | OneOf | Flag | Known | Since


def _differs(a: Operand, b: Operand) -> BoolArray:
    result: BoolArray = np.less(a, b) | np.greater(a, b)  # NaN != NaN must not be true
    return result


COMPARISONS: dict[str, Callable[[Operand, Operand], BoolArray]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": _differs,
}
