"""The page of a backtest: plots in place, styles in the page, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rules.backtest_words import most_first
from sinks.report import charts
from sinks.report.page import percent
from sinks.report.svg import COLOURS, GREY, TIER_COLOURS

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Backtest of rules", "规则回测"),
    "new": ("new rules", "新规则"),
    "old": ("old rules", "旧规则"),
    "customers": ("customers", "客户"),
    "events": ("events", "事件"),
    "rows": ("daily rows", "每日记录"),
    "grain": ("What needs more than a day's grain", "需要比“天”更细粒度的条件"),
    "grain_note": (
        "Each customer was looked at once, at the end of each day: what comes and goes within a day is not seen.",
        "每位客户每天只在日终查看一次:当天出现又消失的情况看不到。",
    ),
    "unrecorded": ("not in the rows", "记录中没有"),
    "gaps": ("Gaps in the rows", "记录的缺口"),
    "missing": ("no rows: nobody there was looked at", "缺少记录:当日未查看这些客户"),
    "partitions": ("partitions", "分区"),
    "of": ("of", "共"),
    "recorded_by": ("recorded by", "记录方"),
    "repeated": (
        "rows left out, of customers who had one of that day already",
        "略去的重复记录(同一客户同一天已有一条)",
    ),
    "sample": ("a sample, scaled up; intervals of 95 % in brackets", "按客户抽样放大;括号内为95%区间"),
    "by_tier": ("Warnings by tier", "按级别"),
    "tier": ("tier", "级别"),
    "episodes": ("episodes", "预警数"),
    "a_day": ("a day", "每天"),
    "precision": ("precision", "准确率"),
    "recall": ("recall", "召回率"),
    "lead": ("median lead, days", "提前天数(中位数)"),
    "per_day": ("Warnings by day", "每日预警"),
    "day": ("day", "日期"),
    "warnings": ("warnings", "预警"),
    "load": ("Load of the queues (tiers above the mildest)", "队列负荷(最低级别除外)"),
    "queue": ("queue", "队列"),
    "busiest": ("busiest day", "最忙日"),
    "capacity": ("capacity a day", "每日处理能力"),
    "days_over": ("days over it", "超出天数"),
    "flips": ("Who is warned of by one rule set only", "仅被一套规则预警的客户"),
    "only_new": ("only by the new", "仅新规则"),
    "only_old": ("only by the old", "仅旧规则"),
    "both": ("by both", "两者"),
    "left": ("of them left", "其中流失"),
    "by_rule": ("Rules: what each did, and whom it concerns now", "各规则:效果与当前涉及客户"),
    "rule": ("rule", "规则"),
    "alone": ("alone", "单独触发"),
    "now": ("customers now", "当前客户"),
    "share": ("share", "占比"),
    "overlap": ("also held up by", "同时触发"),
    "of_customers": ("customers", "客户数"),
    "without": ("without them", "不计这些"),
    "too_early": ("too early to judge", "尚未到期"),
    "too_early_note": (
        "Too early to judge: raised in the last {days} days; of them only those count whose customers have left: too high a precision.",
        "尚未到期:最后{days}天内发出,观察期未满。其中只计入已流失的客户,因此含这些的准确率偏高。",
    ),
    "held": ("The guard stops counting at", "保护机制停止计数:"),
    "aside": ("Not live, so not counted here", "未启用(不计入)"),
    "examples": ("for example", "示例"),
}


def backtest_page(found: Mapping[str, Any], language: str) -> str:
    """The page, in `en` or `zh-CN`."""
    place = int(language == "zh-CN")
    words = {key: texts[place] for key, texts in WORDS.items()}
    environment = Environment(
        loader=PackageLoader("sinks.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "scaled": scaled}
    sets = [name for name in ("new", "old") if name in found]
    tiers = found["tiers"]
    colours = [TIER_COLOURS[max(0, len(TIER_COLOURS) - len(tiers) + k)] for k in range(len(tiers))]
    return environment.get_template("backtest.html.j2").render(
        f=found,
        w=words,
        language=language,
        sets=sets,
        legend=list(zip(tiers, colours, strict=True)),
        per_day={name: _per_day(found[name]["per_day"], tiers, colours, words) for name in sets},
        precision=_precision(found, sets, words),
        rules=_rules(found, sets),
        early=_early(found, sets, words),
        precise=lambda one: _precise(one, words),
    )


def scaled(one: Mapping[str, float]) -> str:
    """A count, with its interval where it is an estimate."""
    count = f"{one['count']:,.0f}"
    return count if one["low"] == one["high"] else f"{count} ({one['low']:,.0f}–{one['high']:,.0f})"


def _per_day(
    days: Mapping[str, Mapping[str, float]], tiers: list[str], colours: list[str], w: Mapping[str, str]
) -> Markup:
    series = [(tier, colour, [day[tier] for day in days.values()]) for tier, colour in zip(tiers, colours, strict=True)]
    return charts.stacked(w["per_day"], (w["warnings"], w["day"]), list(days), series)


def _rules(found: Mapping[str, Any], sets: list[str]) -> Iterable[tuple[str, str, Mapping[str, Any], Any]]:
    """Rows of rules, those in most warnings first: (id, rule set, figures, flips); of the old set where they differ."""
    flips = found.get("rule_flips", {})
    every = {rule: one for name in reversed(sets) for rule, one in found[name]["by_rule"].items()}
    for rule in most_first(every):
        of = [(name, found[name]["by_rule"][rule]) for name in sets if rule in found[name]["by_rule"]]
        for k, (name, one) in enumerate(of):
            if k == 0 or one != of[0][1]:
                yield rule, name, one, flips.get(rule) if k == 0 else None


def _early(found: Mapping[str, Any], sets: list[str], w: Mapping[str, str]) -> str:
    """What `too early` means, where any figure is so."""
    figures = [one for name in sets for part in ("by_tier", "by_rule") for one in found[name][part].values()]
    told = w["too_early_note"].format(days=found["horizon_days"])
    return told if any(one.get("too_early") for one in figures) else ""


def _precise(one: Mapping[str, Any], w: Mapping[str, str]) -> str:
    """A precision with its interval; and what it is without those that are too early to judge, where that is another."""
    if not one.get("horizons_over") or one["precision"] is None:
        return "–"
    low, high = one["precision_interval"]
    without = one["precision_over"]
    aside = f"; {w['without']} {percent(without)}" if without not in (None, one["precision"]) else ""
    return f"{percent(one['precision'])} ({percent(low)}–{percent(high)}{aside})"


def _on_whole_horizons(one: Mapping[str, Any]) -> float | None:
    """The precision, unless the data end before any horizon does: then all that matured have left."""
    return one["precision"] if one["horizons_over"] else None


def _precision(found: Mapping[str, Any], sets: list[str], w: Mapping[str, str]) -> Markup | None:
    tiers = found["tiers"]
    if "precision" not in found["new"]["by_tier"][tiers[0]]:
        return None
    series = [
        (w[name], colour, [_on_whole_horizons(found[name]["by_tier"][tier]) for tier in tiers])
        for name, colour in zip(sets, (COLOURS[0], GREY), strict=False)
    ]
    return charts.pairs(w["precision"], (w["precision"], w["tier"]), tiers, series)
