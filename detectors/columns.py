"""Columns of numbers for many rows at once, and the few operations features and detectors are written with.

A column is a float64 array of shape (rows,), NaN for unknown. Only operations that treat each row by itself are used, so
a row's value never depends on which rows stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Columns(Mapping[str, Column]):
    """Named columns worked out when first asked for; `params` are the operator's settings for features."""

    def __init__(self, names: Mapping[str, Callable[[Columns], Column]], params: Mapping[str, Any], rows: int) -> None:
        self._names = names
        self._known: dict[str, Column] = {}
        self.params = params
        self.rows = rows

    def __getitem__(self, name: str) -> Column:
        column = self._known.get(name)
        if column is None:
            column = self._known[name] = self._names[name](self)
        return column

    def put(self, name: str, column: Column) -> None:
        """Add a column that is already worked out."""
        self._known[name] = column

    def __iter__(self) -> Any:
        return iter(self._names.keys() | self._known.keys())

    def __len__(self) -> int:
        return len(self._names.keys() | self._known.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._known


class Table:
    """Numbers to look up by place; `values` f8[n] may be replaced by a longer one as more becomes known."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = np.asarray(values, np.float64)


def lookup(column: Column, table: Table) -> Column:
    """The entry of the table at each value of the column, cut to a whole number; unknown outside the table."""
    noted: Callable[[Table], Column] | None = getattr(column, "lookup", None)
    if noted is not None:  # a node of a trace
        return noted(table)
    inside = (column >= 0.0) & (column < len(table.values))
    places = np.where(inside, column, 0.0).astype(np.int64)
    return np.where(inside, np.append(table.values, np.nan)[places], np.nan)


def ratio(part: Column, whole: Column, least: float = 0.0) -> Column:
    """Part / whole; unknown where the whole is not above `least`."""
    return np.where(whole > least, part / np.where(whole > least, whole, 1.0), np.nan)


def within(days: Column, most: float) -> Column:
    """1 where an age is known and at most `most` days, else 0: for what has never happened is not recent."""
    return np.where(days <= most, 1.0, 0.0)


def choose(*cases: tuple[Mask, float]) -> Column:
    """The value of the first case that holds, row by row; unknown where none does."""
    return np.select([mask for mask, _ in cases], [value for _, value in cases], np.nan)
