"""A line that is or lately was suspended: for arrears, on request, or stopped until the customer proves who they are."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns, choose


def strength(m: Columns, p: Params) -> Column:
    """1 while suspended, then less by the day; a line lost, transferred or closed is nobody's suspension.

    0 for a line never suspended.
    """
    kind, age = m["suspended_as"], m["days_since_suspended"]
    now = (m["line_status"] >= 1.0) & (m["line_status"] <= 3.0)
    lately = np.maximum(1.0 - age / p["fade_days"], 0.0) * choose((kind <= 2.0, 1.0))
    return np.where(now, 1.0, np.where(np.isnan(lately), 0.0, lately))


DETECTOR = Detector(
    "suspension",
    "The line is or was lately suspended",
    "线路处于或近期曾停机",
    ("regulation", "environment", "plan_price"),
    ("line_status", "suspended_as", "days_since_suspended"),
    {"fade_days": 60.0},
    strength,
)
