"""Choosing a parameter's value from history: on the earlier part of it, and judged on the later.

Values are tried by running the rule set with each; `Tried` says what came of one. A warning counts in the part in which it
was raised, and only once it has matured, so the later part ends a horizon before the files do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from rules.backtesting import DAY_US, Trial, wilson
from rules.outcomes import figures

STEPS: Final = 9


class Part(NamedTuple):
    """How warnings of one stretch of time did."""

    warnings: int
    a_day: float
    matured: int
    churned: int

    @property
    def precision(self) -> float | None:
        """Share of the matured that left within the horizon."""
        return self.churned / self.matured if self.matured else None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict() | {"precision": self.precision, "precision_interval": wilson(self.churned, self.matured)}


class Tried(NamedTuple):
    """A value, and what came of it before and after the split."""

    value: float
    earlier: Part
    later: Part


class Goal(NamedTuple):
    """What is asked: a precision floor, or a cost ratio (a leaver found is worth so many warnings), under a capacity a day."""

    precision: float | None = None
    cost_ratio: float | None = None
    capacity: float | None = None

    @property
    def floor(self) -> float:
        """The precision at which warnings are worth their cost."""
        return self.precision if self.precision is not None else 1.0 / (self.cost_ratio or math.inf)


def split_at(trial: Trial, share: float = 0.6) -> int:
    """Where the earlier part ends (µs): so much of the time in which warnings can mature."""
    usable = trial.end - trial.horizon_days * DAY_US - trial.begin
    if usable < 2 * DAY_US:
        raise ValueError(
            f"the files cover {trial.days:.0f} days; to judge warnings {trial.horizon_days} days after them needs more"
        )
    return trial.begin + int(usable * share)


def parts(trial: Trial, lines: Iterable[tuple[int, int]], split: int) -> tuple[Part, Part]:
    """Warnings (customer, when) before and after the split, those too new to mature left out.

    Only outcomes that were known by the split count for the earlier part: choosing must not look ahead.
    """
    horizon = trial.horizon_days * DAY_US
    last = trial.end - horizon
    found = []
    for begin, end, known in ((trial.begin, split, split), (split, last, trial.end)):
        mine = [(customer, at) for customer, at in lines if begin <= at < end]
        leavers = [one for one in trial.leavers if one.at <= known]
        told = figures(mine, leavers, (), known, horizon)
        days = max(1.0, (end - begin) / DAY_US)
        found.append(Part(len(mine), len(mine) / days / trial.share, told["matured"], told["churned"]))
    return found[0], found[1]


def chosen(tried: Sequence[Tried], goal: Goal) -> Tried | None:
    """The value with most leavers found in the earlier part among those that keep to the goal there; None if none does.

    Of values that find as many the one with fewer warnings, then the one nearest the middle of the equals.
    """
    fit = [
        one
        for one in tried
        if one.earlier.precision is not None
        and one.earlier.precision >= goal.floor
        and (goal.capacity is None or one.earlier.a_day <= goal.capacity)
    ]
    if not fit:
        return None
    best = min((-one.earlier.churned, one.earlier.warnings) for one in fit)
    equals = [one for one in fit if (-one.earlier.churned, one.earlier.warnings) == best]
    return equals[len(equals) // 2]


def grid(value: float, low: float | None, high: float | None, steps: int = STEPS) -> list[float]:
    """Values to try: evenly between the bounds, else from half to one and a half of the value; the value itself among them."""
    first = low if low is not None else min(value * 0.5, value * 1.5) if value else -1.0
    last = high if high is not None else max(value * 0.5, value * 1.5) if value else 1.0
    even = {float(f"{first + (last - first) * k / (steps - 1):.3g}") for k in range(steps)}
    return sorted(even | {value})
