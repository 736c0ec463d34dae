"""Choosing a parameter's value from history: on the earlier part of it, and judged on the later.

Values are tried by running the rule set with each; `Tried` says what came of one. A warning counts in the part in which it
was raised, and only once it has matured, so the later part ends a horizon before the files do.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from rules.backtesting import DAY_US, Trial, wilson
from rules.outcomes import figures

STEPS: Final = 9
FOLDS: Final = 5
TAIL: Final = 0.025
"""On each side of a 95 % interval."""


class Part(NamedTuple):
    """How warnings of one stretch of time did. `customers` are those of the matured: one warned of twice tells less than two."""

    warnings: int
    a_day: float
    matured: int
    churned: int
    customers: int | None = None

    @property
    def precision(self) -> float | None:
        """Share of the matured that left within the horizon."""
        return self.churned / self.matured if self.matured else None

    @property
    def interval(self) -> list[float] | None:
        """Of the precision, 95 %: Wilson's, over as many tries as there are customers."""
        tries = self.matured if self.customers is None else self.customers
        return wilson(self.churned * tries / self.matured, tries) if self.matured else None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict() | {"precision": self.precision, "precision_interval": self.interval}


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
    """Where the earlier part ends (µs): such that of the warnings that can be judged so large a share of the time is in it.

    Neither those of the last horizon before the split nor of that before the end can be. Raises ValueError for too short a time.
    """
    horizon = trial.horizon_days * DAY_US
    judged = trial.end - trial.begin - 2 * horizon
    if judged < 2 * DAY_US:
        raise ValueError(
            f"the files cover {trial.days:.0f} days; to judge warnings {trial.horizon_days} days after them, in an earlier "
            f"part and in a later, needs {2 * trial.horizon_days + 2} or more"
        )
    return trial.begin + horizon + int(judged * share)


def split_after(trial: Trial, day: dt.date) -> int:
    """The end of a local day (µs). Raises ValueError for one after which nothing could mature, or before which nothing is."""
    at = (day.toordinal() + 1 - dt.date(1970, 1, 1).toordinal()) * DAY_US - trial.utc_offset
    first, last = trial.begin + DAY_US, trial.end - trial.horizon_days * DAY_US - DAY_US
    if not first <= at <= last:
        raise ValueError(f"--split {day}: between {trial.day(first)} and {trial.day(last)} here")
    return at


def parts(trial: Trial, lines: Iterable[tuple[int, int]], split: int) -> tuple[Part, Part]:
    """Warnings (customer, when) before and after the split."""
    lines, last = list(lines), trial.end - trial.horizon_days * DAY_US
    return part(trial, lines, trial.begin, split, split), part(trial, lines, split, last, trial.end)


def part(trial: Trial, lines: Iterable[tuple[int, int]], begin: int, end: int, known: int) -> Part:
    """Warnings from `begin` to `end`, judged by what was known at `known` (all µs).

    Judged are those that were a horizon old by then: of newer ones only those would be known yet that were right, and
    choosing must not look ahead.
    """
    horizon = trial.horizon_days * DAY_US
    mine = [(customer, at) for customer, at in lines if begin <= at < end]
    old = [(customer, at) for customer, at in mine if at + horizon <= known]
    told = figures(old, [one for one in trial.leavers if one.at <= known], (), known, horizon)
    days = max(1.0, (end - begin) / DAY_US)
    customers = min(told["matured"], len({customer for customer, _ in old}))
    return Part(len(mine), len(mine) / days / trial.share, told["matured"], told["churned"], customers)


class Promise(NamedTuple):
    """What the earlier part says of the later: its precision, and between what it will lie in 95 of 100 cases."""

    precision: float
    low: float
    high: float

    def kept(self, later: Part) -> bool | None:
        """Whether it turned out so; None where nothing matured."""
        return None if later.precision is None else self.low <= later.precision <= self.high


def promise(earlier: Part, optimism: float, later: int, swing: float = 1.0) -> Promise | None:
    """What a value's earlier part lets expect of warnings of so many customers to come, for all that chance does in both.

    The value was chosen because it looked good there; `optimism` is by how much too good, as far as so few customers tell: the
    lower end is that of what it is without it, the upper that of what it looked like. `swing` is by how much weeks differ
    more than by chance: so much less does each customer tell. The ends are those of the beta-binomial distribution of how many
    will be right, from Jeffreys' prior: with few to come only few shares are possible, which intervals for a proportion
    (Newcombe's say) do not know.
    """
    tries = (earlier.matured if earlier.customers is None else earlier.customers) / swing
    if earlier.precision is None or tries <= 0 or later < 1:
        return None
    p = min(1.0, max(0.0, earlier.precision - optimism))
    ends = [beta_binomial(q * tries + 0.5, (1 - q) * tries + 0.5, later) for q in (p, earlier.precision)]
    return Promise(p, min(low for low, _ in ends) / later, max(high for _, high in ends) / later)


def beta_binomial(a: float, b: float, count: int) -> tuple[int, int]:
    """Between what the number of right ones of `count` lies in 95 of 100 cases, where their share is beta(a, b) distributed."""
    known = math.lgamma(count + 1) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) - math.lgamma(count + a + b)
    low, below = 0, 0.0
    for right in range(count + 1):
        chosen = math.lgamma(right + 1) + math.lgamma(count - right + 1)
        below += math.exp(known - chosen + math.lgamma(right + a) + math.lgamma(count - right + b))
        if below <= TAIL:
            low = right + 1
        if below >= 1 - TAIL:
            return low, right
    return low, count


def swing(trial: Trial, lines: Iterable[tuple[int, int]], split: int) -> float:
    """How much more the share that was right differs from week to week of the earlier part than chance makes it, at least 1:
    Pearson's chi-square over its degrees of freedom.
    """
    old = [(customer, at) for customer, at in lines if at < split]
    weeks = (part(trial, old, at, min(at + 7 * DAY_US, split), split) for at in range(trial.begin, split, 7 * DAY_US))
    told = [one for one in weeks if one.matured]
    p = summed(told).precision
    if p is None or p in (0.0, 1.0) or len(told) < 2:
        return 1.0
    found = sum((one.churned - one.matured * p) ** 2 / (one.matured * p * (1 - p)) for one in told)
    return max(1.0, found / (len(told) - 1))


def fold_of(customer: int, folds: int = FOLDS) -> int:
    """The fold of a customer, by a hash of the number."""
    return (customer * 2_654_435_761 % 2**32) * folds >> 32


def summed(found: Sequence[Part]) -> Part:
    """Parts of different customers together."""
    matured, customers = sum(one.matured for one in found), sum(one.customers or 0 for one in found)
    warnings, a_day = sum(one.warnings for one in found), sum(one.a_day for one in found)
    return Part(warnings, a_day, matured, sum(one.churned for one in found), customers)


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
