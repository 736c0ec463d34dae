"""Direct signs of leaving. They are facts with their own rules; the model does not need them, and learns them too."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.catalogue import Feature, measure, same
from events.codes import CAUSES

_LEAVE = ("competitor_price",)

FEATURES: Final = (
    same(
        "porting_queries_30d",
        "queries",
        "30d",
        "Port-out eligibility queries of the month",
        "近一月携转资格查询次数",
        *_LEAVE,
        sayable=False,
    ),
    same(
        "porting_queried_days",
        "days",
        "life",
        "Days since eligibility to port out was queried",
        "距携转资格查询天数",
        *_LEAVE,
        measure_name="days_since_porting_queried",
        sayable=False,
    ),
    same(
        "porting_requested_days",
        "days",
        "life",
        "Days since a port-out code was issued",
        "距申请携出天数",
        *_LEAVE,
        measure_name="days_since_porting_requested",
        sayable=False,
    ),
    Feature(
        "porting_code_live",
        "yes/no",
        "life",
        "A port-out code is out and has neither expired nor been withdrawn",
        "携出授权码有效",
        _LEAVE,
        lambda m: np.where(
            np.isnan(m["m.days_since_porting_requested"]),
            0.0,
            np.where(
                (m["m.days_since_porting_ended"] >= 0.0)
                | (m["m.days_since_porting_expires"] >= 0.0)
                | (np.isnan(m["m.days_since_porting_expires"]) & (m["m.days_since_porting_requested"] > 1.0)),
                0.0,
                1.0,
            ),
        ),
        kind="bool",
        learned=False,
        sayable=False,
    ),
    Feature(
        "porting_eligible",
        "yes/no",
        "life",
        "May port out, as the newest query said",
        "最近查询结果可携转",
        _LEAVE,
        measure("m.porting_eligible"),
        kind="bool",
        sayable=False,
    ),
    same(
        "porting_blockers", "blockers", "life", "What stood against porting out", "携转限制项数", *_LEAVE, sayable=False
    ),
    same(
        "cancellation_requested_days",
        "days",
        "life",
        "Days since cancellation was asked for",
        "距申请销户天数",
        *_LEAVE,
        measure_name="days_since_cancellation_requested",
    ),
    Feature(
        "cancellation_cause",
        "class",
        "life",
        "Cause given with the cancellation",
        "销户所述原因",
        CAUSES[1:],
        measure("m.cancellation_cause"),
        kind="category",
        values=CAUSES,
    ),
)
