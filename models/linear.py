"""River's logistic regression over one-hot bins, with AdaGrad.

Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12, 2011:
each bin has its own step, so a rare bin that tells much is learned from a handful of leavers.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import linear_model, optim
from river.utils import VectorDict

from models.encoding import STRIDE, moved_bins

INTERCEPT = -1
"""The key of the intercept: it slows down as the other weights do, instead of following the newest examples."""


class QuickAdaGrad(optim.AdaGrad):
    """River's AdaGrad, asking for the learning rate once per example instead of once per weight."""

    def _step_with_dict(self, w: Any, g: Any) -> Any:
        rate, eps, squares = self.learning_rate, self.eps, self.g2
        for key, gradient in g.items():
            square = squares[key] = squares[key] + gradient * gradient
            w[key] -= rate / (square + eps) ** 0.5 * gradient
        return w


class BinnedRegression:
    """One weight per feature and bin; the key of a weight is feature * STRIDE + bin."""

    def __init__(self, rate: float) -> None:
        self.model = linear_model.LogisticRegression(optimizer=QuickAdaGrad(rate), intercept_lr=0.0)

    def learn(self, keys: Iterable[int], left: bool) -> None:
        """Learn one example from the keys of its bins."""
        example = dict.fromkeys(keys, 1.0)
        example[INTERCEPT] = 1.0
        self.model.learn_one(example, left)

    @property
    def intercept(self) -> float:
        """The log odds before any feature is looked at."""
        return float(self.model.weights.get(INTERCEPT, 0.0))

    def weights(self, features: int) -> NDArray[np.float64]:
        """All weights as f8[features, STRIDE]; 0 for bins never seen."""
        table = np.zeros(features * STRIDE)
        learned = self.model.weights
        learned.pop(INTERCEPT, None)
        table[list(learned)] = list(learned.values())
        return table.reshape(features, STRIDE)

    def rebin(self, feature: int, old: NDArray[np.float32], new: NDArray[np.float32]) -> None:
        """Carry what was learned over to new edges: a new bin starts from the old bin that holds its upper end."""
        if len(old) == 0:
            return
        base = feature * STRIDE
        weights, squares = self.model.weights, self.model.optimizer.g2
        source = moved_bins(new, old)
        moved = {base + to: (weights.get(base + at), squares.get(base + at)) for to, at in enumerate(source.tolist())}
        for key in range(base, base + STRIDE):
            weights.pop(key, None)
            squares.pop(key, None)
        for key, (weight, square) in moved.items():
            if weight is not None and square is not None:
                weights[key], squares[key] = weight, square
        self._set_weights(weights)

    def _set_weights(self, weights: dict[int, float]) -> None:
        self.model._weights = VectorDict(weights)  # noqa: SLF001 - River offers no other way to set weights

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Weights, AdaGrad's sums of squares, and step count."""
        weights, squares = self.model.weights, self.model.optimizer.g2
        return {
            "weight_keys": np.array(list(weights), np.int64),
            "weight_values": np.array(list(weights.values()), np.float64),
            "square_keys": np.array(list(squares), np.int64),
            "square_values": np.array(list(squares.values()), np.float64),
            "steps": np.array([self.model.optimizer.n_iterations], np.int64),
        }

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a `snapshot`."""
        self._set_weights(dict(zip(state["weight_keys"].tolist(), state["weight_values"].tolist(), strict=True)))
        squares = dict(zip(state["square_keys"].tolist(), state["square_values"].tolist(), strict=True))
        self.model.optimizer.g2.clear()
        self.model.optimizer.g2.update(squares)
        self.model.optimizer.n_iterations = int(state["steps"][0])
