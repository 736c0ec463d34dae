"""From the two models' log odds to a probability: logistic stacking, fitted to what came true.

Platt: Probabilistic outputs for support vector machines, 1999, with two inputs: log odds of the risk =
linear * (logistic regression) + forest * (trees) + bias. It is fitted by Newton's method to the newest examples, each
with the log odds it was given before its outcome was learned. Only a share of those who stay is learned; among the
chosen the odds of leaving are higher by 1 / share, which enters as an offset (King, Zeng: Logistic regression in rare
events data, Political Analysis 9, 2001). The fit is exact and repeatable; there is no learning rate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = np.array([0.5, 0.5, 0.0])
"""Without evidence both models are trusted alike, ..."""
PRIOR_WEIGHT = np.array([2.0, 2.0, 1e-3])
"""... and this is how many units of information that belief is worth; the bias is free."""
ROUNDS = 12
FIELDS = ("logits", "label", "share")


@dataclass(frozen=True, slots=True)
class Calibration:
    """The trust in each model, and the bias."""

    linear: float
    forest: float
    bias: float


class Calibrator:
    """A ring of the newest examples: `logits` f8[n, 2], `label` f8[n], `share` f8[n]."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.logits = np.zeros((0, 2))
        self.label = np.zeros(0)
        self.share = np.zeros(0)

    def add(self, logits: NDArray[np.float64], label: NDArray[np.float64], share: NDArray[np.float64]) -> None:
        """Remember n examples; the oldest make room."""
        self.logits = np.concatenate([self.logits, logits])[-self.capacity :]
        self.label = np.concatenate([self.label, label])[-self.capacity :]
        self.share = np.concatenate([self.share, share])[-self.capacity :]

    @property
    def positives(self) -> int:
        """How many of the remembered left."""
        return int(self.label.sum())

    def fit(self) -> Calibration:
        """The most probable calibration; neither trust is below zero."""
        used = np.array([True, True, True])
        found = self._fit(used)
        if min(found[:2]) < 0:
            used[int(np.argmin(found[:2]))] = False
            found = self._fit(used)
        return Calibration(max(float(found[0]), 0.0), max(float(found[1]), 0.0), float(found[2]))

    def _fit(self, used: NDArray[np.bool_]) -> NDArray[np.float64]:
        inputs = np.column_stack([self.logits, np.ones(len(self.label))])[:, used]
        prior, prior_weight = PRIOR[used], PRIOR_WEIGHT[used]
        weight = np.where(self.label > 0, 1.0, 1.0 / self.share)
        rate = (self.label.sum() + 0.5) / (weight.sum() + 1.0)
        offset = -np.log(self.share)
        at = prior.copy()
        at[-1] = np.log(rate / (1 - rate))
        value = self._loss(inputs, offset, at, prior, prior_weight)
        for _ in range(ROUNDS):
            risk = 1 / (1 + np.exp(-_times(inputs, at) - offset))
            slope = _columns_sum(inputs, risk - self.label) + prior_weight * (at - prior)
            curvature = np.diag(prior_weight)
            for column in range(len(at)):
                bent = risk * (1 - risk) * inputs[:, column]
                curvature[column] += _columns_sum(inputs, bent)
            step = np.linalg.solve(curvature, slope)
            at, value, moved = self._descend(inputs, offset, at, value, step, prior, prior_weight)
            if not moved:
                break
        full = np.zeros(3)
        full[used] = at
        return full

    def _descend(
        self,
        inputs: NDArray[np.float64],
        offset: NDArray[np.float64],
        at: NDArray[np.float64],
        value: float,
        step: NDArray[np.float64],
        prior: NDArray[np.float64],
        prior_weight: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], float, bool]:
        """Go the step or a part of it, whichever lowers the loss."""
        for part in (1.0, 0.5, 0.25, 0.0625):
            trial = at - part * step
            loss = self._loss(inputs, offset, trial, prior, prior_weight)
            if loss < value - 1e-9:
                return trial, loss, True
        return at, value, False

    def _loss(
        self,
        inputs: NDArray[np.float64],
        offset: NDArray[np.float64],
        at: NDArray[np.float64],
        prior: NDArray[np.float64],
        prior_weight: NDArray[np.float64],
    ) -> float:
        odds = _times(inputs, at) + offset
        losses = np.logaddexp(0.0, odds) - self.label * odds
        return float(losses.sum() + (prior_weight * (at - prior) ** 2).sum() / 2)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All remembered examples."""
        return {name: getattr(self, name) for name in FIELDS}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a `snapshot`."""
        for name in FIELDS:
            setattr(self, name, np.asarray(state[name], np.float64))


def _times(inputs: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((inputs * at).sum(axis=1))


def _columns_sum(inputs: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((inputs * factor[:, None]).sum(axis=0))
