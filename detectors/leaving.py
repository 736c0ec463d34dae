"""Direct signs of leaving: eligibility queried, a port-out code, cancellation asked for. Facts, not statistics."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns, within


def strength(m: Columns, p: Params) -> Column:
    """1 for a query, 2 for a port-out code (live or expired unused) or a cancellation, 0 for none of late."""
    asked = within(m["porting_queried_days"], p["query_days"])
    going = np.maximum(
        within(m["porting_requested_days"], p["request_days"]),
        within(m["cancellation_requested_days"], p["request_days"]),
    )
    return np.maximum(asked, 2.0 * going)


DETECTOR = Detector(
    "leaving",
    "Steps towards leaving were taken",
    "已出现离网办理动作",
    ("competitor_price",),
    ("porting_requested_days", "cancellation_requested_days", "porting_queried_days"),
    {"query_days": 30.0, "request_days": 30.0},
    strength,
)
