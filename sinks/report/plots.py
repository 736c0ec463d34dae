"""The plots of the page, each made from its part of the findings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from sinks.report import charts
from sinks.report.charts import Series
from sinks.report.svg import COLOURS, GREY, TIER_COLOURS
from sinks.report.words import Say

MOST_BARS: Final = 190  # days; a longer period is shown by weeks
MOST_SERIES: Final = 8
KINDS: Final = ("csat", "ces", "resolved")
WEEK: Final = 7


class Plots:
    """`name` gives a code's name in the language of `say`."""

    def __init__(self, findings: Mapping[str, Any], say: Say, name: Callable[[str], str], tiers: Sequence[str]) -> None:
        self.findings, self.say, self.name, self.tiers = findings, say, name, tiers

    def legend(self, series: Sequence[tuple[str, str, Any]]) -> list[tuple[str, str]]:
        """(name, colour) of what a plot shows."""
        return [(name, colour) for name, colour, _ in series]

    def tier_colour(self, tier: str) -> str:
        """The colour of a tier by its place from the top."""
        return TIER_COLOURS[max(0, len(TIER_COLOURS) - len(self.tiers) + self.tiers.index(tier))]

    def over_time(self, dimension: str) -> tuple[list[str], list[dict[str, int]], bool]:
        """Labels and counts by day, or by week (the last is true) where days would be too many."""
        days: dict[str, dict[str, int]] = self.findings["per_day"][dimension]
        if len(days) <= MOST_BARS:
            return list(days), list(days.values()), False
        labels, found = list(days)[::WEEK], []
        rows = list(days.values())
        for k in range(0, len(rows), WEEK):
            week: dict[str, int] = {}
            for row in rows[k : k + WEEK]:
                for key, n in row.items():
                    week[key] = week.get(key, 0) + n
            found.append(week)
        return labels, found, True

    def weekly(self, dimension: str, key: str) -> list[int]:
        """One group's warnings by week of the period."""
        rows = list(self.findings["per_day"][dimension].values())
        return [sum(row.get(key, 0) for row in rows[k : k + WEEK]) for k in range(0, len(rows), WEEK)]

    def tier_series(self) -> list[Series]:
        """New warnings by tier."""
        _, counts, _ = self.over_time("tier")
        return [(self.name(tier), self.tier_colour(tier), [row.get(tier, 0) for row in counts]) for tier in self.tiers]

    def cause_series(self) -> list[Series]:
        """New warnings by cause: the commonest, and all others together."""
        _, counts, _ = self.over_time("cause")
        causes = list(self.findings["warnings"]["by_cause"])
        shown, rest = causes[:MOST_SERIES], causes[MOST_SERIES:]
        series: list[Series] = [
            (self.name(cause), COLOURS[k], [row.get(cause, 0) for row in counts]) for k, cause in enumerate(shown)
        ]
        if rest:
            series.append((self.say("others"), GREY, [sum(row.get(cause, 0) for cause in rest) for row in counts]))
        return series

    def bars(self, dimension: str, title: str, series: Sequence[Series]) -> Markup:
        """Warnings over time."""
        labels, _, weeks = self.over_time(dimension)
        axes = (self.say("a_week" if weeks else "a_day"), self.say("week_of" if weeks else "day"))
        return charts.stacked(title, axes, labels, series)

    def load_series(self) -> list[Series]:
        """Work by care team, day by day; the teams with most of it, and all others together."""
        found: dict[str, Any] = self.findings["pilot"]["load"]
        teams = sorted(found, key=lambda team: (-found[team]["mean"], team))
        rows = [list(found[team]["per_day"].values()) for team in teams]
        if len(self.findings["per_day"]["tier"]) > MOST_BARS:
            rows = [[sum(row[k : k + WEEK]) for k in range(0, len(row), WEEK)] for row in rows]
        series: list[Series] = [
            (self.name(team) if team == "unknown" else team, COLOURS[k], row)
            for k, (team, row) in enumerate(zip(teams[:MOST_SERIES], rows, strict=False))
        ]
        if rest := rows[MOST_SERIES:]:
            series.append((self.say("others"), GREY, [sum(column) for column in zip(*rest, strict=True)]))
        return series

    def load(self, title: str) -> Markup:
        """Work over time."""
        return self.bars("tier", title, self.load_series())

    def quality_series(self, figure: str) -> list[tuple[str, str, list[float | None]]]:
        """A figure per tier, beside the same at random."""
        outcomes = self.findings["outcomes"]
        return [
            (self.say("ours"), COLOURS[0], [outcomes[tier][figure] for tier in self.tiers]),
            (self.say("random"), GREY, [outcomes[tier]["at_random"][figure] for tier in self.tiers]),
        ]

    def quality(self, figure: str, title: str, y_label: str) -> Markup:
        """Precision or recall by tier."""
        axes = (y_label, self.say("tier_and_above"))
        return charts.pairs(title, axes, [self.name(tier) for tier in self.tiers], self.quality_series(figure))

    def leads(self, title: str) -> Markup:
        """How early the first warning came."""
        leads, days = self.findings["lead_days"], self.findings["period"]["horizon_days"]
        width = max(1, math.ceil(days / 15))
        bins = [0] * math.ceil(days / width)
        for lead in leads:
            bins[min(len(bins) - 1, int(lead / width))] += 1
        labels = [f"{k * width}" if width == 1 else f"{k * width}–{(k + 1) * width}" for k in range(len(bins))]
        axes = (self.say("leavers"), self.say("days_before"))
        return charts.stacked(title, axes, labels, [(self.say("leavers"), COLOURS[3], bins)])

    def month(self, one: Mapping[str, Any]) -> str:
        """A month's name, marked when it is not whole."""
        return str(one["month"]) + ("" if one["whole"] else "*")

    def retention(self, title: str) -> Markup:
        """Retention by month."""
        months = self.findings["retention"]["months"]
        shares = [one["share"] for one in months]
        least = min((share for share in shares if share is not None), default=1.0)
        low = max(0.0, math.floor((least - 0.01) * 20) / 20)
        axes = (self.say("share_kept"), self.say("month"))
        return charts.lines(title, axes, [self.month(one) for one in months], [("", COLOURS[0], shares)], low)

    def satisfaction_series(self) -> list[tuple[str, str, list[float | None]]]:
        """What was answered, by month; kinds that nobody answered are left out."""
        months = self.findings["satisfaction"]
        return [
            (self.say(kind), COLOURS[k], [one[kind]["mean"] for one in months])
            for k, kind in enumerate(KINDS)
            if any(one[kind]["answers"] for one in months)
        ]

    def satisfaction(self, title: str) -> Markup:
        """Satisfaction by month."""
        labels = [self.month(one) for one in self.findings["satisfaction"]]
        return charts.lines(title, (self.say("share_best"), self.say("month")), labels, self.satisfaction_series())

    def complaints(self, title: str) -> Markup:
        """Complaints by month."""
        months = self.findings["complaints"]["months"]
        rates = [round(one["per_1000"] or 0.0, 1) for one in months]
        axes = (self.say("per_1000"), self.say("month"))
        return charts.stacked(title, axes, [self.month(one) for one in months], [("", COLOURS[2], rates)])
