"""A lasting drop in use against the customer's own normal and that of peers: a change point, not a fixed threshold.

The evidence is a one-sided CUSUM (Page, 1954) of the weekly index over closed days (`customers/normal.py`), whose slack
grows with the customer's own spread; it must still hold now, by the running week.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """Evidence over its threshold, as long as the running week is low too."""
    low_now = m["usage_7d_vs_peers"] <= p["still_below"]
    evidence = np.clip(m["usage_cusum"] / p["evidence"], 0.0, 3.0)
    return np.where(np.isnan(m["usage_7d_vs_peers"]), np.nan, np.where(low_now, evidence, 0.0))


DETECTOR = Detector(
    "usage_collapse",
    "Use has dropped for good against the customer's own normal",
    "使用量较本人常态持续下降",
    ("competitor_price", "personal", "network", "care"),
    ("usage_7d_vs_peers", "usage_7d_vs_own", "usage_cusum", "data_mb_7d_vs_own", "voice_7d_vs_own"),
    {"evidence": 0.35, "still_below": 0.7},
    strength,
)
