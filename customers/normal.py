"""The customer's own normal: what seven days are like for this customer, learned from closed days only.

A day is closed once it is older than the lateness (24 h): the day before yesterday. Where the customer's own usage arrives
later than that, though in order, a day is closed as much later; with the days of the week that the windows still hold
then, and no level is learned from fewer than `FEWEST_DAYS` of them. Levels are robust and slow: a step is
clipped at twice the spread (after Huber, 1964), so a burst hardly moves them; the first days average, later ones weigh
1/45. The index is the mean ratio of seven closed days to the own normal over the services the customer really uses; a
one-sided CUSUM (Page, 1954) of its shortfall is the evidence for a lasting drop. Where peers use less too (`peers.py`), what is
asked of the customer is less by as much.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.feeds import Feeds, dead_time
from customers.layout import CODE_UNKNOWN, C, F, T
from customers.metrics import DAY_RING, DAY_US, METRIC
from customers.peers import Peers, allowance, peers_index
from customers.rings import bucket_value
from events.compiled import compiled

_ROLLED, _FIRST, _AWAKE = T["rolled"], T["first_seen"], T["awake_at"]
_LAG, _CLOSED_DAY = T["feed_lag"], T["closed_day"]
_STATUS, _CLOSED, _CHURNED = C["line_status"], C["days_closed"], C["churned"]
_INDEX, _INDEX_SPREAD, _CUSUM = F["usage_index"], F["usage_index_spread"], F["usage_cusum"]
_RHYTHM, _RHYTHM_SPREAD, _ACTIVE_DAY = F["rhythm_mean"], F["rhythm_spread"], F["active_day"]
_NORMAL = F["uses_normal"]  # four levels, then their four spreads
_SPREAD = F["uses_spread"]
_SERVICES = np.array([METRIC[name] for name in ("uses", "voice_seconds", "data_mb", "messages")])
_REAL_USE = np.array([3.0, 120.0, 20.0, 3.0])  # a week's use below which a ratio says nothing

SLOWEST: Final = 45
CLIP: Final = 2.0
LEAST_SPREAD: Final = 0.1
RHYTHM_STEP: Final = 0.15
MOST_EMPTY_DAYS: Final = 16  # an empty stretch teaches no more than this
FEWEST_DAYS: Final = 4  # of a week
LAG_FADES: Final = 16  # a lag not seen again is forgotten by this share a day
SLACK: Final = 0.12
CUSUM_MOST: Final = 4.0
INDEX_DAYS: Final = 14  # the normal must rest on two weeks before it judges


@compiled(borrows=True)
def _learn_level(r: np.void, k: int, value: float, n: int) -> None:
    level, spread = r["floats"][_NORMAL + k], r["floats"][_SPREAD + k]
    if np.isnan(level):
        r["floats"][_NORMAL + k] = value
        r["floats"][_SPREAD + k] = 0.3 * value
        return
    step = 1.0 / min(n + 1, SLOWEST)
    limit = CLIP * max(spread, LEAST_SPREAD * level)
    if n < 7:
        limit = np.inf
    move = min(max(value - level, -limit), limit)
    r["floats"][_NORMAL + k] = level + step * move
    r["floats"][_SPREAD + k] = spread + step * (abs(move) - spread)


@compiled(borrows=True)
def _learn_rhythm(r: np.void, day: int) -> None:
    last = r["floats"][_ACTIVE_DAY]
    r["floats"][_ACTIVE_DAY] = day
    if np.isnan(last) or (last + 1) * DAY_US <= r["times"][_AWAKE]:
        return
    gap = day - last
    mean = r["floats"][_RHYTHM]
    if np.isnan(mean):
        r["floats"][_RHYTHM], r["floats"][_RHYTHM_SPREAD] = gap, 0.5 * gap
        return
    move = min(gap - mean, 3.0 * max(r["floats"][_RHYTHM_SPREAD], 0.5))
    r["floats"][_RHYTHM] = mean + RHYTHM_STEP * move
    r["floats"][_RHYTHM_SPREAD] += RHYTHM_STEP * (abs(move) - r["floats"][_RHYTHM_SPREAD])


@compiled
def _learn_index(r: np.void, weeks: np.ndarray, peers: float, n: int) -> None:  # type: ignore[type-arg]  # compiled
    total, services = 0.0, 0
    for k in range(len(_SERVICES)):
        level = r["floats"][_NORMAL + k]
        if level >= _REAL_USE[k]:
            total += min(weeks[k] / level, 2.0)
            services += 1
    if services == 0:
        r["floats"][_INDEX] = np.nan
        return
    index = total / services / peers
    if n < INDEX_DAYS:
        return
    r["floats"][_INDEX] = index
    spread = r["floats"][_INDEX_SPREAD]
    if np.isnan(spread):
        spread = 0.15
    deviation = min(abs(index - 1.0), 2.0 * max(spread, 0.1))
    r["floats"][_INDEX_SPREAD] = spread + (deviation - spread) / SLOWEST
    evidence = r["floats"][_CUSUM] + ((1.0 - index) - SLACK - spread) / 7.0
    r["floats"][_CUSUM] = min(max(evidence, 0.0), CUSUM_MOST)


@compiled
def _close_day(r: np.void, p: Peers, day: int, held: int) -> None:
    """Learn from a day and the `held` days (at most 7) up to it that stand for its week."""
    weeks = np.zeros(len(_SERVICES))
    used = False
    for k in range(len(_SERVICES)):
        for back in range(held):
            weeks[k] += bucket_value(r, _SERVICES[k], DAY_RING, day - back)
        weeks[k] *= 7.0 / max(held, 1)
        used = used or bucket_value(r, _SERVICES[k], DAY_RING, day) > 0
    if used:
        _learn_rhythm(r, day)
    if held < FEWEST_DAYS or day - 6 <= max(r["times"][_FIRST], r["times"][_AWAKE]) // DAY_US:
        return  # seven whole days are not there yet, or too many are gone
    n = np.int64(r["codes"][_CLOSED])
    peers = peers_index(r, p, day)
    if np.isnan(peers):
        peers = 1.0
    _learn_index(r, weeks, allowance(peers), n)
    for k in range(len(_SERVICES)):
        _learn_level(r, k, weeks[k] / peers, n)
    r["codes"][_CLOSED] = min(n + 1, CODE_UNKNOWN - 1)


@compiled(borrows=True)
def _late_by(r: np.void) -> int:
    """By how much (µs) this customer's usage comes later than the lateness covers."""
    return r["times"][_LAG] if r["times"][_LAG] > DAY_US else 0


@compiled(borrows=True)
def close_days(r: np.void, f: Feeds, feed: int, now: int) -> None:
    """Learn from the days that `now` (µs) closes for the customer; to be called before the windows roll on.

    Days of a suspended line, and days on which the feed was silent for everyone, teach nothing.
    """
    old = r["times"][_ROLLED]
    if old == 0:
        return
    if r["times"][_CLOSED_DAY] == 0:
        r["times"][_CLOSED_DAY] = old // DAY_US - 2
    closed = r["times"][_CLOSED_DAY]
    if closed >= now // DAY_US - 2:
        return
    teaches = r["codes"][_STATUS] == 0 and r["codes"][_CHURNED] != 1
    first = closed
    while True:
        late = _late_by(r)
        if closed + 1 > (now - late) // DAY_US - 2:
            break
        if not teaches or closed - first == MOST_EMPTY_DAYS:
            closed = (now - late) // DAY_US - 2
            break
        closed += 1
        if closed * DAY_US >= r["times"][_AWAKE]:
            if dead_time(f, feed, closed * DAY_US, (closed + 1) * DAY_US) * 4 > DAY_US:
                r["floats"][_ACTIVE_DAY] += 1.0  # nor is it a pause of this customer's
            else:
                _close_day(r, f.peers, closed, 7 - min(late // DAY_US, 7))
        r["times"][_LAG] -= r["times"][_LAG] // LAG_FADES
    r["times"][_CLOSED_DAY] = closed


@compiled(borrows=True)
def silence_limit(r: np.void) -> float:
    """Days without use beyond which this customer is silent, from the own rhythm; NaN while that is unknown."""
    mean = r["floats"][_RHYTHM]
    if np.isnan(mean) or np.int64(r["codes"][_CLOSED]) < 7:
        return np.nan
    return min(max(1.0 + 3.0 * (mean + r["floats"][_RHYTHM_SPREAD]), 3.0), 60.0)
