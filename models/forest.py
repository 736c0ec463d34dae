"""A forest of binned Hoeffding trees that learn by online bagging, the oldest being replaced from time to time.

Oza, Russell: Online bagging and boosting, AISTATS 2001: each tree learns each example a Poisson(1) number of times.
The number comes from a hash of example and tree, so the forest has no random state to carry along.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.hashing import combine
from models.encoding import STRIDE, moved_bins
from models.scoring import TreeArrays
from models.settings import LearningSettings
from models.trees import BinBranch, BinLeaf, BinTree, Edges, Row, rebin_leaf

YOUNG = 1000
"""A tree has no say before it was offered this many examples, unless all are young."""
SMOOTHING = 1.0
"""A leaf's odds start from the base rate with this weight."""
POISSON = np.cumsum([0.36787944, 0.36787944, 0.18393972, 0.06131324, 0.01532831, 0.00306566])


@compiled
def bagging_draws(key: np.uint64, seeds: NDArray[np.int64], cumulative: NDArray[np.float64]) -> NDArray[np.int64]:
    """How often each tree learns the example with this key (i8[trees])."""
    draws = np.zeros(len(seeds), np.int64)
    for tree in range(len(seeds)):
        unit = (combine(key, np.uint64(seeds[tree])) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
        for step in range(len(cumulative)):
            draws[tree] += unit >= cumulative[step]
    return draws


class Forest:
    """`learn` one example at a time; `arrays` for scoring; `snapshot` and `restore` for everything else."""

    def __init__(self, settings: LearningSettings) -> None:
        self.settings = settings
        self.edges = Edges()
        self.learned = 0
        self.made = 0
        self.trees: list[BinTree] = []
        self.born: list[int] = []
        for _ in range(settings.trees):
            self._plant()

    def _new_tree(self, seed: int) -> BinTree:
        s = self.settings
        return BinTree(self.edges, s.tree_features, seed, s.tree_grace, s.tree_delta, s.tree_tau, s.tree_depth)

    def _plant(self) -> None:
        self.made += 1
        self.trees.append(self._new_tree(self.made))
        self.born.append(self.learned)
        self.seeds = np.array([tree.seed for tree in self.trees], np.int64)

    def learn(self, row: Row, left: int, key: np.uint64) -> None:
        """Let every tree learn the example as often as its draw says."""
        self.learned += 1
        for tree, times in zip(self.trees, bagging_draws(key, self.seeds, POISSON).tolist(), strict=True):
            if times:
                tree.learn_one(row, left, w=times)  # type: ignore[no-untyped-call]  # River
        lifetime = self.settings.tree_lifetime
        if self.learned >= lifetime and self.learned % max(lifetime // len(self.trees), 1) == 0:
            del self.trees[0], self.born[0]
            self._plant()

    def rebin(self, feature: int, old: NDArray[np.float32], new: NDArray[np.float32]) -> None:
        """Carry the leaves' counts over to new edges."""
        source = moved_bins(old, new)
        for tree in self.trees:
            for leaf in leaves_of(tree):
                rebin_leaf(leaf, feature, source)

    def arrays(self, base_rate: float) -> TreeArrays:
        """The trees that have a say, for scoring; leaves with few examples lean to the base rate."""
        old = [tree for tree, born in zip(self.trees, self.born, strict=True) if self.learned - born >= YOUNG]
        nodes: list[tuple[int, float, int, float]] = []
        planted = [root for root in map(root_of, old or self.trees) if root is not None]
        roots = [_flatten(root, nodes, base_rate)[0] for root in planted]
        table = np.array(nodes, np.float64).reshape(-1, 4)
        return TreeArrays(
            np.array(roots, np.int32),
            table[:, 0].astype(np.int32),
            table[:, 1].astype(np.float32),
            table[:, 2].astype(np.int32),
            np.ascontiguousarray(table[:, 3]),
        )

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All trees with the counts in their leaves, as flat arrays."""
        state: dict[str, NDArray[np.generic]] = {"forest": np.array([self.learned, self.made, len(self.trees)])}
        for number, (tree, born) in enumerate(zip(self.trees, self.born, strict=True)):
            for name, array in dump_tree(tree).items():
                state[f"{number}.{name}"] = array
            state[f"{number}.born"] = np.array([born])
        return state

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a `snapshot`."""
        self.learned, self.made, count = (int(value) for value in state["forest"])
        self.trees, self.born = [], []
        for number in range(count):
            part = {key.partition(".")[2]: array for key, array in state.items() if key.startswith(f"{number}.")}
            tree = self._new_tree(int(part["head"][0]))
            load_tree(tree, part)
            self.trees.append(tree)
            self.born.append(int(part["born"][0]))
        self.seeds = np.array([tree.seed for tree in self.trees], np.int64)


def root_of(tree: BinTree) -> Any:
    """A tree's uppermost node, None before it learned anything."""
    return tree._root  # noqa: SLF001 - River has no public way to the nodes


def leaves_of(tree: BinTree) -> Iterator[BinLeaf]:
    """All leaves of a tree."""
    root = root_of(tree)
    if root is not None:
        yield from root.iter_leaves()


def _flatten(node: Any, nodes: list[tuple[int, float, int, float]], base: float) -> tuple[int, float, float]:
    """Append a node and all below; its place, and the weights of those who stayed and left."""
    place = len(nodes)
    nodes.append((-1, 0.0, -1, 0.0))
    if isinstance(node, BinBranch):
        _, left_stayed, left_gone = _flatten(node.children[0], nodes, base)
        right, right_stayed, right_gone = _flatten(node.children[1], nodes, base)
        stayed, gone = left_stayed + right_stayed, left_gone + right_gone
        nodes[place] = (int(node.feature), float(node.threshold), right, _log_odds(stayed, gone, base))
    else:
        stayed, gone = float(node.stats.get(0, 0)), float(node.stats.get(1, 0))
        nodes[place] = (-1, 0.0, -1, _log_odds(stayed, gone, base))
    return place, stayed, gone


def _log_odds(stayed: float, gone: float, base: float) -> float:
    return float(np.log((gone + SMOOTHING * base) / (stayed + SMOOTHING * (1.0 - base))))


def dump_tree(tree: BinTree) -> dict[str, NDArray[np.generic]]:
    """A tree as flat arrays: nodes in preorder, then the features and counts of the leaves."""
    nodes: list[list[float]] = []
    features: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    counts: list[NDArray[np.int32]] = [np.zeros((0, 2, STRIDE), np.int32)]

    def visit(node: Any) -> None:
        stats = [float(node.stats.get(label, -1)) for label in (0, 1)]  # -1: a class never seen here
        if isinstance(node, BinBranch):
            nodes.append([1, node.depth, *stats, node.feature, node.threshold, 0, 0])
            for child in node.children:
                visit(child)
        else:
            active = float(node.is_active())
            nodes.append([0, node.depth, *stats, len(node.features), node.last_split_attempt_at, active, 0])
            features.append(node.features)
            counts.append(node.counts)

    root = root_of(tree)
    if root is not None:
        visit(root)
    head = [tree.seed, tree.leaves_made, tree._n_active_leaves, tree._n_inactive_leaves]  # noqa: SLF001
    return {
        "head": np.array(head, np.int64),
        "weight": np.array([tree._train_weight_seen_by_model], np.float64),  # noqa: SLF001
        "classes": np.array(sorted(tree.classes), np.int64),
        "nodes": np.array(nodes, np.float64).reshape(-1, 8),
        "features": np.concatenate(features),
        "counts": np.concatenate(counts),
    }


def load_tree(tree: BinTree, state: dict[str, NDArray[np.generic]]) -> None:
    """Fill an empty tree from `dump_tree`'s arrays."""
    rows, used = iter(state["nodes"].tolist()), 0
    features, counts = state["features"].astype(np.int64), state["counts"].astype(np.int32)

    def build() -> Any:
        nonlocal used
        branch, depth, stayed, gone, first, second, active, _ = next(rows)
        stats = {label: int(count) for label, count in ((0, stayed), (1, gone)) if count >= 0}
        if branch:
            low, high = build(), build()
            return BinBranch(stats, int(first), second, int(depth), low, high)  # type: ignore[no-untyped-call]  # River
        own = slice(used, used + int(first))
        used += int(first)
        leaf = BinLeaf(stats, int(depth), tree.edges, features[own].tolist())
        leaf.counts = counts[own].copy()
        leaf.last_split_attempt_at = int(second)
        if not active:
            leaf.deactivate()  # type: ignore[no-untyped-call]  # River
        return leaf

    _, tree.leaves_made, tree._n_active_leaves, tree._n_inactive_leaves = state["head"].tolist()  # noqa: SLF001
    tree._train_weight_seen_by_model = float(state["weight"][0])  # noqa: SLF001
    tree.classes = set(state["classes"].tolist())
    if len(state["nodes"]):
        tree._root = build()  # noqa: SLF001
