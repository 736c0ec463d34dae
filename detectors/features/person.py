"""Who the customer is: value, lifecycle, place. Cut points are the operator's, in `config/churn.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

import numpy as np

from detectors.catalogue import Feature, same
from detectors.columns import Column, Columns, choose


def monthly_spend(m: Columns) -> Column:
    """Money a month: the usual bill, else the fee, else a third of what was topped up in three months.

    In a customer's first month what was topped up so far: a first top-up is no daily habit.
    """
    topped = m["m.topup_amount_90d"] * 30.0 / np.maximum(m["m.covered_90d"], 30.0)
    spend = np.where(np.isnan(m["m.bill_normal"]), m["m.monthly_fee"], m["m.bill_normal"])
    return np.where(np.isnan(spend), np.where(topped > 0, topped, np.nan), spend)


def value_class(m: Columns) -> Column:
    """High, mid or low (handbook 4.1: value from spending history, RFM, satisfaction and loyalty).

    By monthly spend; a loyal customer with an RFM score near the top counts one class higher.
    """
    cuts = m.params["value_class"]
    spend = m["monthly_spend"]
    plain = choose((spend >= cuts["high"], 0.0), (spend >= cuts["mid"], 1.0), (spend < cuts["mid"], 2.0))
    raised = (m["loyalty"] == 0.0) & (m["rfm_score"] >= cuts["loyal_rfm"])
    return np.where(raised, np.maximum(plain - 1.0, 0.0), plain)


def grade(column: Column, cuts: Sequence[float], *, falling: bool = False) -> Column:
    """1 to 5 by four rising cut points; `falling`: little is good. Unknown stays unknown."""
    above = reduce(np.add, (np.where(column >= cut, 1.0, 0.0) for cut in cuts))
    return np.where(np.isnan(column), np.nan, 5.0 - above if falling else 1.0 + above)


def rfm(part: str, of: str, *, falling: bool = False) -> Callable[[Columns], Column]:
    """A grade of RFM (handbook 4.1; Hughes, Strategic Database Marketing, 1994).

    The cut points are fixed, not quintiles: a customer's grade does not change because others do.
    """
    return lambda m: grade(m[of], m.params["rfm"][part], falling=falling)


def loyalty(m: Columns) -> Column:
    """Loyal, potential, disloyal (handbook 4.3): by steps towards leaving, time with us, satisfaction and use.

    Disloyal: asked about leaving lately, or uses far less than was normal with no contract to keep them. Loyal: long
    with us, not discontent, and using as ever. Potential: everybody else.
    """
    cuts = m.params["loyalty"]
    asked = np.fmin(m["porting_queried_days"], np.fmin(m["porting_requested_days"], m["cancellation_requested_days"]))
    drifting = (m["usage_index"] < cuts["drifting_below"]) & ~(m["contracts_running"] > 0)
    steady = (m["tenure_days"] >= cuts["loyal_days"]) & ~(m["usage_index"] < cuts["steady_from"])
    content = ~(m["survey_last"] < cuts["content_from"]) & ~(m["complaints_open"] > 0)
    return choose(
        ((asked <= cuts["asked_days"]) | drifting, 2.0), (steady & content, 0.0), (m["tenure_days"] >= 0.0, 1.0)
    )


def clv(m: Columns) -> Column:
    """What the customer is expected to bring from now on, in money: m · r / (1 + d - r), month by month.

    The constant-margin, constant-retention form of Berger and Nasr (1998) and Gupta and Lehmann (2003): m the margin of
    a month's spend, d the discount, r the chance of staying another month, by lifecycle (`clv` in churn.yaml).
    """
    cuts = m.params["clv"]
    stage, leave = m["lifecycle"], cuts["monthly_churn"]
    churn = choose(*((stage == float(k), leave[name]) for k, name in enumerate(LIFECYCLE)))
    stay = 1.0 - churn
    worth: Column = m["monthly_spend"] * cuts["margin"] * stay / (1.0 + cuts["monthly_discount"] - stay)
    return worth


def needs(m: Columns) -> Column:
    """Basic (talk and text), individual (data), potential (several services): handbook 4.3."""
    cuts = m.params["needs"]
    several = (m["m.other_uses_30d"] > 0) | (m["m.broadband_mb_30d"] > 0) | (m["m.international_calls_30d"] > 0)
    data = m["m.data_mb_30d"] > cuts["individual_mb"]
    return choose((several, 2.0), (data, 1.0), (m["m.uses_30d"] >= 0.0, 0.0))


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


def _label(name: str, en: str, zh: str, *, sayable: bool = True) -> Feature:
    return Feature(
        name, "class", "life", en, zh, (), lambda m: m["m." + name], kind="category", learned=False, sayable=sayable
    )


LIFECYCLE: Final = ("new", "growth", "mature", "decline")

FEATURES: Final = (
    Feature("monthly_spend", "money", "90d", "Money a month", "月均消费", ("plan_price",), monthly_spend),
    Feature(
        "value_class",
        "class",
        "90d",
        "Value class",
        "价值等级",
        (),
        value_class,
        kind="category",
        values=("high", "mid", "low"),
        sayable=False,
    ),
    Feature(
        "lifecycle",
        "class",
        "life",
        "Lifecycle",
        "生命周期阶段",
        ("care",),
        lifecycle,
        kind="category",
        values=LIFECYCLE,
        sayable=False,
    ),
    Feature(
        "usage_needs",
        "class",
        "30d",
        "Needs class: basic, individual or potential",
        "需求类别",
        ("personal",),
        needs,
        kind="category",
        values=("basic", "individual", "potential"),
        sayable=False,
    ),
    Feature(
        "loyalty",
        "class",
        "life",
        "Loyalty class",
        "忠诚度等级",
        ("care",),
        loyalty,
        kind="category",
        values=("loyal", "potential", "disloyal"),
        sayable=False,
    ),
    Feature(
        "rfm_recency",
        "grade 1..5",
        "life",
        "How lately used",
        "近度等级",
        (),
        rfm("recency_days", "days_since_use", falling=True),
        learned=False,
        sayable=False,
    ),
    Feature(
        "rfm_frequency",
        "grade 1..5",
        "30d",
        "How often used",
        "频度等级",
        (),
        rfm("uses", "uses_30d"),
        learned=False,
        sayable=False,
    ),
    Feature(
        "rfm_money",
        "grade 1..5",
        "90d",
        "How much is paid",
        "额度等级",
        (),
        rfm("money", "monthly_spend"),
        learned=False,
        sayable=False,
    ),
    Feature(
        "rfm_score",
        "3..15",
        "90d",
        "Recency, frequency and money together",
        "RFM总分",
        (),
        lambda m: m["rfm_recency"] + m["rfm_frequency"] + m["rfm_money"],
        learned=False,
        sayable=False,
    ),
    Feature(
        "clv", "money", "life", "Expected value from now on", "预期终身价值", (), clv, learned=False, sayable=False
    ),
    Feature(
        "kind",
        "class",
        "life",
        "Person, family or enterprise",
        "客户类型",
        (),
        lambda m: m["m.kind"],
        kind="category",
        values=("person", "family", "enterprise"),
    ),
    same(
        "days_since_move",
        "days",
        "life",
        "Days since the line is mostly used somewhere else",
        "距常驻地变更天数",
        "environment",
    ),
    _label("region", "Region", "地区"),
    _label("segment", "Segment", "客户分群", sayable=False),
    _label("plan", "Plan", "套餐"),
    _label("age_band", "Age band", "年龄段", sayable=False),
)
