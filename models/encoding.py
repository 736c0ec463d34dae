"""Values to bins: quantile bins of numbers, one bin per category, and bin 0 for unknown.

Bins make a linear model able to follow any shape in one feature, do not care about outliers or units, and let
"unknown" have a weight of its own. Edges come from the frozen examples themselves, labelled or not, and are fitted
again from time to time because windows fill up and prices move. Values are float32 here and in scoring, so that a
price that is an edge falls on the same side in both.
"""

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled

STRIDE = 32
"""Room for the bins of one feature."""
QUANTILES = np.array([0.02, 0.08, 0.17, 0.25, 0.33, 0.42, 0.5, 0.58, 0.67, 0.75, 0.83, 0.92, 0.96, 0.985])
SPIKE = 0.125
"""A value that so many share (mostly 0) has a bin to itself, and the quantiles are those of the others."""
CATEGORIES = 24
"""Categories with a bin of their own; those that arrived later share one."""
ENOUGH = 50
"""A feature takes part once it is known in so many examples."""


class Encoder:
    """Edges per feature: a value is in bin 1 + (number of edges below it), in bin 0 when unknown.

    `shares` f8[features, STRIDE]: how often each bin occurred among the examples of the last fit.
    """

    def __init__(self) -> None:
        self.edges: list[NDArray[np.float32]] = []
        self.shares = np.zeros((0, STRIDE))

    def fit(self, values: NDArray[np.float32], categorical: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.float32]]]:
        """Fit all edges to `values` f4[n, features]; the features whose edges changed, each with its old edges."""
        changed = []
        shares = np.zeros((values.shape[1], STRIDE))
        for feature in range(values.shape[1]):
            column = values[:, feature]
            known = column[~np.isnan(column)]
            old = self.edges[feature] if feature < len(self.edges) else np.zeros(0, np.float32)
            new = fit_edges(known, bool(categorical[feature])) if len(known) >= ENOUGH else old
            if len(old) and len(known):
                new = refined(old, new, known)
            if len(new) == 0 and len(known) < len(column) and len(known) >= ENOUGH:
                new = np.array([np.finfo(np.float32).max], np.float32)  # known or not is all there is to tell
            if feature < len(self.edges):
                self.edges[feature] = new
            else:
                self.edges.append(new)
            if not np.array_equal(old, new):
                changed.append((feature, old))
            if len(column):
                counts = np.bincount(bins_of(column, new), minlength=STRIDE)
                shares[feature] = counts / len(column)
        self.shares = shares
        return changed

    def active(self) -> NDArray[np.int64]:
        """The features that tell customers apart."""
        return np.array([index for index, edges in enumerate(self.edges) if len(edges)], np.int64)

    def flat(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """All edges in one array, and where each feature's start (one more than features)."""
        starts = np.zeros(len(self.edges) + 1, np.int64)
        starts[1:] = np.cumsum([len(edges) for edges in self.edges]) if self.edges else 0
        joined = np.concatenate([np.zeros(0, np.float32), *self.edges]).astype(np.float32)
        return joined, starts

    def bins(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The bins (u1[n, features]) of `values` f4[n, features]."""
        bins = np.zeros(values.shape, np.uint8)
        encode(np.ascontiguousarray(values), *self.flat(), bins)
        return bins


def fit_edges(known: NDArray[np.float32], categorical: bool) -> NDArray[np.float32]:
    """Edges for the values of one feature; none when they are all equal."""
    if categorical:
        codes = int(min(known.max(), CATEGORIES - 1))
        return np.arange(codes, dtype=np.float32) + np.float32(0.5)
    values, counts = np.unique(known, return_counts=True)
    if len(values) < STRIDE - 1:
        return np.asarray(values[:-1])
    heavy = counts >= len(known) * SPIKE
    rest = np.repeat(values[~heavy], counts[~heavy])
    spikes = np.flatnonzero(heavy)
    beside = values[np.concatenate([spikes, spikes[spikes > 0] - 1])]
    edges = np.unique(np.concatenate([beside, np.quantile(rest, QUANTILES, method="lower")]))
    return np.asarray(edges[edges < values[-1]][: STRIDE - 2])


def refined(old: NDArray[np.float32], new: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """The old edges, and of the new ones those that divide a bin with too many; what was learned stays apart.

    When there is no room for all, edges between the two emptiest neighbours go first.
    """
    crowded = np.bincount(bins_of(known, old), minlength=len(old) + 2) > len(known) * SPIKE
    edges = np.union1d(old, new[crowded[bins_of(new, old)]])
    while len(edges) > STRIDE - 2:
        counts = np.bincount(bins_of(known, edges), minlength=len(edges) + 2)[1:]
        edges = np.delete(edges, int(np.argmin(counts[:-1] + counts[1:])))
    return edges


def bins_of(column: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin of each value (i8[n])."""
    return np.where(np.isnan(column), 0, 1 + np.searchsorted(edges, column, "left"))


def moved_bins(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each bin of `old` edges the bin of `new` edges that holds its upper end (i8[bins])."""
    ends = np.append(old, np.finfo(np.float32).max).astype(np.float32)
    return np.concatenate([[0], bins_of(ends, new)])


@compiled
def encode(
    values: NDArray[np.float32], edges: NDArray[np.float32], starts: NDArray[np.int64], bins: NDArray[np.uint8]
) -> None:
    """Write the bin of each value."""
    for row in range(values.shape[0]):
        for feature in range(min(values.shape[1], len(starts) - 1)):
            value = values[row, feature]
            if not np.isnan(value):
                count = 1
                for edge in range(starts[feature], starts[feature + 1]):
                    count += value > edges[edge]
                bins[row, feature] = count
