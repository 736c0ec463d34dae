"""The operator's plans, and which of them would cost a customer's use least.

Plans are compared within their group only: a prepaid customer is not told of a firm's plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from detectors.columns import Column, Table, lookup

MB_A_GB: Final = 1000.0


class Tariff(NamedTuple):
    """A plan: fee a month, allowances a month in MB and minutes, and the group it may be swapped within."""

    name: str
    fee: float
    mb: float
    minutes: float
    group: str


class Overage(NamedTuple):
    """What use beyond the allowance costs, per GB and minute, and at most, in fees of the plan."""

    per_gb: float
    per_minute: float
    most_fees: float


class PlanBook:
    """The plans by the code of a customer's plan label; `talk_share` is the share of talk time that allowances count."""

    def __init__(self, tariffs: Sequence[Tariff], overage: Overage, talk_share: float = 1.0) -> None:
        self.names = tuple(tariff.name for tariff in tariffs)
        self.talk_share = talk_share
        self._tariffs = tuple(tariffs)
        self._overage = overage
        groups = [tariff.group for tariff in tariffs]
        self._groups = Table([groups.index(group) for group in groups])
        self._parts = {part: Table([getattr(tariff, part) for tariff in tariffs]) for part in ("fee", "mb", "minutes")}
        self._listed = Table([])

    def learn(self, count: int, text: Callable[[int], str]) -> None:
        """Take in the plan labels known so far: `count` of them, written as `text(code)`."""
        if count != len(self._listed.values):
            place = {name: float(i) for i, name in enumerate(self.names)}
            self._listed.values = np.array([place.get(text(code), np.nan) for code in range(count)])

    def place(self, plan: Column) -> Column:
        """The place of each customer's plan in the book; unknown for a plan that is not in it."""
        return lookup(plan, self._listed)

    def allowance(self, plan: Column, part: str) -> Column:
        """The fee, `mb` or `minutes` of each customer's plan; NaN for a plan that is not in the book."""
        return lookup(self.place(plan), self._parts[part])

    def cheapest(self, plan: Column, mb: Column, minutes: Column) -> tuple[Column, Column]:
        """(place of the plan of the same group that costs least, its cost over the present plan's cost)."""
        mine = self.place(plan)
        group = lookup(mine, self._groups)
        unknown = np.where(np.isnan(plan), np.nan, np.nan)  # a column of the same length
        now, best, least = unknown, unknown, np.where(np.isnan(plan), np.inf, np.inf)
        for k, tariff in enumerate(self._tariffs):
            cost = self._cost(tariff, mb, minutes)
            now = np.where(mine == k, cost, now)
            better = (group == self._groups.values[k]) & (cost < least)
            best, least = np.where(better, float(k), best), np.where(better, cost, least)
        known = ~np.isnan(now) & np.isfinite(least)
        share = np.where(known, least, np.nan) / np.where(now > 0, now, np.nan)
        return np.where(known, best, np.nan), share

    def _cost(self, tariff: Tariff, mb: Column, minutes: Column) -> Column:
        beyond = self._overage.per_gb * np.maximum(mb - tariff.mb, 0.0) / MB_A_GB
        beyond = beyond + self._overage.per_minute * np.maximum(minutes - tariff.minutes, 0.0)
        return tariff.fee + np.minimum(beyond, self._overage.most_fees * tariff.fee)


NO_PLANS: Final = PlanBook((), Overage(0.0, 0.0, 0.0))
