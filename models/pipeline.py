"""What learns: one encoder of values, and two River models on it that see differently.

The logistic regression adds up what each feature says and needs few leavers; the forest finds what matters only in
combination. How much each is trusted is the calibration's business.
"""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoding import STRIDE, Encoder
from models.forest import Forest
from models.linear import BinnedRegression
from models.scoring import Scorer
from models.settings import LearningSettings
from models.trees import UNKNOWN, Row


class Learner:
    """Encoder, logistic regression and forest, learning the same examples one by one."""

    def __init__(self, settings: LearningSettings) -> None:
        self.encoder = Encoder()
        self.linear = BinnedRegression(settings.linear_rate)
        self.forest = Forest(settings)
        self.stayed = 0
        self.left = 0

    def fit_edges(self, values: NDArray[np.float32], categorical: NDArray[np.bool_]) -> None:
        """Fit the bins to the population (`values` f4[n, features]) and carry over what was learned."""
        for feature, old in self.encoder.fit(values, categorical):
            new = self.encoder.edges[feature]
            self.linear.rebin(feature, old, new)
            self.forest.rebin(feature, old, new)
        self._share_edges()

    def _share_edges(self) -> None:
        self.forest.edges.by_feature = [edges.tolist() for edges in self.encoder.edges]
        self.forest.edges.active = self.encoder.active().tolist()

    def learn(
        self,
        values: NDArray[np.float32],
        labels: NDArray[np.int8],
        keys: NDArray[np.uint64],
        with_trees: NDArray[np.bool_],
    ) -> None:
        """Learn n examples in their order (`values` f4[n, features]); the trees only those marked."""
        bins = self.encoder.bins(values)
        active = self.encoder.active()
        weight_keys = (bins[:, active].astype(np.int64) + active * STRIDE).tolist()
        rows = np.where(np.isnan(values), np.float32(UNKNOWN), values).tolist()
        for index, label in enumerate(labels.tolist()):
            self.linear.learn(weight_keys[index], bool(label))
            if with_trees[index]:
                self.forest.learn(Row(rows[index], bins[index]), label, keys[index])
            self.left += label
            self.stayed += 1 - label

    def scorer(self) -> Scorer:
        """What was learned so far, as arrays."""
        edges, starts = self.encoder.flat()
        weights = self.linear.weights(len(self.encoder.edges))
        base_rate = (self.left + 1.0) / (self.left + self.stayed + 2.0)
        return Scorer(
            edges,
            starts,
            weights,
            self.encoder.shares,
            self.linear.intercept,
            self.forest.arrays(base_rate),
        )

    def snapshot(self) -> dict[str, Any]:
        """Everything learned, as arrays."""
        edges, starts = self.encoder.flat()
        state: dict[str, Any] = {f"linear.{name}": array for name, array in self.linear.snapshot().items()}
        state |= {f"forest.{name}": array for name, array in self.forest.snapshot().items()}
        state |= {"encoder.edges": edges, "encoder.starts": starts, "encoder.shares": self.encoder.shares}
        return state | {"counts": np.array([self.stayed, self.left])}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `snapshot`."""
        edges, starts = state["encoder.edges"], state["encoder.starts"]
        self.encoder.edges = [edges[a:b] for a, b in itertools.pairwise(starts.tolist())]
        self.encoder.shares = state["encoder.shares"]
        self._share_edges()
        self.linear.restore({key[7:]: array for key, array in state.items() if key.startswith("linear.")})
        self.forest.restore({key[7:]: array for key, array in state.items() if key.startswith("forest.")})
        self.stayed, self.left = (int(count) for count in state["counts"])
