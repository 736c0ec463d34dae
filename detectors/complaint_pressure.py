"""Complaints that pile up: graded, repeated, reopened, unsettled, late, or with the regulator."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns, within


def _or_zero(column: Column) -> Column:
    return np.where(np.isnan(column), 0.0, column)


def strength(m: Columns, p: Params) -> Column:
    """A weighted count; unknown while no complaint of anyone was ever seen."""
    grade = _or_zero(m["complaint_severity_max"])
    score = (
        p["repeat"] * m["complaints_30d"]
        + p["quarter"] * m["complaints_90d"]
        + p["reopened"] * _or_zero(m["complaints_reopened_90d"])
        + p["unsatisfied"] * _or_zero(m["unsatisfied_90d"])
        + p["late"] * _or_zero(m["complaints_overdue"])
        + p["escalated"] * _or_zero(m["complaints_escalated"])
        + np.where(m["complaints_open"] > 0, p["grade"] * np.maximum(grade - 1.0, 0.0), 0.0)
        + np.where(m["complaints_open"] > 0, p["waiting"] * np.minimum(m["complaint_open_days"], 14.0), 0.0)
        + p["regulator"] * within(m["days_since_regulator"], 30.0)
    )
    return np.clip(score, 0.0, 3.0)


DETECTOR = Detector(
    "complaint_pressure",
    "Complaints pile up",
    "投诉压力累积",
    ("after_sales", "care"),
    ("complaints_30d", "complaints_open", "complaint_open_days", "complaints_reopened_90d", "unsatisfied_90d"),
    {
        "repeat": 0.3,
        "quarter": 0.1,
        "reopened": 0.4,
        "unsatisfied": 0.4,
        "late": 0.4,
        "escalated": 0.4,
        "grade": 0.2,
        "waiting": 0.04,
        "regulator": 1.0,
    },
    strength,
)
