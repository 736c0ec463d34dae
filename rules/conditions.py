"""Conditions in negation normal form: and and or over leaves.

`not` is pushed down to the leaves when a condition is built (`negated`), after which "definitely true" of the whole needs
nothing but the same of its parts (Kleene's three-valued logic). So unknown never fires, and never clears.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from sys import intern
from typing import Any

import numpy as np

from rules.columns import BoolArray, Sheet
from rules.leaves import NOW, Leaf, Memoised


@dataclass(frozen=True, slots=True)
class Always:
    """True or false whatever the customer: what parameters alone decide. Folded away; no condition may come to this."""

    value: bool

    def negated(self) -> Always:
        return Always(not self.value)


@dataclass(frozen=True, slots=True)
class Joined(Memoised):
    """`and` (all) or `or` of conditions, none of them Always; stops early where the rest cannot matter."""

    op: str
    parts: tuple[Condition, ...]
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"({f' {self.op} '.join(part.key for part in self.parts)})"))

    @property
    def features(self) -> frozenset[str]:
        return frozenset().union(*(part.features for part in self.parts))

    @property
    def known(self) -> frozenset[str]:
        known = [part.known for part in self.parts]
        return frozenset.union(*known) if self.op == "and" else frozenset.intersection(*known)

    def negated(self) -> Joined:
        return Joined("or" if self.op == "and" else "and", tuple(part.negated() for part in self.parts))

    def _compute(self, sheet: Sheet) -> BoolArray:
        join, decided = (np.logical_and, 0) if self.op == "and" else (np.logical_or, None)
        first, *rest = self.parts
        mask: Any = first.mask(sheet)
        if not isinstance(mask, np.ndarray):  # a program is traced: all of it is noted
            traced: BoolArray = reduce(join, (part.mask(sheet) for part in rest), mask)
            return traced
        decided = len(mask) if decided is None else decided
        own = None
        for part in rest:
            if np.count_nonzero(mask) == decided:  # the rest cannot matter; much faster than any() and all()
                break
            mask = own = join(mask, part.mask(sheet), out=own)
        result: BoolArray = mask
        return result


@dataclass(frozen=True, slots=True)
class Unless(Memoised):
    """An exception: everywhere but where its condition is definitely true before `until` (µs UTC, as if no moment is told)."""

    condition: Condition
    until: int
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"(unless {self.condition.key} until {self.until})"))

    @property
    def features(self) -> frozenset[str]:
        return self.condition.features

    @property
    def known(self) -> frozenset[str]:
        return frozenset()

    def negated(self) -> Condition:
        raise TypeError("an exception stands outside of a condition")

    def _compute(self, sheet: Sheet) -> BoolArray:
        over = np.greater_equal(sheet[NOW], float(self.until))
        result: BoolArray = ~(self.condition.mask(sheet) & ~over)
        return result


Condition = Leaf | Joined | Unless


def joined(op: str, parts: list[Condition | Always]) -> Condition | Always:
    """The parts under one `and` or `or`, with whatever is decided already folded away."""
    decisive = op == "or"
    if any(isinstance(part, Always) and part.value is decisive for part in parts):
        return Always(decisive)
    open_parts = tuple(part for part in parts if not isinstance(part, Always))
    if not open_parts:
        return Always(not decisive)
    return open_parts[0] if len(open_parts) == 1 else Joined(op, open_parts)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The comparisons of a condition, left to right."""
    if isinstance(condition, Joined):
        for part in condition.parts:
            yield from leaves(part)
    elif not isinstance(condition, Unless):
        yield condition
