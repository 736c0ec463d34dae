"""How much the customer uses, of what, when, and how that compares with the own normal."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np

from detectors.catalogue import Feature, measure, same
from detectors.columns import Column, Columns, ratio

_DROP = ("competitor_price", "personal", "network", "care", "environment")


def per_week(metric: str, days: int = 7) -> Callable[[Columns], Column]:
    """The rate per week over a window, by the days it really covers."""
    return lambda m: m[f"m.{metric}_{days}d"] * 7.0 / m[f"m.covered_{days}d"]


def against_own(metric: str, normal: str, least: float) -> Callable[[Columns], Column]:
    """The week's rate against the own normal of a week; unknown until the normal rests on two weeks."""
    rate = per_week(metric)
    return lambda m: np.where(m["m.days_closed"] >= 14, ratio(rate(m), m[f"m.{normal}_normal"], least), np.nan)


def overall(m: Columns) -> Column:
    """The mean over the services with an own normal of the ratio to it, each at most 2."""
    ratios = [m[name] for name in ("uses_7d_vs_own", "data_mb_7d_vs_own", "voice_7d_vs_own", "messages_7d_vs_own")]
    known = reduce(np.add, (np.where(np.isnan(r), 0.0, 1.0) for r in ratios))
    total = reduce(np.add, (np.where(np.isnan(r), 0.0, np.minimum(r, 2.0)) for r in ratios))
    return ratio(total, known)


def against_peers(m: Columns) -> Column:
    """The week's use against the own normal, a fall of the peers' allowed for (`customers.peers.allowance`)."""
    fall = np.where(m["usage_peers"] < 1.0, m["usage_peers"], 1.0)
    week: Column = m["usage_7d_vs_own"] / (fall * fall)
    return week


def own(name: str, metric: str, normal: str, least: float, en: str, zh: str) -> Feature:
    """A week against the own normal."""
    return Feature(
        name,
        "ratio",
        "7d",
        f"{en} of the week against the customer's own normal",
        f"近一周{zh}与本人常态之比",
        _DROP,
        against_own(metric, normal, least),
    )


def share(name: str, part: str, whole: str, en: str, zh: str) -> Feature:
    """A part of a month's sum."""
    return Feature(
        name, "ratio", "30d", en, zh, ("plan_fit",), lambda m: ratio(m[f"m.{part}_30d"], m[f"m.{whole}_30d"])
    )


FEATURES: Final = (
    same("uses_1d", "sessions", "1d", "Sessions of the day", "当日使用次数", *_DROP),
    same("uses_7d", "sessions", "7d", "Sessions of the week", "近一周使用次数", *_DROP),
    same("uses_30d", "sessions", "30d", "Sessions of the month", "近一月使用次数", *_DROP),
    same("uses_90d", "sessions", "90d", "Sessions of three months", "近三月使用次数", *_DROP),
    same("data_mb_7d", "MB", "7d", "Mobile data of the week", "近一周流量", *_DROP),
    same("data_mb_30d", "MB", "30d", "Mobile data of the month", "近一月流量", *_DROP),
    same("voice_seconds_7d", "s", "7d", "Talk time of the week", "近一周通话时长", *_DROP),
    same("voice_seconds_30d", "s", "30d", "Talk time of the month", "近一月通话时长", *_DROP),
    same("messages_7d", "messages", "7d", "Messages of the week", "近一周短信条数", *_DROP),
    same("messages_30d", "messages", "30d", "Messages of the month", "近一月短信条数", *_DROP),
    same("voice_day_seconds_30d", "s", "30d", "Talk time by day (8–18 h)", "日间通话时长", "plan_fit", "plan_price"),
    same("voice_evening_seconds_30d", "s", "30d", "Talk time in the evening (18–23 h)", "晚间通话时长", "plan_fit"),
    same("voice_night_seconds_30d", "s", "30d", "Talk time at night", "夜间通话时长", "plan_fit"),
    same("calls_day_30d", "calls", "30d", "Calls by day", "日间通话次数", "plan_fit"),
    same("calls_evening_30d", "calls", "30d", "Calls in the evening", "晚间通话次数", "plan_fit"),
    same("calls_night_30d", "calls", "30d", "Calls at night", "夜间通话次数", "plan_fit"),
    same("international_seconds_30d", "s", "30d", "International talk time", "国际通话时长", "plan_fit"),
    same("international_calls_30d", "calls", "30d", "International calls", "国际通话次数", "plan_fit"),
    same("roaming_uses_30d", "sessions", "30d", "Use while roaming", "漫游使用次数", "plan_fit"),
    same("voicemails_30d", "messages", "30d", "Voice mail messages", "语音信箱条数", "personal"),
    same("broadband_mb_30d", "MB", "30d", "Broadband volume", "宽带流量", *_DROP),
    same("other_uses_30d", "sessions", "30d", "Use of other services", "其他业务使用次数", "personal"),
    own("uses_7d_vs_own", "uses", "uses", 3.0, "Sessions", "使用次数"),
    own("data_mb_7d_vs_own", "data_mb", "data", 20.0, "Mobile data", "流量"),
    own("voice_7d_vs_own", "voice_seconds", "voice", 120.0, "Talk time", "通话时长"),
    own("messages_7d_vs_own", "messages", "messages", 3.0, "Messages", "短信"),
    Feature(
        "usage_7d_vs_own",
        "ratio",
        "7d",
        "Use of the week over all services against the customer's own normal",
        "近一周总使用量与本人常态之比",
        _DROP,
        overall,
    ),
    Feature(
        "usage_peers",
        "ratio",
        "7d",
        "Use of the week by peers (region and segment) against their normal, 1 as ordinary",
        "同地区同客群近一周使用量与其常态之比",
        ("environment",),
        measure("m.peers_index"),
        learned=False,
    ),
    Feature(
        "usage_7d_vs_peers",
        "ratio",
        "7d",
        "Use of the week against the customer's own normal, as far as peers keep to theirs",
        "近一周使用量与本人常态之比(剔除同类客户普遍变化)",
        _DROP,
        against_peers,
    ),
    Feature(
        "usage_month_vs_quarter",
        "ratio",
        "90d",
        "Sessions of the month against the three months before now",
        "近一月使用与近三月平均之比",
        _DROP,
        lambda m: np.where(
            m["m.days_known"] >= 60, ratio(per_week("uses", 30)(m), per_week("uses", 90)(m), 0.5), np.nan
        ),
    ),
    same("usage_index", "ratio", "7d", "Seven closed days against the own normal", "已结算七日使用指数", *_DROP),
    same(
        "usage_cusum",
        "weeks",
        "life",
        "Evidence of a lasting drop in use",
        "使用量持续下降的证据",
        *_DROP,
        sayable=False,
    ),
    same("days_since_use", "days", "life", "Days since the last use", "距上次使用天数", *_DROP),
    same("silent_days", "days", "life", "Days of silence that count", "有效静默天数", *_DROP),
    Feature(
        "silence_ratio",
        "ratio",
        "life",
        "Silence against the limit of the customer's own rhythm",
        "静默时长与本人节奏上限之比",
        _DROP,
        lambda m: ratio(m["m.silent_days"], m["m.silence_limit"]),
    ),
    same(
        "rhythm_days",
        "days",
        "life",
        "Usual days between days with use",
        "通常使用间隔天数",
        "personal",
        measure_name="rhythm_mean",
    ),
    share("voice_day_share", "voice_day_seconds", "voice_seconds", "Share of talk time by day", "日间通话占比"),
    share("voice_night_share", "voice_night_seconds", "voice_seconds", "Share of talk time at night", "夜间通话占比"),
    share("offnet_share", "offnet_seconds", "voice_seconds", "Share of talk time to other operators", "网外通话占比"),
    Feature(
        "call_seconds_mean",
        "s",
        "30d",
        "Mean length of a call",
        "平均通话时长",
        ("personal",),
        lambda m: ratio(
            m["m.voice_seconds_30d"], m["m.calls_day_30d"] + m["m.calls_evening_30d"] + m["m.calls_night_30d"]
        ),
    ),
)
