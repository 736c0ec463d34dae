"""The learned model as arrays, and compiled scoring of a matrix of features.

Each row is computed by itself with scalar operations in a fixed order, so its result does not depend on which rows
it is scored with; no matrix product is involved. Values are rounded to float32 first, as in the examples learned.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from models.encoding import STRIDE
from models.forest import TreeArrays

ROWS = 128
"""Rows of a block."""
TREE_FIELDS = tuple(field.name for field in fields(TreeArrays))


@dataclass(frozen=True, slots=True)
class Scorer:
    """Arrays of one state of the model.

    `edges` f4 and `starts` i8[features + 1] as of the encoder, `weights` f8[features, STRIDE], `shares` of the same
    shape (how common each bin is), `intercept`, and the trees.
    """

    edges: NDArray[np.float32]
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    intercept: float
    trees: TreeArrays

    @property
    def features(self) -> int:
        """How many features this state knows."""
        return len(self.starts) - 1

    def logits(self, x: NDArray[np.floating[Any]], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log odds of both models, f8[2, rows], for `x` f8[column, row]; `columns[feature]` is -1 where x has none."""
        out = np.empty((2, x.shape[1]))
        t = self.trees
        wide = x.astype(np.float64, copy=False)
        both_logits(
            wide, columns, self.edges, self.starts, self.weights, self.intercept,
            t.roots, t.feature, t.threshold, t.right, t.value, out,
        )  # fmt: skip
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All of it by name, for `from_arrays`."""
        own = {name: getattr(self, name) for name in ("edges", "starts", "weights", "shares")}
        trees = {f"trees.{name}": getattr(self.trees, name) for name in TREE_FIELDS}
        return own | trees | {"intercept": np.array([self.intercept])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Scorer":
        """The scorer that `arrays` came from."""
        trees = TreeArrays(*(arrays[f"trees.{name}"] for name in TREE_FIELDS))
        edges, starts, weights, shares = (arrays[name] for name in ("edges", "starts", "weights", "shares"))
        return cls(edges, starts, weights, shares, float(arrays["intercept"][0]), trees)

    def contributions(
        self, x: NDArray[np.float64], columns: NDArray[np.int64], trusts: tuple[float, float]
    ) -> NDArray[np.float64]:
        """What each feature adds to the log odds against the population, f8[feature, row].

        A linear weight counts against its mean over the population; a tree's path counts each step's change of the
        log odds for the feature asked there (Saabas 2014, treeinterpreter). `trusts`: the calibration's weights.
        """
        out = np.zeros((self.features, x.shape[1]))
        t = self.trees
        centred = self.weights - (self.weights * self.shares).sum(axis=1, keepdims=True)
        linear_contributions(x, columns, self.edges, self.starts, centred * trusts[0], out)
        if len(t.roots):
            trust = trusts[1] / len(t.roots)
            forest_contributions(x, columns, t.roots, t.feature, t.threshold, t.right, t.value, trust, out)
        return out


@compiled
def as_single(value: float) -> float:
    """The value as a float32 holds it; NaN for infinities too."""
    single = np.float64(np.float32(value))
    return single if single - single == 0.0 else np.nan


@compiled
def gather(
    x: NDArray[np.float64], columns: NDArray[np.int64], rows: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """Write the features of some rows to `out` f4[row, feature]; NaN for what x lacks and for infinities."""
    for feature in range(len(columns)):
        for index in range(len(rows)):
            value = as_single(x[columns[feature], rows[index]]) if columns[feature] >= 0 else np.nan
            out[index, feature] = np.float32(value)


@compiled
def bin_of(value: float, edges: NDArray[np.float32], start: int, end: int) -> int:
    """The encoder's bin of a float32 value."""
    if np.isnan(value):
        return 0
    count = 1
    for edge in range(start, end):
        count += value > edges[edge]
    return count


@compiled
def both_logits(
    x: NDArray[np.float64],
    columns: NDArray[np.int64],
    edges: NDArray[np.float32],
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
    intercept: float,
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float32],
    right: NDArray[np.int32],
    value: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the log odds of the regression and the mean log odds of the trees for each row; unknown goes left.

    Rows are taken in blocks whose values fit the nearest cache. Bins are counted for a whole block at once, which is
    exact in any order; sums are made row by row, feature after feature.
    """
    features = len(starts) - 1
    block = np.empty((features, ROWS), np.float32)
    bins = np.empty(ROWS, np.int32)
    for first in range(0, out.shape[1], ROWS):
        rows = min(ROWS, out.shape[1] - first)
        for at in range(rows):
            out[0, first + at] = intercept
        for column in range(features):
            values = block[column]
            for at in range(rows):
                single = np.float32(x[columns[column], first + at]) if columns[column] >= 0 else np.float32(np.nan)
                values[at] = single if np.isfinite(single) else np.float32(np.nan)
            if starts[column] == starts[column + 1]:
                continue
            for at in range(rows):
                bins[at] = 0 if np.isnan(values[at]) else 1
            for edge in range(starts[column], starts[column + 1]):
                limit = edges[edge]
                for at in range(rows):
                    bins[at] += np.int32(values[at] > limit)
            for at in range(rows):
                out[0, first + at] += weights[column, bins[at]]
        for at in range(rows):
            total = 0.0
            for root in roots:
                node = root
                while feature[node] >= 0:
                    node = right[node] if block[feature[node], at] > threshold[node] else node + 1
                total += value[node]
            out[1, first + at] = total / len(roots) if len(roots) else 0.0


@compiled
def value_at(x: NDArray[np.float64], columns: NDArray[np.int64], feature: int, row: int) -> float:
    """One feature of one row as float32; NaN where x has no such column."""
    return as_single(x[columns[feature], row]) if columns[feature] >= 0 else np.nan


@compiled
def linear_contributions(
    x: NDArray[np.float64],
    columns: NDArray[np.int64],
    edges: NDArray[np.float32],
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the weight of each feature's bin for each row."""
    for feature in range(len(starts) - 1):
        for row in range(out.shape[1]):
            if starts[feature] < starts[feature + 1]:
                value = value_at(x, columns, feature, row)
                out[feature, row] = weights[feature, bin_of(value, edges, starts[feature], starts[feature + 1])]


@compiled
def forest_contributions(
    x: NDArray[np.float64],
    columns: NDArray[np.int64],
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float32],
    right: NDArray[np.int32],
    value: NDArray[np.float64],
    trust: float,
    out: NDArray[np.float64],
) -> None:
    """Add what each step down the trees changed, for the feature asked."""
    for row in range(out.shape[1]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                asked = feature[node]
                above = value_at(x, columns, asked, row) > threshold[node]
                below = right[node] if above else node + 1
                out[asked, row] += trust * (value[below] - value[node])
                node = below


@compiled
def probabilities(logits: NDArray[np.float64], linear: float, forest: float, bias: float) -> NDArray[np.float64]:
    """The calibrated risk of each column of `logits` f8[2, rows]."""
    risk = np.empty(logits.shape[1])
    for row in range(len(risk)):
        odds = linear * logits[0, row] + forest * logits[1, row] + bias
        risk[row] = 1.0 / (1.0 + math.exp(-odds))
    return risk


EMPTY_TREES = TreeArrays(
    *(np.zeros(0, dtype) for dtype in (np.int32, np.int32, np.float32, np.int32, np.float64))  # type: ignore[arg-type]
)
EMPTY = Scorer(
    np.zeros(0, np.float32), np.zeros(1, np.int64), np.zeros((0, STRIDE)), np.zeros((0, STRIDE)), 0.0, EMPTY_TREES
)
"""A model that has learned nothing."""
