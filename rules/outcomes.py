"""What came of the episodes: when each reached its tiers, who left, and the figures of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

DAY_US: Final = 86_400_000_000
_NEVER: Final = -1
ACTIVE_US: Final = 90 * DAY_US  # a leaver counts for recall with an event in the 90 days before


class Leaver(NamedTuple):
    """A voluntary leaver: when (µs, as the event is dated), and whether seen in the 90 days before."""

    customer: int
    at: int
    counted: bool


class EpisodeLog:
    """One line per episode: customer, held out or not, and when it reached each tier (µs, −1 never)."""

    def __init__(self, tiers: Sequence[str]) -> None:
        self.tiers = tuple(tiers)
        self.rules: dict[str, int] = {}
        self._episodes: list[list[int]] = []
        self._row_of: dict[int, int] = {}  # open episode of a customer
        self._leavers: list[Leaver] = []

    @property
    def any_leaver(self) -> bool:
        """Whether anybody left voluntarily."""
        return bool(self._leavers)

    def raised(self, customer: int, rank: int, at: int, out: bool) -> None:
        """An episode begins at a tier; it counts for the tiers below too."""
        self._row_of[customer] = len(self._episodes)
        self._episodes.append([customer, int(out), *([_NEVER] * len(self.tiers))])
        self.reached(customer, rank, at)

    def reached(self, customer: int, rank: int, at: int) -> None:
        """An open episode gets to a tier."""
        line = self._episodes[self._row_of[customer]]
        for tier in range(rank + 1):
            if line[2 + tier] == _NEVER:
                line[2 + tier] = at

    def fired(self, rule: str) -> None:
        """A rule held up an episode for the first time."""
        self.rules[rule] = self.rules.get(rule, 0) + 1

    def ended(self, customer: int) -> None:
        """The episode is over; its line stays."""
        self._row_of.pop(customer, None)

    def left(self, leaver: Leaver) -> None:
        """A customer left voluntarily."""
        self._leavers.append(leaver)

    def warnings(self) -> dict[str, dict[str, int]]:
        """Episodes by their highest tier, and by rule."""
        tops = [self.tiers[max(k for k in range(len(self.tiers)) if line[2 + k] != _NEVER)] for line in self._episodes]
        return {"by_tier": {tier: tops.count(tier) for tier in self.tiers}, "by_rule": dict(sorted(self.rules.items()))}

    def outcomes(self, end: int, horizon: int) -> dict[str, Any]:
        """Per tier, treated and held out apart: episodes, matured, churned, precision, recall, median lead days."""
        lines = np.array(self._episodes, np.int64).reshape(-1, 2 + len(self.tiers))
        return {
            tier: {
                **_figures(lines[lines[:, 1] == 0], 2 + k, self._leavers, end, horizon),
                "held_out": _figures(lines[lines[:, 1] == 1], 2 + k, self._leavers, end, horizon),
            }
            for k, tier in enumerate(self.tiers)
        }

    def snapshot(self) -> list[Any]:
        """Plain lists, for JSON."""
        return [self._episodes, list(self._row_of.items()), self.rules, self._leavers]

    def restore(self, saved: Sequence[Any]) -> None:
        """Take over a snapshot."""
        self._episodes = [list(line) for line in saved[0]]
        self._row_of = {int(customer): int(row) for customer, row in saved[1]}
        self.rules = dict(saved[2])
        self._leavers = [Leaver(int(c), int(at), bool(counted)) for c, at, counted in saved[3]]


def _figures(
    lines: npt.NDArray[np.int64], column: int, leavers: list[Leaver], end: int, horizon: int
) -> dict[str, Any]:
    """An episode is matured when the horizon after it has passed or the customer left within it."""
    times: dict[int, list[int]] = {}
    for leaver in leavers:
        times.setdefault(leaver.customer, []).append(leaver.at)
    reached = lines[lines[:, column] != _NEVER]
    leads: dict[tuple[int, int], int] = {}
    matured = churned = 0
    for customer, at in zip(reached[:, 0].tolist(), reached[:, column].tolist(), strict=True):
        gone = [left for left in times.get(customer, ()) if at <= left <= at + horizon]
        if gone:
            leads[customer, gone[0]] = max(leads.get((customer, gone[0]), 0), gone[0] - at)
        churned += bool(gone)
        matured += bool(gone) or at + horizon <= end
    counted = [leaver for leaver in leavers if leaver.counted]
    found = sum((leaver.customer, leaver.at) in leads for leaver in counted)
    return {
        "episodes": len(reached),
        "matured": matured,
        "churned": churned,
        "precision": churned / matured if matured else None,
        "recall": found / len(counted) if counted else None,
        "median_lead_days": float(np.median(list(leads.values()))) / DAY_US if leads else None,
    }
