"""Money that does not come: bills overdue, several unpaid, payments that bounced, a prepaid balance used up."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns, within


def strength(m: Columns, p: Params) -> Column:
    """A weighted count; unknown where neither payments nor balances of anyone were ever seen."""
    overdue = np.where(m["overdue_days"] > 0, m["overdue_days"] / p["late_days"], 0.0)
    several = np.where(m["bills_open"] > 1, p["each_more"] * (m["bills_open"] - 1.0), 0.0)
    bounced = p["reversed"] * within(m["days_since_payment_reversed"], p["reversed_days"])
    empty = np.where(m["balance"] <= 0, p["empty"], 0.0)
    known = ~(np.isnan(m["bills_open"]) & np.isnan(m["balance"]))
    return np.where(known, np.clip(overdue + several + bounced + empty, 0.0, 3.0), np.nan)


DETECTOR = Detector(
    "payment_stress",
    "Bills stay unpaid or payments fail",
    "缴费出现困难",
    ("plan_price", "personal"),
    ("overdue_days", "bills_open", "days_since_payment_reversed", "balance"),
    {"late_days": 20.0, "each_more": 0.3, "reversed": 0.4, "reversed_days": 30.0, "empty": 0.4},
    strength,
)
