"""Who the customer is: value, lifecycle, place. Cut points are the operator's, in `config/churn.yaml`."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.catalogue import Feature
from detectors.columns import Column, Columns, choose


def monthly_spend(m: Columns) -> Column:
    """Money a month: the usual bill, else the fee, else a third of what was topped up in three months."""
    topped = m["m.topup_amount_90d"] * 30.0 / m["m.covered_90d"]
    spend = np.where(np.isnan(m["m.bill_normal"]), m["m.monthly_fee"], m["m.bill_normal"])
    return np.where(np.isnan(spend), np.where(topped > 0, topped, np.nan), spend)


def value_class(m: Columns) -> Column:
    """High, mid or low by monthly spend (handbook 4.1: value from spending history)."""
    cuts = m.params["value"]
    spend = m["monthly_spend"]
    return choose((spend >= cuts["high"], 0.0), (spend >= cuts["mid"], 1.0), (spend < cuts["mid"], 2.0))


def lifecycle(m: Columns) -> Column:
    """New, growth, mature, decline (handbook 4.2): by tenure, and by use against the own normal."""
    cuts = m.params["lifecycle"]
    tenure, index = m["tenure_days"], m["usage_index"]
    return choose(
        (tenure < cuts["new_days"], 0.0),
        (index < cuts["decline_below"], 3.0),
        (tenure < cuts["growth_days"], 1.0),
        (tenure >= cuts["growth_days"], 2.0),
    )


def _label(name: str, en: str, zh: str) -> Feature:
    return Feature(name, "class", "life", en, zh, (), lambda m: m["m." + name], kind="category", learned=False)


FEATURES: Final = (
    Feature("monthly_spend", "money", "90d", "Money a month", "月均消费", ("plan_price",), monthly_spend),
    Feature("value_class", "class", "90d", "Value class", "价值等级", (), value_class, kind="category",
            values=("high", "mid", "low")),
    Feature("lifecycle", "class", "life", "Lifecycle", "生命周期阶段", ("care",), lifecycle, kind="category",
            values=("new", "growth", "mature", "decline")),
    Feature("kind", "class", "life", "Person, family or enterprise", "客户类型", (), lambda m: m["m.kind"],
            kind="category", values=("person", "family", "enterprise")),
    _label("region", "Region", "地区"),
    _label("segment", "Segment", "客户分群"),
    _label("plan", "Plan", "套餐"),
    _label("age_band", "Age band", "年龄段"),
)
