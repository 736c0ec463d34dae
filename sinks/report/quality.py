"""How good the warnings of a period were, beside dummies: as many at random, and one for every open complaint."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from rules.outcomes import EpisodeLine, Leaver, apart, at_or_above, at_tier, figures
from sinks.report.period import DAY_US, Period
from sinks.report.population import Population

DRAWS: Final = 20
WORK: Final = 200_000  # warnings drawn in all, at most
FIGURES: Final = ("precision", "recall", "median_lead_days")
_Z: Final = 1.96  # 95 %

Warned = list[tuple[int, int]]


class Quality:
    """Figures against what is known at `end` (µs)."""

    def __init__(
        self, period: Period, leavers: Sequence[Leaver], population: Population, end: int, horizon: int
    ) -> None:
        self.period = period
        self.everyone = leavers  # those who left involuntarily too: their warnings never mature
        self.leavers = [leaver for leaver in leavers if leaver.voluntary]
        self.in_period = [leaver for leaver in self.leavers if period.holds(leaver.at)]
        self.population, self.end, self.horizon = population, end, horizon

    def of(
        self, warned: Warned, over: Sequence[Leaver] | None = None, also: Sequence[tuple[int, int]] = ()
    ) -> dict[str, Any]:
        """Precision of the warnings given in the period; recall and lead over those who left in it, by any warning.

        `over`: those of them that recall is over, else all. `also`: warnings that find leavers without being counted.
        """
        given = [(customer, at) for customer, at in warned if self.period.holds(at)]
        late = figures(given, self.everyone, (), self.end, self.horizon)
        left = self.in_period if over is None else over
        missed = figures(
            [*warned, *also], [one for one in self.everyone if self.period.holds(one.at)], left, self.end, self.horizon
        )
        return late | {key: missed[key] for key in ("recall", "median_lead_days")}

    def at_random(self, warned: Warned, over: Sequence[Leaver] | None = None) -> dict[str, float | None]:
        """What as many warnings at the same times give for customers drawn at random, on average (the same draws every time)."""
        chance = np.random.default_rng(0)
        times = np.array([at for _, at in warned], np.int64)
        rounds = max(1, min(DRAWS, WORK // max(1, len(warned))))
        found: dict[str, list[float]] = {key: [] for key in FIGURES}
        for _ in range(rounds):
            drawn = self.population.drawn(times, chance).tolist()
            result = self.of([(who, at) for who, at in zip(drawn, times.tolist(), strict=True) if who >= 0], over)
            for key, values in found.items():
                if result[key] is not None:
                    values.append(result[key])
        return {key: statistics.fmean(values) if values else None for key, values in found.items()}

    def by_tier(self, lines: Sequence[EpisodeLine], tiers: Sequence[str]) -> dict[str, Any] | None:
        """Per tier, treated with the dummy beside, and held out; None while nobody is known to have left."""
        if not self.leavers:
            return None
        treated = [line for line in lines if not line.held_out]
        held_out = [line for line in lines if line.held_out]
        over = apart(self.in_period, lines, len(tiers), self.horizon)
        found = {}
        for k, tier in enumerate(tiers):
            warned = at_tier(treated, k)
            kept = at_tier(held_out, k)
            one = self.of(warned, over[k].treated, at_or_above(treated, k)) | {
                "at_random": self.at_random(warned, over[k].treated),
                "held_out": self.of(kept, over[k].held_out, at_or_above(held_out, k)),
            }
            found[tier] = one | {"effect": effect(one, one["held_out"])}
        return found

    def dummies(self, complained: Warned) -> dict[str, Any] | None:
        """What a warning for every customer who comes to have an open complaint gives; None while nobody has left."""
        return {"every_open_complaint": self.of(complained)} if self.leavers else None

    def leads(self, lines: Iterable[EpisodeLine]) -> list[float]:
        """Days from the first warning within the horizon to each leaving in the period that was warned of."""
        found = []
        raised: dict[int, list[int]] = {}
        for line in lines:
            raised.setdefault(line.customer, []).append(line.raised_at)
        for leaver in self.in_period:
            days = [leaver.at - at for at in raised.get(leaver.customer, ()) if 0 <= leaver.at - at <= self.horizon]
            if days:
                found.append(max(days) / DAY_US)
        return sorted(found)

    def causes_named(self, lines: Iterable[EpisodeLine]) -> dict[str, Any]:
        """Of the warned leavers whose reason is known: how many carried that cause; beside, always the commonest reason."""
        last: dict[int, list[EpisodeLine]] = {}
        for line in lines:
            last.setdefault(line.customer, []).append(line)
        pairs = []
        for leaver in self.in_period:
            said = [x for x in last.get(leaver.customer, ()) if 0 <= leaver.at - x.raised_at <= self.horizon]
            if said and leaver.cause != "unknown":
                pairs.append((said[-1].cause, leaver.cause))
        reasons = [reason for _, reason in pairs]
        right = sum(said == reason for said, reason in pairs)
        commonest = max((reasons.count(reason) for reason in set(reasons)), default=0)
        return {
            "known": len(pairs),
            "right": right,
            "share": right / len(pairs) if pairs else None,
            "always_the_commonest": commonest / len(pairs) if pairs else None,
        }


def effect(treated: Mapping[str, Any], held_out: Mapping[str, Any]) -> dict[str, float] | None:
    """How much less often the treated left than the held out, with a 95 % interval; None without both.

    Difference of two shares with Agresti and Caffo's interval (The American Statistician 54, 2000): one success and one
    failure are added to each group, which keeps small groups honest.
    """
    if not treated["matured"] or not held_out["matured"]:
        return None
    shares = [(group["churned"] + 1) / (group["matured"] + 2) for group in (held_out, treated)]
    spread = sum(
        share * (1 - share) / (group["matured"] + 2) for share, group in zip(shares, (held_out, treated), strict=True)
    )
    half = _Z * spread**0.5
    middle = shares[0] - shares[1]
    plain = held_out["churned"] / held_out["matured"] - treated["churned"] / treated["matured"]
    return {"fewer": plain, "low": middle - half, "high": middle + half}
