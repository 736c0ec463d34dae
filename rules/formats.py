"""How values are written in texts for people, in English and Chinese: the closed set of filters.

Each filter takes the value in the feature's own unit and says a neutral phrase for unknown, so that no text ever shows a
NaN or leaves a hole.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rules.durations import DAY, HOUR, MINUTE, SECOND

_LARGEST = 1e17
LANGUAGES = ("en", "zh-CN")
_MONTH = DAY * 487 // 16  # 30.4375 days
_SIZES = {"months": _MONTH, "days": DAY, "hours": HOUR, "min": MINUTE, "s": SECOND, "us": 1, "": DAY}


@dataclass(frozen=True, slots=True)
class Style:
    """What formatting needs beside the value: language, currency code and local time's offset from UTC (microseconds)."""

    language: str
    currency: str = "CNY"
    utc_offset: int = 8 * HOUR

    @property
    def chinese(self) -> bool:
        return self.language == "zh-CN"


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to write a number. `units` are those it can take (empty: any)."""

    write: Callable[[float, str, Style], str]
    unknown: Mapping[str, str]
    units: frozenset[str] = frozenset()


def _percent(value: float, _unit: str, _style: Style) -> str:
    share = value * 100
    return f"{share:.0f}%" if abs(share) >= 9.5 or abs(share) < 0.05 else f"{share:.1f}".removesuffix(".0") + "%"


def _money(value: float, _unit: str, style: Style) -> str:
    amount = f"{value:,.2f}".removesuffix(".00")
    if style.chinese:
        return f"{amount}元" if style.currency == "CNY" else f"{amount} {style.currency}"
    return f"{style.currency} {amount}"


def _number(value: float, _unit: str, _style: Style) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.2g}"


def _days(value: float, unit: str, style: Style) -> str:
    whole = math.floor(value * _SIZES[unit] / DAY + 1e-9)
    if whole == 0:  # a fact that warns at once: nobody says "0 days ago"
        return "不到1天" if style.chinese else "less than a day"
    if style.chinese:
        return f"{whole}天"
    return f"{whole} day" if whole == 1 else f"{whole:,} days"


def _duration(value: float, unit: str, style: Style) -> str:
    minutes = round(abs(value) * _SIZES[unit] / MINUTE)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    names = ("天", "小时", "分钟") if style.chinese else (" d", " h", " min")
    parts = [f"{n}{name}" for n, name in zip((days, hours, minutes), names, strict=True) if n]
    shown = parts[:2] or [f"0{names[2]}"]
    return ("" if style.chinese else " ").join(shown)


def _date(value: float, _unit: str, style: Style) -> str:
    try:
        local = dt.datetime.fromtimestamp((value + style.utc_offset) / SECOND, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return FILTERS["date"].unknown[style.language]
    return f"{local.year}年{local.month}月{local.day}日" if style.chinese else f"{local:%Y-%m-%d}"


_SPANS = frozenset(_SIZES)
FILTERS: Mapping[str, Filter] = {
    "percent": Filter(_percent, {"en": "an unknown share", "zh-CN": "未知比例"}, frozenset(("", "ratio", "share"))),
    "money": Filter(_money, {"en": "an unknown amount", "zh-CN": "未知金额"}, frozenset(("", "money"))),
    "number": Filter(_number, {"en": "some", "zh-CN": "若干"}),
    "days": Filter(_days, {"en": "some days", "zh-CN": "若干天"}, _SPANS),
    "duration": Filter(_duration, {"en": "some time", "zh-CN": "一段时间"}, _SPANS),
    "date": Filter(_date, {"en": "an unknown date", "zh-CN": "未知日期"}, frozenset(("", "us", "time"))),
}
UNKNOWN_TEXT: Mapping[str, str] = {"en": "not known", "zh-CN": "未知"}
YES_NO: Mapping[str, tuple[str, str]] = {"en": ("no", "yes"), "zh-CN": ("否", "是")}


def written(value: float, filter_name: str, unit: str, style: Style) -> str:
    """A number through a filter; its neutral phrase when the number is NaN, infinite or beyond all sense."""
    found = FILTERS[filter_name]
    sane = abs(value) < _LARGEST  # false for NaN
    return found.write(value, unit, style) if sane else found.unknown[style.language]
