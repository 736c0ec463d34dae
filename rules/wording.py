"""The values of closed categories as people say them: `suspended_arrears` is 欠费停机 to a Chinese reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.codes import CAUSES

_CAUSES: Final = dict(
    zip(
        CAUSES,
        (
            "原因待查", "网络质量", "办理流程", "套餐不合适", "竞争价格", "套餐调价", "售后服务", "关怀不足", "个性化需求", "政策法规",
            "市场环境",
        ),
        strict=True,
    )
)  # fmt: skip
CHINESE: Final[Mapping[str, Mapping[str, str]]] = {
    "complaint_cause": _CAUSES,
    "survey_topic": _CAUSES,
    "contact_cause": _CAUSES,
    "cancellation_cause": _CAUSES,
    "line_status": {
        "active": "正常",
        "suspended_arrears": "欠费停机",
        "suspended_request": "申请停机",
        "suspended_fraud": "核验停机",
        "suspended_lost": "挂失停机",
        "transferred": "已过户",
        "closed": "已销户",
    },
    "suspended_as": {"arrears": "欠费", "request": "客户申请", "fraud": "核验", "lost": "挂失"},
    "plan_changed_by": {"customer": "客户", "operator": "运营商"},
    "pay_mode": {"prepaid": "预付费", "postpaid": "后付费"},
    "plan_fit": {"too_small": "偏小", "fits": "合适", "too_large": "偏大"},
    "value_class": {"high": "高", "mid": "中", "low": "低"},
    "lifecycle": {"new": "新客户", "growth": "成长期", "mature": "成熟期", "decline": "衰退期"},
    "usage_needs": {"basic": "基本型", "individual": "个性型", "potential": "潜在型"},
    "loyalty": {"loyal": "忠诚", "potential": "潜在忠诚", "disloyal": "不忠诚"},
    "kind": {"person": "个人", "family": "家庭", "enterprise": "企业"},
    "care_outcome": {
        "retained": "已挽留",
        "declined": "已拒绝",
        "unreachable": "未联系上",
        "callback": "待回电",
        "do_not_contact": "拒绝联系",
        "false_alarm": "误报",
        "already_left": "已离网",
    },
}
"""The Chinese word of each value, by feature; in English a value is its own word."""


def said(feature: str, value: str, language: str) -> str:
    """A category's value in words; the operator's own names (plans, regions) stay as they are."""
    words = CHINESE.get(feature)
    if words is None:
        return value
    return words.get(value, value) if language == "zh-CN" else value.replace("_", " ")


def text_of(feature: str, word: str) -> str:
    """The category's value that a Chinese reader calls so: 高 is `high` of `value_class`; or nothing."""
    return next((value for value, said in CHINESE.get(feature, {}).items() if said == word), "")
