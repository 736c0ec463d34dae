"""Values and numbers in reasons read like people's words, in both languages; what we think of a customer is not for their ears."""

from __future__ import annotations

import math

import pytest

from detectors.features import CATALOGUE, FEATURES
from rules.feature_types import FeatureType
from rules.formats import Style
from rules.reasons import reasons
from rules.texts import compile_template
from rules.wording import said

STYLES = {language: Style(language) for language in ("en", "zh-CN")}
CLOSED = [(feature.name, value) for feature in FEATURES if feature.kind == "category" for value in feature.values]


@pytest.mark.parametrize(("feature", "value"), CLOSED)
def test_every_value_has_a_word_in_both_languages(feature, value):
    assert not said(feature, value, "zh-CN").isascii()
    assert "_" not in said(feature, value, "en")


def test_an_operators_own_names_stay_as_they_are():
    assert said("plan", "smart_99", "zh-CN") == "smart_99" == said("plan", "smart_99", "en")


class Told:
    """A view in which the model names one feature."""

    def __init__(self, name, value):
        self._name, self._value = name, value

    def value(self, feature):
        return self._value if feature == self._name else math.nan

    def normal(self, feature):
        return None

    def holds(self, condition):
        return False

    def incident_id(self):
        return None

    def contributions(self):
        return [(self._name, 1.0)]


@pytest.mark.parametrize(
    ("feature", "value", "en", "zh"),
    [
        ("line_status", "suspended_arrears", "Status of the line: suspended arrears", "线路状态:欠费停机"),
        (
            "complaint_cause",
            "after_sales",
            "Cause named in the newest complaint: after sales",
            "最近投诉的原因:售后服务",
        ),
        ("complaint_severity_max", 3.0, "Worst grade among open complaints: 3", "未解决投诉最高等级:3"),
        ("complaint_open_days", 0.0, "Days the oldest open complaint waits: 0 days", "最久未解决投诉天数:0天"),
        ("days_since_complaint", 0.4, "Days since the last complaint: less than a day", "距上次投诉天数:不到1天"),
        ("complaints_7d", 1.0, "Complaints of the week: 1", "近一周投诉次数:1"),
        ("charge_day_rate", 0.15, "Charges for use per minute talked: CNY 0.15", "每分钟费用:0.15元"),
        ("speed_mbps_30d", 12.0, "Mean speed of the month: 12 Mbit/s", "近一月平均速率:12 Mbit/s"),
    ],
)
def test_a_reason_reads_well(feature, value, en, zh):
    (reason,) = reasons([], Told(feature, value), CATALOGUE, "unknown", STYLES)
    assert reason.text == {"en": en, "zh-CN": zh}


def test_a_rules_text_says_a_value_in_words_too():
    text = compile_template(
        "{{ line_status }}", {"line_status": FeatureType("category", "class", ("active", "closed"))}
    )
    assert text.render({"line_status": "closed"}, STYLES["zh-CN"]) == "已销户"


@pytest.mark.parametrize(
    "name",
    [
        "porting_queries_30d", "porting_queried_days", "porting_requested_days", "porting_eligible", "porting_blockers", "dual_sim",
        "value_class", "lifecycle", "usage_needs", "loyalty", "rfm_score", "clv", "segment", "age_band", "offer_cost", "care_outcome",
        "overdue_days", "overdue_amount", "usage_cusum", "anomaly", "market_competitor_offer",
    ],
)  # fmt: skip
def test_what_is_not_for_the_customers_ears(name):
    assert not CATALOGUE[name].sayable
