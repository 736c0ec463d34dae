"""A week unlike the customer's own: which way, the features beside it say; that it is rare, half-space trees do.

What is rare is worked out by the model (`models/anomaly.py`), as the share of customer-days that are less unusual.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """1 where the customer-day is one in `one_in`, 2 where it is one in twice as many."""
    rarer = np.maximum(1.0 - m["anomaly"], 1e-9)
    return np.clip(1.0 / (rarer * p["one_in"]), 0.0, 3.0)


DETECTOR = Detector(
    "anomaly",
    "A week unlike the customer's own",
    "近一周与本人常态明显不同",
    ("care", "personal"),
    ("anomaly", "usage_7d_vs_own", "bill_vs_own", "trouble_rate_7d"),
    {"one_in": 200.0},
    strength,
)
