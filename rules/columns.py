"""The columns a rule is evaluated over: name -> float64 array, NaN for unknown.

The engine hands over its own mapping; `TableColumns` is the plain one for tests of rules, where an author writes values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rules.feature_types import Schema

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Operand = FloatArray | float
Written = float | bool | str | None
"""A feature value as an author writes it: number, yes/no, text of a category, or None for unknown."""


class Columns(Protocol):
    """Feature columns of one batch, all of the same length (one row per evaluation of a customer)."""

    def __getitem__(self, name: str) -> FloatArray:
        """The column of a feature: float64, NaN unknown, bools 0/1, categories as codes."""
        ...

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for a text never seen, which no row then equals."""
        ...


@dataclass(slots=True)
class Sheet:
    """The columns of one batch with what has been computed over them, by canonical text of the node.

    Make one per batch and evaluate every rule on it: equal comparisons of different rules are then computed once.
    """

    columns: Columns
    numbers: dict[str, Operand] = field(default_factory=dict)
    masks: dict[str, BoolArray] = field(default_factory=dict)
    _fetched: dict[str, FloatArray] = field(default_factory=dict)

    def __getitem__(self, name: str) -> FloatArray:
        found = self._fetched.get(name)
        if found is None:
            found = self._fetched[name] = self.columns[name]
        return found

    def code(self, name: str, text: str) -> float:
        return self.columns.code(name, text)


class TableColumns:
    """Columns made from rows of written values; a feature that no row names is unknown everywhere."""

    def __init__(self, rows: Sequence[Mapping[str, Written]], schema: Schema) -> None:
        """Raises KeyError for a name the schema lacks."""
        for name in {name for row in rows for name in row} - {"now"}:
            schema[name]
        self._rows = rows
        self._schema = schema
        self._codes: dict[str, dict[str, float]] = {}

    def __getitem__(self, name: str) -> FloatArray:
        return np.array([self._encoded(name, row.get(name)) for row in self._rows], dtype=np.float64)

    def code(self, name: str, text: str) -> float:
        known = self._codes.setdefault(name, {value: float(i) for i, value in enumerate(self._schema[name].values)})
        return known.setdefault(text, float(len(known)))

    def _encoded(self, name: str, value: Written) -> float:
        if value is None:
            return float("nan")
        return self.code(name, value) if isinstance(value, str) else float(value)
