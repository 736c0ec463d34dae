"""What came of the episodes: when each reached its tiers, who left, and the figures of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

DAY_US: Final = 86_400_000_000
NEVER: Final = -1
ACTIVE_US: Final = 90 * DAY_US  # a leaver counts for recall with an event in the 90 days before


class Leaver(NamedTuple):
    """Who left: when (µs, as the event is dated), whether seen in the 90 days before, why as found (a cause or unknown).

    An involuntary leaver (arrears, death, fraud) is nobody's miss and nobody's hit. `lots` has a bit for each tier whose
    hold-out the customer belongs to, which says of those never warned whether they would have been held out.
    """

    customer: int
    at: int
    counted: bool
    voluntary: bool = True
    cause: str = "unknown"
    lots: int = 0


class EpisodeLine(Struct):
    """What is remembered of an episode. `reached` is when it got to each tier (µs, −1 never), `rules` when each joined."""

    customer: int
    held_out: bool
    reached: list[int]
    rules: dict[str, int]
    cause: str = "unknown"
    value_class: str | None = None
    region: str | None = None
    ended_at: int | None = None
    ended_as: str | None = None
    queue: str | None = None

    @property
    def raised_at(self) -> int:
        """When it began (µs)."""
        return self.reached[0]

    def open_at(self, at: int) -> bool:
        """Whether it had begun by then (µs) and was not over before."""
        return self.raised_at <= at and (self.ended_at is None or at <= self.ended_at)

    @property
    def top(self) -> int:
        """The highest tier it got to."""
        return max(k for k, at in enumerate(self.reached) if at != NEVER)


class EpisodeLog:
    """One line per episode, and who left."""

    def __init__(self, tiers: Sequence[str]) -> None:
        self.tiers = tuple(tiers)
        self.episodes: list[EpisodeLine] = []
        self.leavers: list[Leaver] = []
        self._row_of: dict[int, int] = {}  # open episode of a customer
        self._begun: dict[int, tuple[int, int]] = {}  # a customer's newest episode: when, and how many began just then

    @property
    def any_leaver(self) -> bool:
        """Whether anybody left voluntarily."""
        return any(leaver.voluntary for leaver in self.leavers)

    def raised(self, customer: int, rank: int, at: int, out: bool) -> None:
        """An episode begins at a tier; it counts for the tiers below too."""
        self._row_of[customer] = len(self.episodes)
        self._begun[customer] = (at, self.begun(customer, at) + 1)
        self.episodes.append(EpisodeLine(customer, out, [NEVER] * len(self.tiers), {}))
        self.reached(customer, rank, at)

    def begun(self, customer: int, at: int) -> int:
        """How many episodes of the customer have begun at this very moment (µs)."""
        newest, count = self._begun.get(customer, (NEVER, 0))
        return count if newest == at else 0

    def reached(self, customer: int, rank: int, at: int) -> None:
        """An open episode gets to a tier."""
        line = self.episodes[self._row_of[customer]]
        for tier in range(rank + 1):
            if line.reached[tier] == NEVER:
                line.reached[tier] = at

    def fired(self, customer: int, rule: str, at: int) -> None:
        """A rule holds up the open episode; the first time counts."""
        self.episodes[self._row_of[customer]].rules.setdefault(rule, at)

    def described(
        self, customer: int, cause: str, value_class: str | None, region: str | None, queue: str | None = None
    ) -> None:
        """What the newest decision that raised or elevated the open episode said."""
        line = self.episodes[self._row_of[customer]]
        line.cause, line.value_class, line.region, line.queue = cause, value_class, region, queue

    def ended(self, customer: int, at: int, reason: str) -> None:
        """The episode is over; its line stays."""
        row = self._row_of.pop(customer, None)
        if row is not None:
            self.episodes[row].ended_at, self.episodes[row].ended_as = at, reason

    def left(self, leaver: Leaver) -> None:
        """A customer left."""
        self.leavers.append(leaver)

    def warnings(self) -> dict[str, dict[str, int]]:
        """Episodes by their highest tier, and by rule."""
        tops = [self.tiers[line.top] for line in self.episodes]
        rules = Counter(rule for line in self.episodes for rule in line.rules)
        return {"by_tier": {tier: tops.count(tier) for tier in self.tiers}, "by_rule": dict(sorted(rules.items()))}

    def outcomes(self, end: int, horizon: int) -> dict[str, Any]:
        """Per tier, treated and held out apart: episodes, matured, churned, precision, recall, median lead days."""
        over = apart(self.leavers, self.episodes, len(self.tiers), horizon)
        treated = [line for line in self.episodes if not line.held_out]
        held_out = [line for line in self.episodes if line.held_out]
        return {
            tier: {
                **self._of_tier(treated, k, over[k].treated, end, horizon),
                "held_out": self._of_tier(held_out, k, over[k].held_out, end, horizon),
            }
            for k, tier in enumerate(self.tiers)
        }

    def _of_tier(
        self, lines: Sequence[EpisodeLine], tier: int, over: Sequence[Leaver], end: int, horizon: int
    ) -> dict[str, Any]:
        found = figures(at_or_above(lines, tier), self.leavers, over, end, horizon)
        counts = figures(at_tier(lines, tier), self.leavers, (), end, horizon)
        return counts | {key: found[key] for key in ("recall", "median_lead_days")}

    def snapshot(self) -> list[Any]:
        """Plain objects, for JSON."""
        return [self.episodes, list(self._row_of.items()), self.leavers]

    def restore(self, saved: Sequence[Any]) -> None:
        """Take over a snapshot; raises ValueError for one of another shape."""
        try:
            episodes, row_of, leavers = saved
            self.episodes = msgspec.convert(episodes, list[EpisodeLine])
            self._row_of = msgspec.convert(dict(row_of), dict[int, int])
            self.leavers = msgspec.convert(leavers, list[Leaver])
        except msgspec.ValidationError as error:
            raise ValueError(f"the episodes: {error}") from error
        self._begun.clear()
        for line in self.episodes:
            self._begun[line.customer] = (line.raised_at, self.begun(line.customer, line.raised_at) + 1)


def at_tier(lines: Iterable[EpisodeLine], tier: int) -> list[tuple[int, int]]:
    """(customer, when) of the episodes that got to a tier."""
    return [(line.customer, line.reached[tier]) for line in lines if line.reached[tier] != NEVER]


def at_or_above(lines: Iterable[EpisodeLine], tier: int) -> list[tuple[int, int]]:
    """(customer, when) of each tier that an episode got to, from this one up.

    Who was warned of long ago and again, more urgently, within the horizon was found; at the lower tier too.
    """
    return [(line.customer, at) for line in lines for at in sorted(set(line.reached[tier:]) - {NEVER})]


class Apart(NamedTuple):
    """Voluntary leavers by the group whose recall they count for."""

    treated: list[Leaver]
    held_out: list[Leaver]


def apart(leavers: Iterable[Leaver], lines: Iterable[EpisodeLine], tiers: int, horizon: int) -> list[Apart]:
    """Per tier the leavers to be found by care and those kept from it; times in µs.

    A leaver who was warned of within the horizon belongs where that episode does, whatever tier it got to; one who was
    not belongs where an episode that began at the tier would have.
    """
    of: dict[int, list[EpisodeLine]] = {}
    for line in lines:
        of.setdefault(line.customer, []).append(line)
    found = [Apart([], []) for _ in range(tiers)]
    for leaver in leavers:
        if not leaver.voluntary:
            continue
        groups = {
            line.held_out
            for line in of.get(leaver.customer, ())
            if any(at != NEVER and 0 <= leaver.at - at <= horizon for at in line.reached)
        }
        for k, one in enumerate(found):
            for out in groups or {bool(leaver.lots >> k & 1)}:
                (one.held_out if out else one.treated).append(leaver)
    return found


def figures(
    warned: Sequence[tuple[int, int]], leavers: Iterable[Leaver], over: Iterable[Leaver], end: int, horizon: int
) -> dict[str, Any]:
    """How warnings (customer, when) did against all `leavers`, with recall over some of the voluntary ones; times in µs.

    A warning is matured when the horizon after it has passed or the customer left within it. One whose customer first
    left involuntarily within it never matures: nobody knows what it would have come to.
    """
    times: dict[int, list[tuple[int, bool | None]]] = {}
    for leaver in leavers:
        times.setdefault(leaver.customer, []).append((leaver.at, leaver.voluntary))
    leads: dict[tuple[int, int], int] = {}
    matured = churned = 0
    for customer, at in warned:
        gone, voluntary = min(
            (left for left in times.get(customer, ()) if at <= left[0] <= at + horizon), default=(0, None)
        )
        if voluntary:
            leads[customer, gone] = max(leads.get((customer, gone), 0), gone - at)
        churned += voluntary is True
        matured += voluntary is True or (voluntary is None and at + horizon <= end)
    counted = [leaver for leaver in over if leaver.counted]
    found = sum((leaver.customer, leaver.at) in leads for leaver in counted)
    return {
        "episodes": len(warned),
        "matured": matured,
        "churned": churned,
        "precision": churned / matured if matured else None,
        "recall": found / len(counted) if counted else None,
        "median_lead_days": float(np.median(list(leads.values()))) / DAY_US if leads else None,
    }
