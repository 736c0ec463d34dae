"""Texts with values, in both languages."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.feature_types import FeatureType
from rules.formats import FILTERS, Style, written
from rules.texts import TemplateError, compile_template

SCHEMA = {
    "ratio": FeatureType(unit="ratio"),
    "bill": FeatureType(unit="money"),
    "age": FeatureType(unit="days"),
    "left": FeatureType(unit="months"),
    "talk": FeatureType(unit="s"),
    "due": FeatureType(unit="us"),
    "n": FeatureType(unit="complaints"),
    "open": FeatureType("bool"),
    "value_class": FeatureType("category", values=("high", "low")),
    "signal.drop": FeatureType(),
}
EN, ZH = Style("en"), Style("zh-CN")
NOON = 1_767_240_000_000_000  # 2026-01-01T12:00+08:00


@pytest.mark.parametrize(
    ("text", "value", "en", "zh"),
    [
        ("{{ ratio | percent }}", 0.214, "21%", "21%"),
        ("{{ ratio | percent }}", 0.0, "0%", "0%"),
        ("{{ ratio | percent }}", 0.004, "0.4%", "0.4%"),
        ("{{ ratio | percent }}", 0.05, "5%", "5%"),
        ("{{ ratio | percent }}", 2.0, "200%", "200%"),
        ("{{ ratio }}", 0.5, "50%", "50%"),
        ("{{ bill | money }}", 1234.5, "CNY 1,234.50", "1,234.50元"),
        ("{{ bill }}", 99.0, "CNY 99", "99元"),
        ("{{ n | number }}", 3.0, "3", "3"),
        ("{{ n }}", 1234567.4, "1,234,567", "1,234,567"),
        ("{{ n }}", 0.756, "0.76", "0.76"),
        ("{{ n }}", 0.00123, "0.0012", "0.0012"),
        ("{{ age | days }}", 1.9, "1 day", "1天"),
        ("{{ age | days }}", 0.0, "less than a day", "不到1天"),
        ("{{ age }}", 12.0, "12 days", "12天"),
        ("{{ left | days }}", 2.0, "60 days", "60天"),
        ("{{ age | duration }}", 1.55, "1 d 13 h", "1天13小时"),
        ("{{ age | duration }}", 0.0, "0 min", "0分钟"),
        ("{{ talk | duration }}", 3900.0, "1 h 5 min", "1小时5分钟"),
        ("{{ due | date }}", NOON, "2026-01-01", "2026年1月1日"),
        ("{{ open }}", 1.0, "yes", "是"),
        ("{{ open }}", 0.0, "no", "否"),
        ("{{ value_class }}", "high", "high", "高"),
        ("{{ signal.drop | number }}", 1.5, "1.5", "1.5"),
        ("{{ ratio | percent }}", math.nan, "an unknown share", "未知比例"),
        ("{{ bill | money }}", math.nan, "an unknown amount", "未知金额"),
        ("{{ age | days }}", None, "some days", "若干天"),
        ("{{ due | date }}", 1e30, "an unknown date", "未知日期"),
        ("{{ open }}", math.nan, "not known", "未知"),
        ("{{ value_class }}", None, "not known", "未知"),
        ("{{ value_class }}", math.nan, "not known", "未知"),
    ],
)
def test_values_in_words(text, value, en, zh):
    template = compile_template(text, SCHEMA)
    (name,) = template.features
    assert template.render({name: value}, EN) == en
    assert template.render({name: value}, ZH) == zh


def test_text_around_values_is_kept_and_values_are_not_read_again():
    template = compile_template("a {{value_class}} { b } {{ n|number }}!", SCHEMA)
    assert template.render({"value_class": "{{ n }}", "n": 2.0}, EN) == "a {{ n }} { b } 2!"


def test_params_are_filled_in():
    template = compile_template(
        "below {{ params.drop | percent }} ({{ params.on }}, {{ params.who }})",
        SCHEMA,
        {"drop": 0.4, "on": True, "who": "x"},
    )
    assert template.render({}, EN) == "below 40% (yes, x)"
    assert template.features == frozenset()


def test_another_currency():
    template = compile_template("{{ bill }}", SCHEMA)
    assert template.render({"bill": 5.0}, Style("zh-CN", "EUR")) == "5 EUR"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("{{ ratoi | percent }}", [(0, "no feature `ratoi`; did you mean `ratio`?")]),
        ("x {{ ratio | percnt }}", [(2, "no filter `percnt`; there are percent, money")]),
        ("{{ age | percent }}", [(0, "`percent` cannot write `age`, which is in days")]),
        ("{{ value_class | number }}", [(0, "`value_class` is no number and takes no filter")]),
        ("{{ ratio * 100 }}", [(0, "`ratio * 100` must be a feature's name, or name | filter")]),
        ("{{ ratio | percent | number }}", [(0, "must be a feature's name")]),
        ("{{ }}", [(0, "must be a feature's name")]),
        ("{{ ratio", [(0, "`{{` stands alone")]),
        ("{% if x %}", [(0, "`{%` stands alone")]),
        ("｛ratio｝", [(0, "`｛` stands alone")]),
        ("{{ a }} {{ b }}", [(0, "no feature `a`"), (8, "no feature `b`")]),
        ("{{ ratio.__class__ }}", [(0, "no feature `ratio.__class__`")]),
        ("{{ params.x }}", [(0, "no feature `params.x`")]),
    ],
)
def test_refused_with_place(text, faults):
    with pytest.raises(TemplateError) as caught:
        compile_template(text, SCHEMA)
    assert len(caught.value.faults) == len(faults)
    for fault, (offset, message) in zip(caught.value.faults, faults, strict=True):
        assert (fault.offset, message in fault.message) == (offset, True), fault


@given(st.sampled_from(sorted(FILTERS)), st.floats(), st.sampled_from([EN, ZH]))
def test_every_filter_writes_every_number(name, value, style):
    unit = {"date": "us", "days": "days", "duration": "s"}.get(name, "")
    shown = written(value, name, unit, style)
    assert shown.strip()
    assert "nan" not in shown
    assert "inf" not in shown


@given(st.text(alphabet="{}|%. ratiopecn ｛", max_size=30))
def test_no_text_gives_anything_but_a_template_or_its_faults(text):
    faults = ()
    try:
        compile_template(text, SCHEMA).render({}, EN)
    except TemplateError as error:
        faults = error.faults
    assert all(0 <= fault.offset < len(text) for fault in faults)
