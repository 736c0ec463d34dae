"""What goes on in the market around the customer (`market.noted`): evidence for causes and rules, not for the model.

All customers of a region share it, so a model that saw it would learn the calendar of one stretch of history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from detectors.catalogue import Feature
from detectors.columns import Column, Columns


def _runs(measure: str) -> Callable[[Columns], Column]:
    """Whether one runs; unknown while nothing was ever told of the market."""
    return lambda m: np.where(np.isnan(m[measure]), np.nan, np.where(m[measure] >= 0.0, 1.0, 0.0))


def _days(measure: str) -> Callable[[Columns], Column]:
    return lambda m: np.where(m[measure] >= 0.0, m[measure], np.nan)


def _pair(kind: str, en: str, zh: str, cause: str, *, sayable: bool = True) -> tuple[Feature, Feature]:
    """Whether it runs where the customer is, and since when."""
    measure = f"m.market_{kind}"
    return (
        Feature(
            f"market_{kind}",
            "yes/no",
            "now",
            f"{en} where the customer lives",
            f"客户所在地区{zh}",
            (cause,),
            _runs(measure),
            kind="bool",
            learned=False,
            sayable=sayable,
        ),
        Feature(
            f"market_{kind}_days",
            "days",
            "now",
            f"Days since it began: {en[0].lower()}{en[1:]}",
            f"{zh}已持续天数",
            (cause,),
            _days(measure),
            learned=False,
            sayable=sayable,
        ),
    )


FEATURES: Final = (
    *_pair("competitor_offer", "An offer of a competitor", "有竞争对手优惠", "competitor_price", sayable=False),
    *_pair("regulation", "New regulation", "有新规施行", "regulation"),
    *_pair("tariff", "A tariff round of ours", "有资费调整", "plan_price"),
    *_pair("season", "A season of travel or leave", "处于假期或季节性时段", "environment"),
)
