"""The commitment runs out, or has run out with nothing in its place: the moment a customer looks around."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """1 from the last weeks to some months after the end, rising before; 0 far from it and where no contract is known."""
    months = m["months_to_contract_end"]
    rising = 1.0 - (months - p["months_before"]) / p["rise_months"]
    after = np.where(months >= -p["months_after"], 1.0, 0.0)
    known = np.where(months > p["months_before"], np.maximum(rising, 0.0), after)
    return np.where(np.isnan(months), 0.0, known)


DETECTOR = Detector(
    "contract_end",
    "The contract ends or has ended",
    "合约即将到期或已到期",
    ("competitor_price", "care"),
    ("months_to_contract_end", "contracts_running"),
    {"months_before": 1.5, "rise_months": 1.5, "months_after": 2.0},
    strength,
)
