"""Use against what the plan includes, and which plan would fit. Unknown without `config/plans.yaml`."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.catalogue import Feature
from detectors.columns import Column, Columns, choose, ratio
from detectors.plans import PlanBook

_MONTH: Final = 30.4375
_LEAST_DAYS: Final = 14.0
_FIT = ("plan_fit",)


def _book(m: Columns) -> PlanBook:
    book: PlanBook = m.params["plans"]
    return book


def monthly_mb(m: Columns) -> Column:
    """Mobile data of a month at the running rate; unknown before two weeks are known."""
    return np.where(m["m.covered_30d"] >= _LEAST_DAYS, m["m.data_mb_30d"] * _MONTH / m["m.covered_30d"], np.nan)


def monthly_minutes(m: Columns) -> Column:
    """Minutes of a month that count against an allowance, at the running rate."""
    rate = m["m.voice_seconds_30d"] / 60.0 * _MONTH / m["m.covered_30d"]
    return np.where(m["m.covered_30d"] >= _LEAST_DAYS, rate * _book(m).talk_share, np.nan)


def data_used(m: Columns) -> Column:
    """A month's data over the plan's."""
    return ratio(monthly_mb(m), _book(m).allowance(m["m.plan"], "mb"))


def minutes_used(m: Columns) -> Column:
    """A month's minutes over the plan's."""
    return ratio(monthly_minutes(m), _book(m).allowance(m["m.plan"], "minutes"))


def better_plan(m: Columns) -> Column:
    """The plan of the same group that costs the customer's use least (its place in the book); unknown when it is theirs."""
    best, cost = _book(m).cheapest(m["m.plan"], monthly_mb(m), monthly_minutes(m))
    return np.where(cost < 1.0, best, np.nan)


def better_plan_saving(m: Columns) -> Column:
    """What that plan saves, as a share of what the present one costs."""
    return 1.0 - _book(m).cheapest(m["m.plan"], monthly_mb(m), monthly_minutes(m))[1]


def plan_fit(m: Columns) -> Column:
    """Too small: use beyond an allowance. Too large: less than a third of both, and a cheaper plan would do."""
    used = np.fmax(m["data_allowance_used"], m["minutes_allowance_used"])
    return choose((used > 1.1, 0.0), ((used < 0.3) & (m["better_plan_saving"] > 0.0), 2.0), (used >= 0.0, 1.0))


FEATURES: Final = (
    Feature("data_allowance_used", "ratio", "30d", "Mobile data of a month against the plan's", "月流量占套餐流量之比", _FIT,
            data_used),
    Feature("minutes_allowance_used", "ratio", "30d", "Minutes of a month against the plan's", "月通话占套餐分钟之比", _FIT,
            minutes_used),
    Feature("better_plan_saving", "ratio", "30d", "What the plan that fits would save", "更合适套餐可节省比例", _FIT,
            better_plan_saving),
    Feature("better_plan", "class", "30d", "The plan that fits", "更合适的套餐", _FIT, better_plan, kind="category",
            learned=False),
    Feature("plan_fit", "class", "30d", "Plan too small, fitting or too large", "套餐偏小、合适或偏大", _FIT, plan_fit,
            kind="category", values=("too_small", "fits", "too_large"), learned=False),
)  # fmt: skip
