"""The operator made the plan dearer, and it is still news."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns

_BY_CUSTOMER = 0.0  # the code of plan_changed_by


def strength(m: Columns, p: Params) -> Column:
    """The rise of the fee over the rise that hurts; 0 for what the customer chose, for what is old, and for no rise."""
    news = (m["days_since_price_rise"] <= p["fresh_days"]) & ~(m["plan_changed_by"] == _BY_CUSTOMER)
    return np.where(news & (m["fee_change"] > 0), np.minimum(m["fee_change"] / p["rise"], 3.0), 0.0)


DETECTOR = Detector(
    "price_change",
    "The plan became dearer",
    "套餐资费上调",
    ("plan_price",),
    ("fee_change", "days_since_price_rise", "plan_changed_by"),
    {"fresh_days": 45.0, "rise": 0.1},
    strength,
)
