"""How good the risks were, judged by what came true later: bounded memory, mergeable by addition.

Risks are counted in fixed bins of log odds, by outcome and weighted by how many examples each stands for; all figures
come from these counts. The bins are 0.012 wide, so AUC and average precision are exact to the third digit.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 2048
SPAN = 12.0
"""Log odds beyond this (six in a million) share the outermost bins."""
GROUPS = 10


class Progressive:
    """Counts f8[4, BINS] by bin of risk: weight of those who stayed, of those who left, sum of risks, squared errors."""

    def __init__(self) -> None:
        self.counts = np.zeros((4, BINS))
        self.labelled = 0

    def add(self, risk: NDArray[np.float64], left: NDArray[np.bool_], weight: NDArray[np.float64]) -> None:
        """Count n examples by the risk they were given before their outcome was learned; NaN is not counted."""
        said = ~np.isnan(risk)
        risk, left, weight = risk[said], left[said], weight[said]
        inside = np.clip(risk, 1e-9, 1 - 1e-9)
        place = ((np.log(inside / (1 - inside)) + SPAN) * (BINS / (2 * SPAN))).astype(np.int64)
        place = np.clip(place, 0, BINS - 1)
        for row, amount in enumerate((weight * ~left, weight * left, weight * risk, weight * (risk - left) ** 2)):
            np.add.at(self.counts[row], place, amount)
        self.labelled += len(risk)

    def merge(self, other: "Progressive") -> None:
        """Add another's counts."""
        self.counts += other.counts
        self.labelled += other.labelled

    def report(self) -> dict[str, Any]:
        """`labelled`, and `auc`, `average_precision`, `brier`, `calibration_error`: None while undefined."""
        stayed, left, risks, errors = self.counts
        total, leavers = stayed.sum() + left.sum(), left.sum()
        known = leavers > 0 and stayed.sum() > 0
        return {
            "labelled": self.labelled,
            "auc": area_under_curve(stayed, left) if known else None,
            "average_precision": average_precision(stayed, left) if known else None,
            "brier": float(errors.sum() / total) if total else None,
            "calibration_error": calibration_error(stayed + left, left, risks) if total else None,
        }

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All counts."""
        return {"counts": self.counts.copy(), "labelled": np.array([self.labelled])}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a `snapshot`."""
        self.counts = np.array(state["counts"], np.float64)
        self.labelled = int(state["labelled"][0])


def area_under_curve(stayed: NDArray[np.float64], left: NDArray[np.float64]) -> float:
    """The chance that a leaver had a higher risk than one who stayed; equal bins count half."""
    below = np.cumsum(stayed) - stayed
    return float((left * (below + stayed / 2)).sum() / (left.sum() * stayed.sum()))


def average_precision(stayed: NDArray[np.float64], left: NDArray[np.float64]) -> float:
    """Precision averaged over the leavers, highest risk first; a bin enters as a whole."""
    hits, seen = np.cumsum(left[::-1]), np.cumsum((left + stayed)[::-1])
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float((left[::-1] * precision).sum() / left.sum())


def calibration_error(total: NDArray[np.float64], left: NDArray[np.float64], risks: NDArray[np.float64]) -> float:
    """Mean distance of risk and share of leavers over ten groups of equal count, in order of risk."""
    middle = (np.cumsum(total) - total / 2) / total.sum()
    group = np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1)
    error = math.fsum(
        abs(float(risks[group == number].sum() - left[group == number].sum())) for number in range(GROUPS)
    )
    return error / float(total.sum())
