"""Complaints and satisfaction."""

from __future__ import annotations

from typing import Final

from detectors.catalogue import Feature, measure, same
from detectors.columns import ratio
from events.codes import CAUSES

_CARE = ("after_sales", "care")

FEATURES: Final = (
    same("complaints_7d", "complaints", "7d", "Complaints of the week", "近一周投诉次数", *_CARE),
    same("complaints_30d", "complaints", "30d", "Complaints of the month", "近一月投诉次数", *_CARE),
    same("complaints_90d", "complaints", "90d", "Complaints of three months", "近三月投诉次数", *_CARE),
    same("complaints_open", "complaints", "life", "Complaints not settled", "未解决投诉数", *_CARE),
    same("complaint_open_days", "days", "life", "Days the oldest open complaint waits", "最久未解决投诉天数", *_CARE),
    same(
        "complaint_severity_max",
        "grade 1..4",
        "life",
        "Worst grade among open complaints",
        "未解决投诉最高等级",
        *_CARE,
    ),
    same("complaints_overdue", "complaints", "life", "Open complaints past their deadline", "超时未解决投诉数", *_CARE),
    same("complaints_escalated", "complaints", "life", "Open complaints that were escalated", "升级投诉数", *_CARE),
    same(
        "complaints_reopened_90d",
        "complaints",
        "90d",
        "Complaints reopened",
        "重开投诉次数",
        *_CARE,
        measure_name="reopened_90d",
    ),
    same("unsatisfied_90d", "answers", "90d", "Complaints settled without satisfaction", "不满意结案次数", *_CARE),
    same("days_since_complaint", "days", "life", "Days since the last complaint", "距上次投诉天数", *_CARE),
    same(
        "days_since_regulator",
        "days",
        "life",
        "Days since a complaint to the regulator",
        "距申诉监管机构天数",
        "regulation",
    ),
    same("days_since_dissatisfied", "days", "life", "Days since dissatisfaction was told", "距表达不满天数", *_CARE),
    Feature(
        "satisfaction_90d",
        "ratio",
        "90d",
        "Mean satisfaction of three months, 0 to 1",
        "近三月平均满意度",
        _CARE,
        lambda m: ratio(m["m.survey_sum_90d"], m["m.survey_count_90d"]),
    ),
    same(
        "days_since_survey",
        "days",
        "life",
        "Days since the newest answer on satisfaction",
        "距最近满意度回复天数",
        *_CARE,
    ),
    same("survey_last", "ratio", "life", "Newest answer on satisfaction, 0 to 1", "最近满意度", *_CARE),
    Feature(
        "complaint_cause",
        "class",
        "life",
        "Cause named in the newest complaint",
        "最近投诉的原因",
        CAUSES[1:],
        lambda m: m["m.complaint_cause"],
        kind="category",
        values=CAUSES,
    ),
    Feature(
        "survey_topic",
        "class",
        "life",
        "What the newest dissatisfied answer was about",
        "最近不满意回复涉及的原因",
        CAUSES[1:],
        measure("m.survey_topic"),
        kind="category",
        values=CAUSES,
    ),
    Feature(
        "complaint_satisfied",
        "yes/no",
        "life",
        "Content with how the newest complaint was settled",
        "对最近投诉处理是否满意",
        _CARE,
        measure("m.last_satisfied"),
        kind="bool",
    ),
)
