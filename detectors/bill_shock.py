"""A bill far above what this customer usually pays, while it is news."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """The excess over the usual bill against the excess that shocks; a small sum shocks nobody."""
    excess = m["bill_vs_own"] - 1.0
    felt = m["bill_amount"] - m["bill_normal"] >= p["least_share"] * m["bill_normal"]
    fresh = m["days_since_bill"] <= p["fresh_days"]
    shock = np.where(fresh & felt, np.minimum(excess / p["excess"], 3.0), 0.0)
    return np.where(np.isnan(excess), np.nan, np.maximum(shock, 0.0))


DETECTOR = Detector(
    "bill_shock",
    "A bill far above the usual one",
    "账单远高于平时",
    ("plan_price", "plan_fit"),
    ("bill_vs_own", "bill_amount", "overage"),
    {"excess": 0.5, "least_share": 0.2, "fresh_days": 30.0},
    strength,
)
