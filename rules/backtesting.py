"""What a rule set would have done, in figures: warnings by tier, queue and day, how good they were, who is warned of now.

Of a sample of customers counts are scaled up, with 95 % intervals (the customers drawn are a hash of their ids, so the count
that was missed is Poisson to a good approximation). Shares have Wilson's interval (Journal of the American Statistical
Association 22, 1927).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from rules.gaps import Gaps
from rules.outcomes import NEVER, EpisodeLine, Leaver, at_or_above, at_tier, figures

DAY_US: Final = 86_400_000_000
MOST_NAMES: Final = 20
_Z: Final = 1.96
_EPOCH: Final = dt.date(1970, 1, 1)


class Warned(msgspec.Struct, frozen=True):
    """A decision that somebody would see: a warning raised or elevated, at `at` (µs UTC)."""

    warning_id: str
    customer_id: str
    status: str
    at: int
    tier: str
    queue: str
    rules: tuple[str, ...]
    held_out: bool


class Trial(msgspec.Struct):
    """What came of a rule set. `names` are customers by row, `known` how many there are, `share` how many of all these are.

    `rules` are the tiers of the live rules by id, `now` the customers for whom each is active at the end. Times are µs UTC.
    """

    version: str
    tiers: tuple[str, ...]
    horizon_days: int
    utc_offset: int
    rules: dict[str, str]
    capacity: dict[str, float]
    events: int
    begin: int
    end: int
    share: float
    known: int
    names: list[str]
    warned: list[Warned]
    episodes: list[EpisodeLine]
    leavers: list[Leaver]
    now: dict[str, list[str]]
    daily: bool = False  # of daily rows: `events` are rows
    finer: dict[str, list[str]] = {}  # by rule what needs more than a day's grain
    unrecorded: dict[str, list[str]] = {}  # by rule the features that the rows lack
    gaps: Gaps = msgspec.field(default_factory=Gaps)
    aside: dict[str, str] = {}  # by rule that is not live its mode
    held: dict[str, str] = {}  # by rule that the guard held, from when on and why

    @property
    def days(self) -> float:
        """Length of the files, at least one."""
        return max(1.0, (self.end - self.begin) / DAY_US)

    def day(self, at: int) -> str:
        """The local date of a time."""
        return (_EPOCH + dt.timedelta(days=(at + self.utc_offset) // DAY_US)).isoformat()

    def all_days(self) -> list[str]:
        """Every local date of the files."""
        first, last = ((at + self.utc_offset) // DAY_US for at in (self.begin, self.end))
        return [(_EPOCH + dt.timedelta(days=day)).isoformat() for day in range(first, last + 1)]

    @property
    def outcomes(self) -> bool:
        """Whether anybody left voluntarily, so that it is known how good warnings were."""
        return any(one.voluntary for one in self.leavers)


def findings(new: Trial, old: Trial | None = None) -> dict[str, Any]:
    """Everything, plain; with an old rule set on the same files also who flips."""
    found: dict[str, Any] = {
        "period": {"from": new.day(new.begin), "to": new.day(new.end), "days": round(new.days, 1)},
        "events": new.events,
        "customers": scaled(new.known, new.share),
        "share": new.share,
        "horizon_days": new.horizon_days,
        "tiers": list(new.tiers),
        "new": _of(new),
    }
    if new.daily:
        found["grain"] = {"finer": new.finer, "unrecorded": new.unrecorded, "gaps": msgspec.to_builtins(new.gaps)}
    if old is not None:
        found |= {"old": _of(old), "flips": flips(new, old), "rule_flips": rule_flips(new, old)}
    return found


def scaled(count: int, share: float) -> dict[str, float]:
    """A count of the sample as one of all customers: the estimate, and its interval."""
    if share >= 1:
        return {"count": count, "low": count, "high": count}
    spread = _Z * math.sqrt(max(count, 1) * (1 - share)) / share
    return {
        "count": round(count / share),
        "low": max(0, round(count / share - spread)),
        "high": round(count / share + spread),
    }


def wilson(hits: float, tries: int) -> list[float] | None:
    """The 95 % interval of a share; None for no tries."""
    if not tries:
        return None
    p, z2 = hits / tries, _Z**2
    middle, half = p + z2 / (2 * tries), _Z * math.sqrt(p * (1 - p) / tries + z2 / (4 * tries**2))
    return [
        round(max(0.0, (middle - half) / (1 + z2 / tries)), 4),
        round(min(1.0, (middle + half) / (1 + z2 / tries)), 4),
    ]


def _of(trial: Trial) -> dict[str, Any]:
    return {
        "version": trial.version,
        "by_tier": {tier: _tier(trial, k) for k, tier in enumerate(trial.tiers)},
        "by_queue": _queues(trial),
        "per_day": _per_day(trial),
        "by_rule": {rule: _rule(trial, rule) for rule in sorted(trial.rules)},
        "aside": trial.aside,
        "held": trial.held,
    }


def _tier(trial: Trial, rank: int) -> dict[str, Any]:
    reached = at_tier(trial.episodes, rank)
    found: dict[str, Any] = {
        "episodes": scaled(len(reached), trial.share),
        "per_day": round(len(reached) / trial.share / trial.days, 2),
        "per_1000_a_day": round(1000 * len(reached) / max(1, trial.known) / trial.days, 3),
    }
    if trial.outcomes:
        counted = [one for one in trial.leavers if one.voluntary]
        horizon = trial.horizon_days * DAY_US
        told = figures(reached, trial.leavers, counted, trial.end, horizon)
        above = figures(at_or_above(trial.episodes, rank), trial.leavers, counted, trial.end, horizon)
        found |= _quality(told, trial, reached) | {name: above[name] for name in ("recall", "median_lead_days")}
    return found


def _quality(told: Mapping[str, Any], trial: Trial, warned: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """How warnings (customer, when) did. Of those that are `too_early` only the right ones matured, so they make a precision look
    too good: `precision_over` is without them. With none of the `horizons_over` there is no precision to rest on.
    """
    horizon = trial.horizon_days * DAY_US
    over = [(customer, at) for customer, at in warned if at + horizon <= trial.end]
    found = {name: told[name] for name in ("matured", "churned", "precision")}
    found["precision_interval"] = wilson(told["churned"], told["matured"])
    found["horizons_over"] = len(over)
    found["too_early"] = len(warned) - len(over)
    found["precision_over"] = figures(over, trial.leavers, (), trial.end, horizon)["precision"]
    return found


def _queues(trial: Trial) -> dict[str, Any]:
    """Load by queue, of the tiers that care handles: all but the mildest. An episode counts once, when it gets there."""
    handled = set(trial.tiers[1:] or trial.tiers)
    seen: set[tuple[str, str]] = set()
    by_queue: dict[str, Counter[str]] = {}
    for one in trial.warned:
        if one.tier in handled and not one.held_out and (one.warning_id, one.queue) not in seen:
            seen.add((one.warning_id, one.queue))
            by_queue.setdefault(one.queue, Counter())[trial.day(one.at)] += 1
    days, found = trial.all_days(), {}
    for queue in sorted(by_queue.keys() | trial.capacity.keys()):
        daily = [by_queue.get(queue, Counter())[day] / trial.share for day in days]
        capacity = trial.capacity.get(queue)
        found[queue] = {
            "warnings": scaled(sum(by_queue.get(queue, Counter()).values()), trial.share),
            "per_day": round(sum(daily) / trial.days, 2),
            "busiest_day": round(max(daily, default=0.0), 1),
            "busiest_on": days[daily.index(max(daily))] if daily else None,
            "capacity": capacity,
            "days_over": None if capacity is None else sum(one > capacity for one in daily),
            "load": None if not capacity else round(sum(daily) / trial.days / capacity, 3),
        }
    return found


def _per_day(trial: Trial) -> dict[str, dict[str, float]]:
    days = {day: dict.fromkeys(trial.tiers, 0.0) for day in trial.all_days()}
    for line in trial.episodes:
        for k, at in enumerate(line.reached):
            if at != NEVER and (k + 1 == len(line.reached) or line.reached[k + 1] != at):
                days.setdefault(trial.day(at), dict.fromkeys(trial.tiers, 0.0))[trial.tiers[k]] += 1 / trial.share
    return days


def _rule(trial: Trial, rule: str) -> dict[str, Any]:
    """One rule: episodes it was in, and was in alone; the customers it holds up now, a sample, what else holds those up."""
    lines = [line for line in trial.episodes if rule in line.rules]
    now = trial.now.get(rule, [])
    overlap = Counter(
        other for other, customers in trial.now.items() if other != rule for _ in set(customers) & set(now)
    )
    found: dict[str, Any] = {
        "tier": trial.rules[rule],
        "episodes": scaled(len(lines), trial.share),
        "customers": scaled(len({line.customer for line in lines}), trial.share),
        "alone": sum(len(line.rules) == 1 for line in lines),
        "customers_now": scaled(len(now), trial.share),
        "share_now": round(len(now) / max(1, trial.known), 5),
        "sample": sorted(now)[:MOST_NAMES],
        "overlap": dict(overlap.most_common(5)),
    }
    if trial.outcomes:
        fired = [(line.customer, line.rules[rule]) for line in lines]
        counted: Iterable[Leaver] = [one for one in trial.leavers if one.voluntary]
        told = figures(fired, trial.leavers, counted, trial.end, trial.horizon_days * DAY_US)
        found |= _quality(told, trial, fired) | {name: told[name] for name in ("recall", "median_lead_days")}
    return found


def flips(new: Trial, old: Trial) -> dict[str, Any]:
    """By tier (and those above) the customers who are warned of by one rule set only, by both; and among all how many left."""
    left = {new.names[one.customer] for one in new.leavers if one.voluntary}
    found: dict[str, Any] = {}
    for k, tier in enumerate(new.tiers):
        after, before = _reached(new, k), _reached(old, k)
        found[tier] = {
            "only_new": _group(after - before, left, new.share),
            "only_old": _group(before - after, left, new.share),
            "both": _group(after & before, left, new.share),
        }
    return found


def rule_flips(new: Trial, old: Trial) -> dict[str, Any]:
    """By rule of either set the customers in whose warnings it was in one set only, and in both."""
    left = {new.names[one.customer] for one in new.leavers if one.voluntary}
    after, before = _held_up(new), _held_up(old)
    found: dict[str, Any] = {}
    for rule in sorted(new.rules.keys() | old.rules.keys()):
        a, b = after.get(rule, set()), before.get(rule, set())
        groups = {"only_new": a - b, "only_old": b - a, "both": a & b}
        found[rule] = {name: _group(customers, left, new.share) for name, customers in groups.items()}
    return found


def _held_up(trial: Trial) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in trial.episodes:
        for rule in line.rules:
            found.setdefault(rule, set()).add(trial.names[line.customer])
    return found


def _reached(trial: Trial, rank: int) -> set[str]:
    return {trial.names[line.customer] for line in trial.episodes if line.reached[rank] != NEVER}


def _group(customers: set[str], left: set[str], share: float) -> dict[str, Any]:
    return {
        "customers": scaled(len(customers), share),
        "left": len(customers & left),
        "sample": sorted(customers)[:MOST_NAMES],
    }
