"""Attempts that fail and sessions that drop: what the network is like for this customer, not for the cell's average."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """The worse of the week's and the month's share of bad attempts over its limit.

    0 with too few bad attempts to speak of; unknown where too little was tried or quality is never reported.
    """
    week = np.where(m["dropped_7d"] + m["failed_7d"] >= p["least_week"], m["trouble_rate_7d"] / p["week"], 0.0)
    month = np.where(m["dropped_30d"] + m["failed_30d"] >= p["least_month"], m["trouble_rate_30d"] / p["month"], 0.0)
    known = ~(np.isnan(m["trouble_rate_7d"]) & np.isnan(m["trouble_rate_30d"]))
    return np.where(known, np.clip(np.fmax(week, month), 0.0, 3.0), np.nan)


DETECTOR = Detector(
    "network_pain",
    "Failed attempts and dropped sessions pile up",
    "掉话和接入失败频繁",
    ("network",),
    ("trouble_rate_7d", "dropped_7d", "failed_7d", "trouble_rate_30d", "dropped_30d", "failed_30d"),
    {"week": 0.15, "month": 0.1, "least_week": 4.0, "least_month": 8.0},
    strength,
)
