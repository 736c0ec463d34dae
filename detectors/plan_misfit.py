"""A plan that is too small or too large: use beyond the allowance, or another plan that would cost far less.

Where the operator's plans are not known (`config/plans.yaml`), overage on the bill is all there is to judge by.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """The stronger of the two directions; unknown while nothing is known of overage or allowances."""
    used = np.fmax(m["data_allowance_used"], m["minutes_allowance_used"])
    beyond = np.maximum((used - 1.0) / p["beyond"], 0.0)
    charged = np.where(m["days_since_bill"] <= p["fresh_days"], m["overage_share"] / p["overage"], np.nan)
    fading = m["usage_7d_vs_own"] < p["fading_below"]  # who is about to stop is not told of a smaller plan
    saving = np.where((used < p["idle_below"]) & ~fading, m["better_plan_saving"] / p["saving"], 0.0)
    idle = np.where(np.isnan(used), np.nan, saving)
    return np.minimum(np.fmax(np.fmax(beyond, charged), np.maximum(idle, 0.0)), 3.0)


DETECTOR = Detector(
    "plan_misfit",
    "The plan is too small or too large",
    "套餐过小或过大",
    ("plan_fit",),
    ("data_allowance_used", "minutes_allowance_used", "overage_share", "better_plan_saving", "days_since_bill"),
    {"beyond": 0.3, "overage": 0.3, "fresh_days": 35.0, "idle_below": 0.3, "fading_below": 0.7, "saving": 0.35},
    strength,
)
