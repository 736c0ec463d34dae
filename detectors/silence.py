"""No use at all for longer than the customer's own rhythm explains, on the clock of the usage feed."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """Days of silence over the customer's limit; unknown while absence means nothing."""
    return np.clip(m["silence_ratio"] / p["times"], 0.0, 3.0)


DETECTOR = Detector(
    "silence",
    "Silent for longer than the customer's own rhythm",
    "静默时间超出本人使用节奏",
    ("competitor_price", "personal", "care"),
    ("silence_ratio", "days_since_use", "silent_days"),
    {"times": 1.0},
    strength,
)
