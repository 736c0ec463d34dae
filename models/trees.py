"""River's Hoeffding tree on binned values: exact split statistics per bin, leaves that look at a part of the features.

Domingos, Hulten: Mining high-speed data streams, KDD 2000; the random part of the features per leaf is that of
adaptive random forests (Gomes et al., Machine Learning 106, 2017). River's own numeric observers model each class as
a Gaussian, which fits neither counts nor prices, and cost five times as much per update as counting in bins.
Examples reach a tree as `Row`: a list of values (unknown: -inf, so that it goes left of every threshold) that carries
its bins. Thresholds are values, so edges may be fitted anew while a tree lives.
"""

import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.tree import HoeffdingTreeClassifier
from river.tree.nodes.branch import NumericBinaryBranch
from river.tree.nodes.htc_nodes import LeafMajorityClass
from river.tree.splitter import Splitter
from river.tree.utils import BranchFactory

from models.encoding import STRIDE

UNKNOWN = -math.inf
LEAST_BRANCH = 0.01
"""A branch with less than this share of a leaf's examples is not split off."""

LEAST_GAIN = 5.0
"""In bits over all of a leaf's examples: less is found by chance among a dozen features with a dozen bins each."""


class Row(list[float]):
    """The values of one example by feature, with the bin of each."""

    __slots__ = ("bins",)

    def __init__(self, values: Sequence[float], bins: Sequence[int]) -> None:
        super().__init__(values)
        self.bins = bins


class Edges:
    """The edges that all trees share, by feature, as lists; `active` are the features worth looking at."""

    def __init__(self) -> None:
        self.by_feature: list[list[float]] = []
        self.active: list[int] = []


@cache
def x_log_x(count: int) -> float:
    """A count times its logarithm to base 2."""
    return count * math.log2(count) if count > 0 else 0.0


class BinSplitter(Splitter):
    """Counts of both classes per bin of one feature."""

    def __init__(self, edges: Edges) -> None:
        super().__init__()
        self.edges = edges
        self.counts: list[list[int]] = [[0] * STRIDE, [0] * STRIDE]

    def update(self, att_val: Any, target_val: Any, w: Any) -> None:
        self.counts[target_val][att_val] += w

    def cond_proba(self, att_val: Any, target_val: Any) -> float:
        """Part of River's interface for naive Bayes leaves, which these trees have none of."""
        raise NotImplementedError

    def best_evaluated_split_suggestion(
        self,
        criterion: Any,  # noqa: ARG002 - River's interface; entropy is computed here, from integers, at a tenth of the cost
        pre_split_dist: Any,  # noqa: ARG002
        att_idx: Any,
        binary_only: bool,  # noqa: ARG002
    ) -> BranchFactory:
        """The split between bins with the highest information gain."""
        stayed, left = self.counts
        all_stayed, all_left = sum(stayed), sum(left)
        total = all_stayed + all_left
        least = max(LEAST_BRANCH * total, 1)
        before = x_log_x(total) - x_log_x(all_stayed) - x_log_x(all_left)
        gain, best, low_stayed, low_left = -1.0, (0, 0, 0), 0, 0
        for at in range(len(self.edges.by_feature[att_idx]) + 1):
            if not stayed[at] and not left[at]:
                continue
            low_stayed += stayed[at]
            low_left += left[at]
            low = low_stayed + low_left
            if low < least:
                continue
            if total - low < least:
                break
            after = x_log_x(low) - x_log_x(low_stayed) - x_log_x(low_left)
            after += x_log_x(total - low) - x_log_x(all_stayed - low_stayed) - x_log_x(all_left - low_left)
            if before - after > gain:
                gain, best = before - after, (at, low_stayed, low_left)
        if gain < LEAST_GAIN:
            return BranchFactory()
        at, low_stayed, low_left = best
        threshold = self.edges.by_feature[att_idx][at - 1] if at else UNKNOWN
        split = [{0: low_stayed, 1: low_left}, {0: all_stayed - low_stayed, 1: all_left - low_left}]
        return BranchFactory(gain / total, att_idx, threshold, split)


class BinBranch(NumericBinaryBranch):
    """A split at a threshold; every example has a value for every feature, so the walk is a plain loop."""

    def walk(self, x: Row, until_leaf: bool = True) -> Iterator[Any]:  # noqa: ARG002 - River's interface
        node: Any = self
        yield node
        while isinstance(node, BinBranch):
            node = node.children[x[node.feature] > node.threshold]
            yield node


class BinLeaf(LeafMajorityClass):
    """A leaf that counts bins of its own choice of features."""

    def __init__(self, stats: dict[int, int], depth: int, edges: Edges, features: list[int]) -> None:
        super().__init__(stats, depth, BinSplitter(edges))  # type: ignore[no-untyped-call]  # River
        self.edges = edges
        self.features = features

    def update_splitters(self, x: Row, y: int, w: int, nominal_attributes: Any) -> None:  # noqa: ARG002
        if not self.splitters:
            self.splitters = {feature: BinSplitter(self.edges) for feature in self.features}
        bins = x.bins
        for feature, splitter in self.splitters.items():
            splitter.counts[y][bins[feature]] += w

    def best_split_suggestions(self, criterion: Any, tree: Any) -> list[BranchFactory]:
        """The features that tell something; none lets the leaf go on counting, where River would retire it."""
        found = [one for one in super().best_split_suggestions(criterion, tree) if one.feature is not None]
        if len(found) == 1:  # River splits unasked when there is no second: let it compete with no gain at all
            found.append(BranchFactory(0.0, found[0].feature, found[0].split_info, found[0].children_stats))
        return found


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
    splitter = leaf.splitters.get(feature) if leaf.splitters else None
    if splitter is not None:
        moved = [[0] * STRIDE, [0] * STRIDE]
        for label, counts in enumerate(splitter.counts):
            for old, new in enumerate(source.tolist()):
                moved[label][new] += counts[old]
        splitter.counts = moved
