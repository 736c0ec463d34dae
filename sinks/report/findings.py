"""The numbers of a report, as plain objects: what the JSON holds and the page shows. It names no customer."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rules.ledger import History, Ledger
from rules.outcomes import EpisodeLine
from sinks.report.period import Month, Period, date_of_day, day_number
from sinks.report.pilot import pilot, together
from sinks.report.population import Population
from sinks.report.quality import Quality

UNKNOWN: Final = "unknown"
DAY_US: Final = 86_400_000_000
COHORTS: Final = 13
SURVEYS: Final = ("csat", "ces", "nps", "resolved")

Keys = Callable[[EpisodeLine], Iterable[str]]


def findings(
    history: History,
    first: dt.date | None,
    last: dt.date | None,
    model: Mapping[str, Any] | None,
    *,
    silent: bool = False,
) -> dict[str, Any]:
    """All numbers of the local days `first` to `last`, both included; without them, of all that was counted.

    `silent`: a pilot in which nobody was to be contacted, so that held-out and other customers are one group.

    Raises ValueError when the period is empty or nothing of it was counted.
    """
    period = period_of(history, first, last)
    history = together(history) if silent else history
    log, ledger = history.log, history.ledger
    population = Population(history.first_seen, log.leavers, ledger.returned)
    horizon = history.horizon_days * DAY_US
    until = min(history.end, period.begin_of(period.last + 1) - 1)
    before = [line for line in log.episodes if period.day(line.raised_at) <= period.last]
    lines = [line for line in before if period.holds(line.raised_at)]
    quality = Quality(period, log.leavers, population, history.end, horizon)
    tops = {id(line): log.tiers[max(k for k, at in enumerate(line.reached) if 0 <= at <= until)] for line in lines}
    keys: dict[str, Keys] = {
        "tier": lambda line: (tops[id(line)],),
        "cause": lambda line: (line.cause,),
        "rule": lambda line: line.rules,
        "value_class": lambda line: (line.value_class or UNKNOWN,),
        "region": lambda line: (line.region or UNKNOWN,),
    }
    people = customers(history, population, period, until)
    found = {
        "period": {
            "from": date_of_day(period.first),
            "to": date_of_day(period.last),
            "days": period.days,
            "counted_since": date_of_day(period.day(ledger.since or 0)),
            "known_until": date_of_day(period.day(history.end)),
            "horizon_days": history.horizon_days,
        },
        "customers": people,
        "warnings": {"count": len(lines), "held_out": sum(line.held_out for line in lines)}
        | {f"by_{name}": groups(lines, of, quality) for name, of in keys.items()},
        "per_day": {name: per_day(lines, of, period) for name, of in keys.items()},
        "outcomes": quality.by_tier(before, log.tiers),
        "dummies": quality.dummies([one for one in ledger.complained if period.day(one[1]) <= period.last]),
        "lead_days": quality.leads(before),
        "causes_named": quality.causes_named(before),
        "ended": dict(Counter(line.ended_as or "open" for line in lines)),
        "incidents": incidents(ledger, period),
        "retention": {
            "months": retention(history, population, period),
            "cohorts": cohorts(history, population, period),
        },
        "satisfaction": satisfaction(ledger, period),
        "complaints": complaints(ledger, population, period, until),
        "care": care(ledger, period),
        "model": model,
    }
    return found | ({"pilot": pilot(history, period, before, people, quality)} if silent else {})


def period_of(history: History, first: dt.date | None, last: dt.date | None) -> Period:
    """The days asked for, cut to those counted; raises ValueError for none."""
    ledger = history.ledger
    if ledger.since is None:
        raise ValueError("nothing was counted yet")
    offset = ledger.utc_offset
    counted = ((ledger.since + offset) // DAY_US, (history.end + offset) // DAY_US)
    begin = counted[0] if first is None else max(counted[0], day_number(first))
    end = counted[1] if last is None else min(counted[1], day_number(last))
    if begin > end:
        raise ValueError(f"nothing of that period: counted are {date_of_day(counted[0])} to {date_of_day(counted[1])}")
    return Period(begin, end, offset)


def customers(history: History, population: Population, period: Period, until: int) -> dict[str, int]:
    """Who was there, came and went."""
    leavers = [leaver for leaver in history.log.leavers if period.holds(leaver.at)]
    begin = period.begin_of(period.first)
    return {
        "at_start": int(population.present(begin - 1).sum()),
        "at_end": int(population.present(until).sum()),
        "first_seen": int(((history.first_seen >= begin) & (history.first_seen <= until)).sum()),
        "left_voluntarily": sum(leaver.voluntary for leaver in leavers),
        "left_otherwise": sum(not leaver.voluntary for leaver in leavers),
        "returned": sum(period.holds(at) for _, at in history.ledger.returned),
    }


def groups(lines: Sequence[EpisodeLine], of: Keys, quality: Quality) -> dict[str, dict[str, Any]]:
    """Per group, the biggest first: warnings, matured, churned and precision (treated and held-out together)."""
    members: dict[str, list[EpisodeLine]] = {}
    for line in lines:
        for key in of(line):
            members.setdefault(key, []).append(line)
    found = {}
    for key, some in sorted(members.items(), key=lambda item: (-len(item[1]), item[0])):
        one = quality.of([(line.customer, line.raised_at) for line in some])
        known = {name: one[name] for name in ("matured", "churned", "precision")} if quality.leavers else {}
        found[key] = {"warnings": len(some)} | known
    return found


def per_day(lines: Sequence[EpisodeLine], of: Keys, period: Period) -> dict[str, dict[str, int]]:
    """Warnings raised, by local date and group; days without any are there too."""
    found: dict[int, Counter[str]] = {day: Counter() for day in range(period.first, period.last + 1)}
    for line in lines:
        found[period.day(line.raised_at)].update(of(line))
    return {date_of_day(day): dict(sorted(counts.items())) for day, counts in found.items()}


def incidents(ledger: Ledger, period: Period) -> dict[str, Any]:
    """Incidents that began in the period, the newest first, and faults of cells that the network reported."""
    known = [one for one in ledger.incidents.values() if period.holds(_us(one["started_at"]))]
    shown = ("incident_id", "status", "kind", "scope", "started_at", "customers", "high_value")
    found = [{key: one.get(key) for key in shown} for one in known]
    return {
        "raised": sorted(found, key=lambda one: (one["started_at"], one["incident_id"]), reverse=True),
        "faults_reported": sum(count for day, count in ledger.faults.items() if period.first <= day <= period.last),
    }


def _us(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1e6)


def retention(history: History, population: Population, period: Period) -> list[dict[str, Any]]:
    """Per month: who was there when it began, and how many of them still when it ended.

    A month that began before counting did has no beginning to compare with.
    """
    found = []
    for month in period.months():
        begin = period.begin_of(month.first)
        if begin <= (history.ledger.since or 0):
            continue
        end = min(history.end, period.begin_of(month.last + 1) - 1)
        start = population.present(begin - 1)
        kept = int((start & population.present(end)).sum())
        size = int(start.sum())
        found.append(
            {"month": month.name, "whole": month.whole, "at_start": size, "kept": kept}
            | {"share": kept / size if size else None}
        )
    return found


def cohorts(history: History, population: Population, period: Period) -> list[dict[str, Any]]:
    """Customers by the month they were first seen in, and the share still there at the end of it and each later month."""
    months = period.months()[-COHORTS:]
    ends = [min(history.end, period.begin_of(month.last + 1) - 1) for month in months]
    there = [population.present(end) for end in ends]
    found = []
    for k, (month, end) in enumerate(zip(months, ends, strict=True)):
        begin = period.begin_of(month.first)
        mine = (history.first_seen >= begin) & (history.first_seen <= end)
        size = int(mine.sum())
        if size:
            kept = [int((mine & later).sum()) / size for later in there[k:]]
            found.append({"month": month.name, "size": size, "kept": kept})
    return found


def satisfaction(ledger: Ledger, period: Period) -> list[dict[str, Any]]:
    """Per month and kind: answers and their mean.

    csat and ces 0 (worst) to 1 (best), nps −1 to 1, resolved the share that was satisfied with how a complaint ended.
    """
    found = []
    for month in period.months():
        one: dict[str, Any] = {"month": month.name, "whole": month.whole}
        for survey in SURVEYS:
            sums = [said for (day, kind), said in ledger.answers.items() if kind == survey and _within(month, day)]
            count = sum(said.count for said in sums)
            one[survey] = {"answers": count, "mean": sum(said.total for said in sums) / count if count else None}
        one["answered"] = sum(one[survey]["answers"] for survey in SURVEYS)
        found.append(one)
    return found


def complaints(ledger: Ledger, population: Population, period: Period, until: int) -> dict[str, Any]:
    """Complaints by cause and region, and per month for each 1,000 customers."""
    counted = {key: n for key, n in ledger.complaints.items() if period.first <= key.day <= period.last}
    by_cause: Counter[str] = Counter()
    by_region: Counter[str] = Counter()
    table: dict[str, Counter[str]] = {}
    for key, n in counted.items():
        region = key.region or UNKNOWN
        by_cause[key.cause] += n
        by_region[region] += n
        table.setdefault(key.cause, Counter())[region] += n
    months = []
    for month in period.months():
        count = sum(n for key, n in counted.items() if _within(month, key.day))
        size = int(population.present(min(until, period.begin_of(month.last + 1) - 1)).sum())
        months.append(
            {"month": month.name, "whole": month.whole, "complaints": count}
            | {"per_1000": 1000 * count / size if size else None}
        )
    return {
        "count": sum(counted.values()),
        "by_cause": dict(by_cause.most_common()),
        "by_region": dict(by_region.most_common()),
        "by_cause_and_region": {cause: dict(table[cause].most_common()) for cause, _ in by_cause.most_common()},
        "months": months,
    }


def care(ledger: Ledger, period: Period) -> dict[str, int]:
    """Contacts and what care found, by outcome."""
    found: Counter[str] = Counter()
    for (day, outcome), count in ledger.care.items():
        if period.first <= day <= period.last:
            found[outcome] += count
    return dict(found.most_common())


def _within(month: Month, day: int) -> bool:
    return month.first <= day <= month.last
