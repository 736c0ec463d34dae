"""River's Hoeffding tree on binned values: exact split statistics per bin, leaves that look at a part of the features.

Domingos, Hulten: Mining high-speed data streams, KDD 2000; the random part of the features per leaf is that of
adaptive random forests (Gomes et al., Machine Learning 106, 2017). River's own numeric observers model each class as
a Gaussian, which fits neither counts nor prices, and cost twenty times as much as counting bins in compiled code.
Examples reach a tree as `Row`: a list of values (unknown: -inf, so that it goes left of every threshold) that carries
its bins. Thresholds are values, so edges may be fitted anew while a tree lives.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.tree import HoeffdingTreeClassifier
from river.tree.nodes.branch import NumericBinaryBranch
from river.tree.nodes.htc_nodes import LeafMajorityClass
from river.tree.utils import BranchFactory

from events.compiled import compiled
from models.encoding import STRIDE

UNKNOWN = -math.inf
LEAST_BRANCH = 0.01
"""A branch with less than this share of a leaf's examples is not split off."""

LEAST_GAIN = 5.0
"""In bits over all of a leaf's examples: less is found by chance among a dozen features with a dozen bins each."""


class Row(list[float]):
    """The values of one example by feature, with the bin of each."""

    __slots__ = ("bins",)

    def __init__(self, values: Sequence[float], bins: NDArray[np.uint8]) -> None:
        super().__init__(values)
        self.bins = bins


class Edges:
    """The edges that all trees share, by feature, as lists; `active` are the features worth looking at."""

    def __init__(self) -> None:
        self.by_feature: list[list[float]] = []
        self.active: list[int] = []


@compiled
def count_bins(
    counts: NDArray[np.int32], features: NDArray[np.int64], bins: NDArray[np.uint8], label: int, times: int
) -> None:
    """Count an example's bins, in a leaf's counts i4[its features, 2, STRIDE]."""
    for index in range(len(features)):
        counts[index, label, bins[features[index]]] += times


@compiled
def x_log_x(count: int) -> float:
    """A count times its logarithm to base 2."""
    return count * np.log2(count) if count > 0 else 0.0


@compiled
def best_splits(
    counts: NDArray[np.int32], gains: NDArray[np.float64], places: NDArray[np.int64], low: NDArray[np.int64]
) -> None:
    """For each of a leaf's features the split between bins with the highest information gain.

    Writes the gain in bits per example (-1: none is possible), the last bin on the low side, and the counts
    of both classes there (i8[features, 2]).
    """
    for index in range(counts.shape[0]):
        stayed, left = counts[index, 0], counts[index, 1]
        all_stayed, all_left = 0, 0
        for at in range(STRIDE):
            all_stayed += stayed[at]
            all_left += left[at]
        total = all_stayed + all_left
        least = max(LEAST_BRANCH * total, 1.0)
        before = x_log_x(total) - x_log_x(all_stayed) - x_log_x(all_left)
        gains[index] = -1.0
        low_stayed, low_left = 0, 0
        for at in range(STRIDE):
            low_stayed += stayed[at]
            low_left += left[at]
            below = low_stayed + low_left
            if below < least or total - below < least or stayed[at] + left[at] == 0:
                continue
            after = x_log_x(below) - x_log_x(low_stayed) - x_log_x(low_left)
            after += x_log_x(total - below) - x_log_x(all_stayed - low_stayed) - x_log_x(all_left - low_left)
            gain = (before - after) / total
            if gain > gains[index]:
                gains[index], places[index] = gain, at
                low[index, 0], low[index, 1] = low_stayed, low_left


class BinBranch(NumericBinaryBranch):
    """A split at a threshold; every example has a value for every feature, so the walk is a plain loop."""

    def walk(self, x: Row, until_leaf: bool = True) -> Iterator[Any]:  # noqa: ARG002 - River's interface
        node: Any = self
        yield node
        while isinstance(node, BinBranch):
            node = node.children[x[node.feature] > node.threshold]
            yield node


class BinLeaf(LeafMajorityClass):
    """A leaf that counts the bins of its own choice of features (`counts` i4[its features, 2, STRIDE])."""

    def __init__(self, stats: dict[int, int], depth: int, edges: Edges, features: Sequence[int]) -> None:
        super().__init__(stats, depth, None)  # type: ignore[no-untyped-call]  # River
        self.edges = edges
        self.features = np.array(features, np.int64)
        self.counts = np.zeros((len(features), 2, STRIDE), np.int32)

    def update_splitters(self, x: Row, y: int, w: int, nominal_attributes: Any) -> None:  # noqa: ARG002
        count_bins(self.counts, self.features, x.bins, y, w)

    def best_split_suggestions(self, criterion: Any, tree: Any) -> list[BranchFactory]:  # noqa: ARG002 - entropy
        """The best split of the two best features, as far as they tell something.

        None at all lets the leaf go on counting, where River's own leaves retire.
        """
        gains, places = np.zeros(len(self.features)), np.zeros(len(self.features), np.int64)
        low = np.zeros((len(self.features), 2), np.int64)
        best_splits(self.counts, gains, places, low)
        best = np.argsort(-gains, kind="stable")[:2]
        found = [self._split(int(index), float(gains[index]), int(places[index]), low[index]) for index in best]
        if not found or found[0].merit * self.total_weight < LEAST_GAIN:
            return []
        if len(found) == 1:  # River splits unasked when there is no second: let it compete with no gain at all
            found.append(BranchFactory(0.0, found[0].feature, found[0].split_info, found[0].children_stats))
        return found

    def _split(self, index: int, gain: float, place: int, low: NDArray[np.int64]) -> BranchFactory:
        feature = int(self.features[index])
        edges = self.edges.by_feature[feature]
        threshold = UNKNOWN if place == 0 else edges[min(place, len(edges)) - 1]
        stayed, left = (int(count) for count in self.counts[index].sum(axis=1))
        sides = [{0: int(low[0]), 1: int(low[1])}, {0: stayed - int(low[0]), 1: left - int(low[1])}]
        return BranchFactory(gain, feature, threshold, sides)


class BinTree(HoeffdingTreeClassifier):
    """A Hoeffding tree whose leaves are `BinLeaf`; which features a leaf sees depends on the seed and its number."""

    def __init__(self, edges: Edges, share: float, seed: int, grace: int, delta: float, tau: float, depth: int) -> None:
        super().__init__(
            grace_period=grace,
            delta=delta,
            tau=tau,
            max_depth=depth,
            leaf_prediction="mc",
            max_share_to_split=1.0,  # leavers are few, and a leaf without any may meet some later
            merit_preprune=False,  # a leaf that finds no split yet may find one later
            memory_estimate_period=10**15,  # size is bounded by depth and lifetime; the estimate walks every object
        )
        self.edges, self.share, self.seed = edges, share, seed
        self.leaves_made = 0

    def _branch_selector(self, numerical_feature: bool = True, multiway_split: bool = False) -> type[BinBranch]:  # noqa: ARG002
        return BinBranch

    def _new_leaf(self, initial_stats: dict[int, int] | None = None, parent: Any = None) -> BinLeaf:
        self.leaves_made += 1
        chooser = random.Random(f"{self.seed}/{self.leaves_made}")
        active = self.edges.active
        features = sorted(chooser.sample(active, max(1, math.ceil(self.share * len(active))))) if active else []
        return BinLeaf(initial_stats or {}, 0 if parent is None else parent.depth + 1, self.edges, features)


def rebin_leaf(leaf: BinLeaf, feature: int, source: NDArray[np.int64]) -> None:
    """Move a leaf's counts to new bins: `source[old bin]` is the new one."""
    for index in np.flatnonzero(leaf.features == feature).tolist():
        moved = np.zeros((2, STRIDE), np.int32)
        for old, new in enumerate(source.tolist()):
            moved[:, new] += leaf.counts[index, :, old]
        leaf.counts[index] = moved
