"""Numbers in a condition: constants, features and arithmetic over columns.

Unknown is NaN and arithmetic carries it along, `min` and `max` included; a division by zero is unknown too. Everything is
elementwise, so a row's result does not depend on the batch it is in. Each node has a `key`, its canonical text: equal keys
are computed once per batch however many rules share them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from sys import intern

import numpy as np

from rules.columns import Operand, Sheet


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal or a parameter."""

    value: float

    @property
    def key(self) -> str:
        return repr(self.value)

    @property
    def features(self) -> frozenset[str]:
        return frozenset()

    known = features  # those that are known where the number is

    def over(self, _sheet: Sheet) -> Operand:
        return self.value


@dataclass(frozen=True, slots=True)
class Chosen:
    """A parameter with other values for some customers: the first of (category, its text, value) that holds."""

    value: float
    cases: tuple[tuple[str, str, float], ...]
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"chosen({self.value!r},{self.cases!r})"))

    @property
    def features(self) -> frozenset[str]:
        return frozenset(feature for feature, _, _ in self.cases)

    @property
    def known(self) -> frozenset[str]:
        return frozenset()

    def over(self, sheet: Sheet) -> Operand:
        found = sheet.numbers.get(self.key)
        if found is None:
            found = self.value
            for feature, text, value in reversed(self.cases):
                found = np.where(np.equal(sheet[feature], sheet.code(feature, text)), value, found)
            sheet.numbers[self.key] = found
        return found


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature's column."""

    key: str

    @property
    def features(self) -> frozenset[str]:
        return frozenset((self.key,))

    known = features

    def over(self, sheet: Sheet) -> Operand:
        return sheet[self.key]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An operator or function over one or two numbers."""

    name: str
    operands: tuple[Number, ...]
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", intern(f"{self.name}({','.join(one.key for one in self.operands)})"))

    @property
    def features(self) -> frozenset[str]:
        return frozenset().union(*(one.features for one in self.operands))

    @property
    def known(self) -> frozenset[str]:
        return frozenset().union(*(one.known for one in self.operands))

    def over(self, sheet: Sheet) -> Operand:
        found = sheet.numbers.get(self.key)
        if found is None:
            found = apply(self.name, *(one.over(sheet) for one in self.operands))
            sheet.numbers[self.key] = found
        return found


Number = Constant | Chosen | Feature | Arithmetic


def apply(name: str, *operands: Operand) -> Operand:
    """The operator on numbers or columns; overflow follows IEEE 754, a division by zero is NaN."""
    with np.errstate(all="ignore"):
        result: Operand = OPERATIONS[name](*operands)
    return result


def _quotient(a: Operand, b: Operand) -> Operand:
    return np.where(np.equal(b, 0.0), np.nan, np.true_divide(a, b))


OPERATIONS: dict[str, Callable[..., Operand]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _quotient,
    "neg": np.negative,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
}
