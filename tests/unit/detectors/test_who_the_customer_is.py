"""Classes and estimates of a customer, by cut points of the configuration; and the plan that fits."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from detectors.columns import Columns
from detectors.features import CATALOGUE, FEATURES
from detectors.plans import NO_PLANS, Overage, PlanBook, Tariff
from rules.settings import Lifecycle, LifetimeValue, Loyalty, Needs, Rfm, ValueClasses

PARAMS = {
    name: msgspec.to_builtins(shape)
    for name, shape in (
        ("value_class", ValueClasses()),
        ("lifecycle", Lifecycle()),
        ("needs", Needs()),
        ("loyalty", Loyalty()),
        ("rfm", Rfm()),
        ("clv", LifetimeValue()),
    )
}


class Given(Columns):
    """Features worked out from given measures and features; everything else is unknown."""

    def __init__(self, known: dict[str, float], plans: PlanBook = NO_PLANS) -> None:
        super().__init__({feature.name: feature.of for feature in FEATURES}, {**PARAMS, "plans": plans}, 1)
        for name, value in known.items():
            self.put(name, np.array([value]))

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array([np.nan]) if name.startswith("m.") and name not in self._known else super().__getitem__(name)


def of(feature: str, plans: PlanBook = NO_PLANS, /, **known: float) -> float | str | None:
    with np.errstate(all="ignore"):
        value = float(
            Given({"m." + name[2:] if name.startswith("m_") else name: one for name, one in known.items()}, plans)[
                feature
            ][0]
        )
    values = CATALOGUE[feature].values
    return (values[int(value)] if value == value else None) if values else value


def test_value_is_spend_and_loyalty_raises_it_once():
    assert of("value_class", monthly_spend=150) == "high"
    assert of("value_class", monthly_spend=149) == "mid"
    assert of("value_class", monthly_spend=49) == "low"
    assert of("value_class", monthly_spend=100, loyalty=0.0, rfm_score=14.0) == "high"
    assert of("value_class", monthly_spend=100, loyalty=1.0, rfm_score=15.0) == "mid"
    assert of("value_class", monthly_spend=200, loyalty=0.0, rfm_score=15.0) == "high"
    assert of("value_class") is None


def test_a_first_top_up_is_no_daily_habit():
    assert of("monthly_spend", m_topup_amount_90d=50, m_covered_90d=1 / 24) == 50
    assert of("monthly_spend", m_topup_amount_90d=150, m_covered_90d=90) == 50


def test_the_share_of_trouble_is_of_what_was_tried():
    """Ten of twenty sessions drop: half, for what dropped had been connected."""
    assert of("trouble_rate_7d", m_failed_7d=0, m_dropped_7d=10, m_uses_7d=20) == 0.5
    assert of("trouble_rate_7d", m_failed_7d=20, m_dropped_7d=0, m_uses_7d=20) == 0.5
    assert of("trouble_rate_30d", m_failed_30d=0, m_dropped_30d=12, m_uses_30d=0) == 1.0


def test_lifecycle():
    assert of("lifecycle", tenure_days=30, usage_index=0.2) == "new"
    assert of("lifecycle", tenure_days=200, usage_index=1.0) == "growth"
    assert of("lifecycle", tenure_days=800, usage_index=1.0) == "mature"
    assert of("lifecycle", tenure_days=800, usage_index=0.5) == "decline"
    assert of("lifecycle", tenure_days=800) == "mature"


def test_loyalty():
    assert of("loyalty", tenure_days=900, usage_index=1.0) == "loyal"
    assert of("loyalty", tenure_days=900, usage_index=1.0, survey_last=0.2) == "potential"
    assert of("loyalty", tenure_days=900, usage_index=1.0, complaints_open=1) == "potential"
    assert of("loyalty", tenure_days=100, usage_index=1.0) == "potential"
    assert of("loyalty", tenure_days=900, usage_index=1.0, porting_queried_days=5) == "disloyal"
    assert of("loyalty", tenure_days=900, usage_index=0.3) == "disloyal"
    assert of("loyalty", tenure_days=900, usage_index=0.3, contracts_running=1) == "potential"


def test_rfm_grades_rise_with_what_is_good():
    assert of("rfm_recency", days_since_use=0.1) == 5
    assert of("rfm_recency", days_since_use=40) == 1
    assert of("rfm_frequency", uses_30d=0) == 1
    assert of("rfm_frequency", uses_30d=200) == 5
    assert of("rfm_money", monthly_spend=100) == 4
    assert of("rfm_score", days_since_use=0.1, uses_30d=200, monthly_spend=200) == 15
    assert np.isnan(of("rfm_score", days_since_use=0.1))


def test_needs():
    assert of("usage_needs", m_uses_30d=30, m_data_mb_30d=100) == "basic"
    assert of("usage_needs", m_uses_30d=30, m_data_mb_30d=5000) == "individual"
    assert of("usage_needs", m_uses_30d=30, m_data_mb_30d=100, m_broadband_mb_30d=9) == "potential"


def test_clv_is_the_margin_kept_for_as_long_as_they_stay():
    # 100 × 0.4 a month, 1.2 % leave a month, 1 % discount: 40 × 0.988 / (1.01 − 0.988)
    assert of("clv", monthly_spend=100, tenure_days=800, usage_index=1.0) == pytest.approx(40 * 0.988 / 0.022)
    assert of("clv", monthly_spend=100, tenure_days=800, usage_index=0.3) < 500
    assert np.isnan(of("clv", tenure_days=800, usage_index=1.0))


@pytest.fixture
def book():
    tariffs = [
        Tariff("s", 50.0, 20_000.0, 200.0, "post"),
        Tariff("m", 100.0, 50_000.0, 500.0, "post"),
        Tariff("firm", 10.0, 500_000.0, 9000.0, "firm"),
    ]
    book = PlanBook(tariffs, Overage(3.0, 0.15, 3.0))
    book.learn(3, ["unlisted", "m", "s"].__getitem__)
    return book


def month(gb: float, minutes: float, plan: float) -> dict[str, float]:
    return {"m_plan": plan, "m_covered_30d": 30.4375, "m_data_mb_30d": gb * 1000, "m_voice_seconds_30d": minutes * 60}


def test_use_against_the_plan(book):
    assert of("data_allowance_used", book, **month(10, 50, 2)) == pytest.approx(0.5)
    assert of("minutes_allowance_used", book, **month(10, 50, 2)) == pytest.approx(0.25)
    assert np.isnan(of("data_allowance_used", book, **month(10, 50, 0)))
    assert np.isnan(of("data_allowance_used", book, **{**month(10, 50, 2), "m_covered_30d": 5.0}))
    assert np.isnan(of("data_allowance_used", NO_PLANS, **month(10, 50, 2)))


def test_the_plan_that_fits_costs_least_within_the_group(book):
    assert book.names[int(of("better_plan", book, **month(60, 100, 2)))] == "m"  # 50 + 3 × 40 = 170 against 130
    assert of("better_plan_saving", book, **month(60, 100, 2)) == pytest.approx(1 - 130 / 170)
    assert book.names[int(of("better_plan", book, **month(5, 100, 1)))] == "s"
    assert of("plan_fit", book, **month(5, 100, 1)) == "too_large"
    assert of("plan_fit", book, **month(60, 100, 2)) == "too_small"
    assert of("plan_fit", book, **month(15, 100, 2)) == "fits"
    assert np.isnan(of("better_plan", book, **month(15, 100, 2)))  # theirs is the one
    assert np.isnan(of("better_plan", book, **month(15, 100, 0)))
