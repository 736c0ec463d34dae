"""Numbers with units mean the same in every unit that measures the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.columns import Sheet, TableColumns
from rules.expressions import ExpressionError, compile_condition
from rules.feature_types import FeatureType
from rules.formats import Style
from rules.rulefile import Param
from rules.texts import compile_template
from rules.thresholds import thresholds
from rules.units import OF_FEATURES, UNITS, Quantity, quantity

SCHEMA = {
    "data_mb_30d": FeatureType(unit="MB"),
    "talk": FeatureType(unit="s"),
    "bill": FeatureType(unit="money"),
    "rate": FeatureType(unit="money/min"),
    "age": FeatureType(unit="days"),
    "left": FeatureType(unit="months"),
    "share": FeatureType(unit="ratio"),
    "complaints": FeatureType(unit="complaints"),
    "speed": FeatureType(unit="Mbit/s"),
    "plan": FeatureType("category"),
    "value_class": FeatureType("category", values=("high", "mid", "low")),
    "lifecycle": FeatureType("category", values=("new", "mature")),
}


def holds(text: str, params: dict | None = None, **values: object) -> bool:
    compiled = compile_condition(text, SCHEMA, thresholds(params or {}))
    return bool(compiled.evaluate(Sheet(TableColumns([values], SCHEMA)))[0])


@pytest.mark.parametrize(
    ("text", "below", "at"),
    [
        ("data_mb_30d >= 5 GB", {"data_mb_30d": 4999.9}, {"data_mb_30d": 5000.0}),
        ("data_mb_30d >= 0.5GB", {"data_mb_30d": 499.9}, {"data_mb_30d": 500.0}),
        ("talk >= 2 h", {"talk": 7199.0}, {"talk": 7200.0}),
        ("talk >= 90 分钟", {"talk": 5399.0}, {"talk": 5400.0}),
        ("age >= 3 days", {"age": 2.9}, {"age": 3.0}),
        ("age >= 2 weeks", {"age": 13.9}, {"age": 14.0}),
        ("left >= 1 年", {"left": 11.9}, {"left": 12.0}),
        ("bill >= 30 元", {"bill": 29.9}, {"bill": 30.0}),
        ("bill >= 0.3 万元", {"bill": 2999.0}, {"bill": 3000.0}),
        ("rate >= 0.6 元/min", {"rate": 0.59}, {"rate": 0.6}),
        ("share >= 40%", {"share": 0.39}, {"share": 0.4}),
        ("complaints >= 2 complaints", {"complaints": 1.0}, {"complaints": 2.0}),
        ("complaints >= 2 次", {"complaints": 1.0}, {"complaints": 2.0}),
        ("speed >= 500 kbit/s", {"speed": 0.4}, {"speed": 0.5}),
        ("bill > 10 and not (2 h > talk)", {"bill": 11.0, "talk": 7199.0}, {"bill": 11.0, "talk": 7200.0}),
        ("bill + 10 元 >= 30 元", {"bill": 19.9}, {"bill": 20.0}),
        ("bill / bill >= 100%", {"bill": 0.0}, {"bill": 20.0}),
        ("max(bill, 5 元) >= 30", {"bill": 29.0}, {"bill": 30.0}),
        ("age in [1 week, 2 days]", {"age": 6.0}, {"age": 7.0}),
    ],
)
def test_a_unit_is_converted_to_the_feature_s(text: str, below: dict, at: dict) -> None:
    assert (holds(text, **below), holds(text, **at)) == (False, True)


def test_parameters_take_units_and_are_checked_where_they_are_used() -> None:
    assert holds("data_mb_30d > params.much", {"much": "5 GB"}, data_mb_30d=5001.0)
    assert holds("plan == params.one", {"one": "5 GB"}, plan="5 GB")  # a plan may have such a name
    with pytest.raises(ExpressionError, match="`5 GB` is data, but an amount of money"):
        holds("bill > params.much", {"much": "5 GB"}, bill=1.0)


def test_another_value_for_some_customers() -> None:
    drop = Param(value=0.5, by={"value_class": {"high": 0.7, "low": 0.3}, "lifecycle": {"new": 0.2}})
    for value_class, lifecycle, share, expected in (
        ("high", "new", 0.65, True),  # the first that holds counts
        ("mid", "new", 0.3, False),
        ("mid", "mature", 0.4, True),
        ("low", "mature", 0.4, False),
        (None, None, 0.4, True),  # not known: the value itself
    ):
        got = holds("share < params.drop", {"drop": drop}, share=share, value_class=value_class, lifecycle=lifecycle)
        assert got is expected


def test_texts_show_the_value_that_holds() -> None:
    params = thresholds({"drop": Param(value="50%", by={"value_class": {"high": "70%"}}), "much": "5 GB"})
    template = compile_template("{{ params.drop }}, {{ params.much }}", SCHEMA, params)
    assert template.render({"value_class": "high"}, Style("en")) == "70%, 5 GB"
    assert template.render({"value_class": "low"}, Style("en")) == "50%, 5 GB"
    assert template.features == {"value_class"}


@given(st.decimals(0, 10**6, places=3), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(OF_FEATURES)))
def test_only_what_measures_the_same_converts(number, unit, wanted) -> None:
    found = quantity(f"{number} {unit}")
    assert found == Quantity(str(number), unit)
    if UNITS[unit][0] == OF_FEATURES[wanted][0]:
        factor = UNITS[unit][1] / OF_FEATURES[wanted][1]
        assert found.within(wanted, "CNY") == pytest.approx(float(number) * float(factor))
    else:
        with pytest.raises(ValueError, match="wanted here"):
            found.within(wanted, "CNY")
