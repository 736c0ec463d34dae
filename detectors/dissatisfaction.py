"""Dissatisfaction said in so many words: a poor survey answer, complaints settled without content."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def strength(m: Columns, p: Params) -> Column:
    """How far the newest fresh answer lies below content, and what each settlement without content adds.

    Unknown where no answer is fresh and no complaint of anyone was ever seen.
    """
    fresh = m["days_since_survey"] <= p["fresh_days"]
    below = np.where(fresh, np.maximum((p["content"] - m["survey_last"]) / (p["content"] - p["poor"]), 0.0), np.nan)
    unsettled = p["unsatisfied"] * m["unsatisfied_90d"]
    score = np.where(np.isnan(below), unsettled, np.where(np.isnan(unsettled), below, below + unsettled))
    return np.clip(score, 0.0, 3.0)


DETECTOR = Detector(
    "dissatisfaction",
    "The customer said they are not content",
    "客户明确表示不满意",
    ("after_sales", "care"),
    ("survey_last", "unsatisfied_90d", "days_since_survey"),
    {"content": 0.6, "poor": 0.25, "fresh_days": 45.0, "unsatisfied": 0.6},
    strength,
)
