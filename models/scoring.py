"""The learned model as arrays, and compiled scoring of a matrix of features.

Each row is computed by itself with scalar operations in a fixed order, so its result does not depend on which rows
it is scored with; no matrix product is involved. Values are rounded to float32 first, as in the examples learned.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from models.encoding import STRIDE

ROWS = 128
"""Rows of a block."""


@dataclass(frozen=True, slots=True)
class TreeArrays:
    """All voting trees as arrays: `roots` i4[trees]; per node the feature (-1: leaf), threshold, right child (the left one is next), log odds."""

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]


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
        all_logits(x.astype(np.float64, copy=False), self.compiled(columns), scratch(self.features), out)
        return out

    def compiled(self, columns: NDArray[np.int64]) -> "Arrays":
        """As compiled code takes it."""
        t = self.trees
        return Arrays(
            columns, self.edges, self.starts, self.weights, self.intercept,
            t.roots, t.threshold, t.value, *walk_of(t.roots, t.feature, t.right),
        )  # fmt: skip

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


class Arrays(NamedTuple):
    """What scoring reads, as compiled code takes it; `columns[feature]` is the row of x that holds it, −1 for none.

    `levels` i4[trees]: how many questions a tree asks at most. Per node `place` u4 is the feature asked, times ROWS, and
    `child` u4[2 × nodes] where it goes when not above the threshold, and when above; a leaf goes to itself.
    """

    columns: NDArray[np.int64]
    edges: NDArray[np.float32]
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]
    intercept: float
    roots: NDArray[np.int32]
    threshold: NDArray[np.float32]
    value: NDArray[np.float64]
    levels: NDArray[np.int32]
    place: NDArray[np.uint32]
    child: NDArray[np.uint32]


class Scratch(NamedTuple):
    """Room for the values and bins of a block of rows."""

    values: NDArray[np.float32]
    bins: NDArray[np.int32]
    nodes: NDArray[np.uint32]


@compiled
def walk_of(
    roots: NDArray[np.int32], feature: NDArray[np.int32], right: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint32]]:
    """`levels`, `place` and `child` of trees whose nodes come after their parents, one tree after the other."""
    levels, depth = np.zeros(len(roots), np.int32), np.zeros(len(feature), np.int32)
    place, child = np.zeros(len(feature), np.uint32), np.zeros(2 * len(feature), np.uint32)
    for tree in range(len(roots)):
        end = roots[tree + 1] if tree + 1 < len(roots) else len(feature)
        for node in range(roots[tree], end):
            levels[tree] = max(levels[tree], depth[node])
            child[2 * node] = child[2 * node + 1] = node
            if feature[node] >= 0:
                place[node] = feature[node] * ROWS
                child[2 * node], child[2 * node + 1] = node + 1, right[node]
                depth[node + 1] = depth[right[node]] = depth[node] + 1
    return levels, place, child


def scratch(features: int) -> Scratch:
    """Room for blocks of `ROWS` rows."""
    return Scratch(np.empty((features, ROWS), np.float32), np.empty(ROWS, np.int32), np.empty(ROWS, np.uint32))


@compiled
def block_logits(
    x: NDArray[np.float64], at: int, rows: int, m: Arrays, room: Scratch, out: NDArray[np.float64], to: int
) -> None:
    """Log odds of the regression and mean log odds of the trees, f8[2, ·], for columns at … at + rows of x.

    They go to `out` from column `to` on. Unknown goes left. Bins are counted for the whole block at once, which is exact
    in any order; sums are made row by row, feature after feature.
    """
    bins = room.bins
    for i in range(rows):
        out[0, to + i] = m.intercept
    for k in range(len(m.starts) - 1):
        values, column = room.values[k], m.columns[k]
        for i in range(rows):
            single = np.float32(x[column, at + i]) if column >= 0 else np.float32(np.nan)
            values[i] = single if np.isfinite(single) else np.float32(np.nan)
        if m.starts[k] == m.starts[k + 1]:
            continue
        for i in range(rows):
            bins[i] = 0 if np.isnan(values[i]) else 1
        edge = m.starts[k]
        while edge + 4 <= m.starts[k + 1]:  # four at once, so that the counts are read and written a quarter as often
            first, second, third, fourth = m.edges[edge], m.edges[edge + 1], m.edges[edge + 2], m.edges[edge + 3]
            for i in range(rows):
                one = values[i]
                bins[i] += (
                    np.int32(one > first) + np.int32(one > second) + np.int32(one > third) + np.int32(one > fourth)
                )
            edge += 4
        for rest in range(edge, m.starts[k + 1]):
            limit = m.edges[rest]
            for i in range(rows):
                bins[i] += np.int32(values[i] > limit)
        weights = m.weights[k]
        for i in range(rows):
            out[0, to + i] += weights[np.uint32(bins[i])]
    block_trees(rows, m, room, out[1, to : to + rows])


@compiled
def block_trees(rows: int, m: Arrays, room: Scratch, out: NDArray[np.float64]) -> None:
    """Mean log odds of the trees for the values of a block.

    All rows go down a tree level by level, so that none waits for another; indices are unsigned, so that none is looked at
    for being negative. The trees of a row are summed in their order.
    """
    nodes, values = room.nodes, room.values.reshape(-1)
    for i in range(rows):
        out[i] = 0.0
    for tree in range(len(m.roots)):
        for i in range(rows):
            nodes[i] = m.roots[tree]
        for _ in range(m.levels[tree]):
            for i in range(rows):
                node = nodes[i]
                above = values[m.place[node] + np.uint32(i)] > m.threshold[node]
                nodes[i] = m.child[node + node + np.uint32(above)]
        for i in range(rows):
            out[i] += m.value[nodes[i]]
    for i in range(rows):
        out[i] = out[i] / len(m.roots) if len(m.roots) else 0.0


@compiled
def all_logits(x: NDArray[np.float64], m: Arrays, room: Scratch, out: NDArray[np.float64]) -> None:
    """`block_logits` of every column of x, in blocks whose values fit the nearest cache."""
    for first in range(0, out.shape[1], ROWS):
        block_logits(x, first, min(ROWS, out.shape[1] - first), m, room, out, first)


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
def probability(regression: float, trees: float, linear: float, forest: float, bias: float) -> float:
    """The calibrated risk that both log odds mean."""
    return 1.0 / (1.0 + math.exp(-(linear * regression + forest * trees + bias)))


@compiled
def probabilities(logits: NDArray[np.float64], linear: float, forest: float, bias: float) -> NDArray[np.float64]:
    """The calibrated risk of each column of `logits` f8[2, rows]."""
    risk = np.empty(logits.shape[1])
    for row in range(len(risk)):
        risk[row] = probability(logits[0, row], logits[1, row], linear, forest, bias)
    return risk


EMPTY_TREES = TreeArrays(
    *(np.zeros(0, dtype) for dtype in (np.int32, np.int32, np.float32, np.int32, np.float64))  # type: ignore[arg-type]
)
EMPTY = Scorer(
    np.zeros(0, np.float32), np.zeros(1, np.int64), np.zeros((0, STRIDE)), np.zeros((0, STRIDE)), 0.0, EMPTY_TREES
)
"""A model that has learned nothing."""
