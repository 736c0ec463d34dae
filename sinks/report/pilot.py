"""A silent pilot: warnings that nobody acted on, so what they would have been worth can be read off what happened.

Where nobody is contacted nobody is held out either: all warnings and all leavers are one group.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from rules.ledger import History
from rules.outcomes import NEVER, EpisodeLine, Leaver, at_or_above, at_tier
from sinks.report.period import DAY_US, Period, date_of_day
from sinks.report.quality import Quality

UNKNOWN: Final = "unknown"


def together(history: History) -> History:
    """The same history with everybody in one group."""
    log = history.log
    pooled = type(log)(log.tiers)
    pooled.episodes = [msgspec.structs.replace(line, held_out=False) for line in log.episodes]
    pooled.leavers = [leaver._replace(lots=0) for leaver in log.leavers]
    return history._replace(log=pooled)


def pilot(
    history: History, period: Period, lines: Sequence[EpisodeLine], people: Mapping[str, int], quality: Quality
) -> dict[str, Any]:
    """What only a pilot asks: was it silent, how much work per care team and day, how much was found in time.

    `lines` are the episodes up to the period's end, `people` the customers' counts of the findings.
    """
    tiers = history.log.tiers
    size = (people["at_start"] + people["at_end"]) / 2
    return {
        "contacts": contacts(history, period),
        "tiers": {tier: _tier(lines, k, size, period, quality) for k, tier in enumerate(tiers)},
        "load": load(lines, tiers, period),
    }


def contacts(history: History, period: Period) -> dict[str, Any]:
    """Contacts and results of care from the period's first day on: with any, the pilot was not silent."""
    days = sorted(day for day, _ in history.ledger.care if day >= period.first)
    count = sum(n for (day, _), n in history.ledger.care.items() if day >= period.first)
    return {
        "count": count,
        "silent": not days,
        "first": date_of_day(days[0]) if days else None,
        "last": date_of_day(days[-1]) if days else None,
    }


def _tier(lines: Sequence[EpisodeLine], tier: int, size: float, period: Period, quality: Quality) -> dict[str, Any]:
    """Warnings that got to a tier: how many a day, and the share of leavers warned of a day or more ahead."""
    per_day = sum(period.holds(at) for _, at in at_tier(lines, tier)) / period.days
    return {
        "per_day": per_day,
        "per_day_and_1000": 1000 * per_day / size if size else None,
        "recall_a_day_ahead": _ahead(at_or_above(lines, tier), quality) if quality.leavers else None,
    }


def _ahead(warned: Sequence[tuple[int, int]], quality: Quality) -> float | None:
    """Of the leavers that count for recall, those warned of at least a day before they left, within the horizon."""
    times: dict[int, list[int]] = {}
    for customer, at in warned:
        times.setdefault(customer, []).append(at)

    def found(leaver: Leaver) -> bool:
        return any(DAY_US <= leaver.at - at <= quality.horizon for at in times.get(leaver.customer, ()))

    counted = [leaver for leaver in quality.in_period if leaver.counted]
    return sum(map(found, counted)) / len(counted) if counted else None


def load(lines: Sequence[EpisodeLine], tiers: Sequence[str], period: Period) -> dict[str, Any]:
    """Per care team (queue) the warnings of a day, by the tier they were raised at, and how they spread over days.

    A warning counts on the local day it was raised, and once more at each higher tier, on the day it got there: both are
    work for the team.
    """
    counts: dict[str, dict[int, Counter[str]]] = {}
    for line in lines:
        for at, above, tier in zip(line.reached, [*line.reached[1:], NEVER], tiers, strict=True):
            if at not in (NEVER, above) and period.holds(at):  # two tiers reached at once are one piece of work
                days = counts.setdefault(line.queue or UNKNOWN, {})
                days.setdefault(period.day(at), Counter())[tier] += 1
    return {queue: _spread(days, tiers, period) for queue, days in sorted(counts.items())}


def _spread(days: Mapping[int, Counter[str]], tiers: Sequence[str], period: Period) -> dict[str, Any]:
    every = [days.get(day, Counter()).total() for day in range(period.first, period.last + 1)]
    busiest = max(range(len(every)), key=lambda k: every[k])
    each = {tier: [days.get(period.first + k, Counter())[tier] for k in range(len(every))] for tier in tiers}
    return {
        "mean": statistics.fmean(every),
        "median": float(statistics.median(every)),
        "most": every[busiest],
        "busiest_day": date_of_day(period.first + busiest),
        "by_tier": {tier: statistics.fmean(counts) for tier, counts in each.items()},
        "per_day": {date_of_day(period.first + k): count for k, count in enumerate(every)},
    }
