"""A customer as numbers at one moment: the measures that features are made of, one column each.

Every field block yields its measures by the names in `layout` and `metrics`; a few more are worked out here. NaN is
unknown: never told, resting on a feed never seen, or absent while absence means nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from customers.feeds import Feeds, dead_time, feed_lives
from customers.layout import AGES, CODE_UNKNOWN, CODES, FLOATS, LABELS, MONEY, MONEY_SCALE, MONEY_UNKNOWN, A, C, H, L, T
from customers.metrics import (
    BLOCKS,
    DAY_RING,
    DAY_US,
    FEED,
    FEED_OF,
    METRICS,
    RING_SUMMED,
    RING_WIDTH,
    RINGS,
)
from customers.normal import silence_limit
from customers.notes import next_end
from customers.peers import allowance, peers_index
from customers.pools import SETTLED
from customers.rings import sum_windows
from customers.state import Pools
from events.codes import MARKET_KIND
from events.compiled import compiled
from events.times import SLOT_US

WINDOW_MEASURES: Final = [
    (f"{metric.name}_{ring.days}d", m)
    for ring in RINGS
    for block in BLOCKS
    for m, metric in enumerate(METRICS)
    if metric.block == block and ring.days in metric.windows
]
EXTRA: Final = (
    "days_known",
    "days_since_use",
    "silent_days",  # days without use that count: line active, feed alive
    "silence_limit",
    "bills_open",
    "overdue_days",
    "overdue_amount",
    "complaints_open",
    "complaint_open_days",
    "complaint_severity_max",
    "complaints_overdue",
    "complaints_escalated",
    "contracts_running",
    "covered_1d",  # days that the windows cover at this moment, no more than the customer is known
    "covered_7d",
    "covered_30d",
    "covered_90d",
    "peers_index",  # the week of peers against their normal, the newest that has ended
    "incident_open",  # of the home cell; what there is of incidents is written by whoever knows them
    "days_since_incident",
    "incidents_30d",
    *(f"market_{kind}" for kind in MARKET_KIND),  # days since it began, −1 where none runs; written as incidents are
)
NAMES: Final = (
    *(name for name, _ in WINDOW_MEASURES),
    *(f"days_since_{name}" for name in AGES),
    *MONEY,
    *FLOATS,
    *CODES,
    *LABELS,
    *EXTRA,
)
MEASURE: Final = {name: i for i, name in enumerate(NAMES)}
COUNT: Final = len(NAMES)

_METRIC_OF = np.array([m for _, m in WINDOW_MEASURES], np.int64)
_WINDOWS = len(WINDOW_MEASURES)
_AGES_AT, _MONEY_AT = _WINDOWS, _WINDOWS + len(AGES)
_FLOATS_AT = _MONEY_AT + len(MONEY)
_CODES_AT = _FLOATS_AT + len(FLOATS)
_LABELS_AT = _CODES_AT + len(CODES)
_EXTRA_AT = _LABELS_AT + len(LABELS)
_AGES, _MONEY, _FLOATS, _CODES, _LABELS = len(AGES), len(MONEY), len(FLOATS), len(CODES), len(LABELS)
_RINGS = len(RINGS)
_USAGE, _PAYMENTS, _COMPLAINTS = FEED["usage"], FEED["payments"], FEED["complaints"]
_LAST_USE, _AWAKE, _FIRST = T["last_use"], T["awake_at"], T["first_seen"]
_ROLLED = T["rolled"]
_MARKET_KINDS = len(MARKET_KIND)
_STATUS, _EXPIRES = C["line_status"], A["porting_expires"]
_HOME = L["home_cell"]
_BILL_POOL, _COMPLAINT_POOL, _CONTRACT_POOL = H["bills"], H["complaints"], H["contracts"]

Matrix = npt.NDArray[np.float64]


@compiled(borrows=True)
def _windows(r: np.void, f: Feeds, now: int, out: Matrix, i: int) -> None:
    day = r["times"][_ROLLED] // RING_WIDTH[DAY_RING]
    sum_windows(r, day, out[i])
    for feed in range(len(f.seen)):
        if not feed_lives(r, f, feed, now):  # not every feed was seen yet
            for k in range(_WINDOWS):
                if not feed_lives(r, f, FEED_OF[_METRIC_OF[k]], now):
                    out[i, k] = np.nan
            return


@compiled(borrows=True)
def _fields(r: np.void, now: int, out: Matrix, i: int) -> None:
    for k in range(_AGES):
        age = np.int64(r["ages"][k])
        out[i, _AGES_AT + k] = (now - age * 1_000_000) / DAY_US if age > 0 else np.nan
    for k in range(_MONEY):
        money = r["money"][k]
        out[i, _MONEY_AT + k] = money / MONEY_SCALE if money != MONEY_UNKNOWN else np.nan
    for k in range(_FLOATS):
        out[i, _FLOATS_AT + k] = r["floats"][k]
    for k in range(_CODES):
        code = r["codes"][k]
        out[i, _CODES_AT + k] = float(code) if code != CODE_UNKNOWN else np.nan
    for k in range(_LABELS):
        label = r["labels"][k]
        out[i, _LABELS_AT + k] = float(label) if label >= 0 else np.nan


@compiled(borrows=True)
def _bills(r: np.void, p: Pools, f: Feeds, now: int, out: Matrix, i: int) -> int:
    """Open bills into three measures; returns the next due time (µs), 0 for none."""
    at, count, oldest, left, coming = _EXTRA_AT + 4, 0, 0, 0, 0
    j = np.int64(r["heads"][_BILL_POOL])
    while j >= 0:
        due = np.int64(p.bills[j]["due"])
        count += 1
        if due <= now:
            left += np.int64(p.bills[j]["left"])
            oldest = due if oldest == 0 else min(oldest, due)
        else:
            coming = due if coming == 0 else min(coming, due)
        j = np.int64(p.bills[j]["next"])
    if not feed_lives(r, f, _PAYMENTS, now):  # payments have never been seen: nobody is overdue
        out[i, at], out[i, at + 1], out[i, at + 2] = np.nan, np.nan, np.nan
        return 0
    out[i, at] = count
    out[i, at + 1] = (now - oldest) / DAY_US if oldest > 0 else 0.0
    out[i, at + 2] = left / MONEY_SCALE
    return coming


@compiled(borrows=True)
def _complaints(r: np.void, p: Pools, f: Feeds, now: int, out: Matrix, i: int) -> int:
    """Complaints into five measures; returns the next deadline (µs) of an open one, 0 for none."""
    at, count, oldest, severity, late, escalated, coming = _EXTRA_AT + 7, 0, now, 0, 0, 0, 0
    j = np.int64(r["heads"][_COMPLAINT_POOL])
    while j >= 0:
        status, due = p.complaints[j]["status"], np.int64(p.complaints[j]["due"])
        if status != SETTLED and p.complaints[j]["counted"] > 0:
            count += 1
            oldest = min(oldest, np.int64(p.complaints[j]["opened"]))
            severity = max(severity, np.int64(p.complaints[j]["severity"]))
            escalated += 1 if status >= 3 else 0
            if due > 0 and due <= now:
                late += 1
            elif due > now:
                coming = due if coming == 0 else min(coming, due)
        j = np.int64(p.complaints[j]["next"])
    known = feed_lives(r, f, _COMPLAINTS, now)
    out[i, at] = count if known else np.nan
    out[i, at + 1] = (now - oldest) / DAY_US if known else np.nan
    out[i, at + 2] = severity if severity > 0 else np.nan
    out[i, at + 3] = late if known else np.nan
    out[i, at + 4] = escalated if known else np.nan
    return coming


@compiled(borrows=True)
def _absence(r: np.void, f: Feeds, feed: int, now: int, out: Matrix, i: int) -> float:
    """Silence into three measures; returns the days of silence left before the limit, NaN when it means nothing."""
    at, last = _EXTRA_AT + 1, r["times"][_LAST_USE]
    out[i, at] = (now - last) / DAY_US if last > 0 else np.nan
    limit = silence_limit(r)
    out[i, _EXTRA_AT + 17] = np.nan
    since = max(last, r["times"][_AWAKE])
    if last == 0 or r["codes"][_STATUS] != 0:
        out[i, at + 1], out[i, at + 2] = np.nan, limit
        return np.nan
    silent = (now - since - dead_time(f, feed, since, now)) / DAY_US
    peers = peers_index(r, f.peers, f.peers.newest[0])
    out[i, _EXTRA_AT + 17] = peers
    if peers < 1.0:
        silent *= allowance(peers)  # a quiet day of everybody's is less of a silence
    out[i, at + 1], out[i, at + 2] = silent, limit
    return limit - silent


@compiled(borrows=True)
def measure(r: np.void, p: Pools, f: Feeds, feed: int, now: int, out: Matrix, i: int) -> int:
    """Write all measures of the customer of record `r` at `now` (µs) into line `i` of `out` (shape (lines, COUNT)).

    `feed`: the usage feed's clock as known then. Returns
    the next moment (µs) at which something turns by time alone, FAR for none.
    """
    _windows(r, f, now, out, i)
    _fields(r, now, out, i)
    out[i, _EXTRA_AT] = (now - r["times"][_FIRST]) / DAY_US
    turn = np.iinfo(np.int64).max
    left = _absence(r, f, feed, now, out, i)
    if left > 0:
        # within a slot nothing more becomes known of the feed, and silence only seems to grow
        wait = (now + np.int64(left * DAY_US)) // SLOT_US * SLOT_US + SLOT_US - now
        # while the feed is silent for everyone the wait cannot run out: look again a day later
        turn = min(turn, now + (max(wait, DAY_US) if now - feed >= DAY_US // 8 else wait))
    for coming in (_bills(r, p, f, now, out, i), _complaints(r, p, f, now, out, i), next_end(r, p, now)):
        if coming > 0:
            turn = min(turn, coming)
    expires = np.int64(r["ages"][_EXPIRES]) * 1_000_000
    if expires > now:
        turn = min(turn, expires)
    running, j = 0, np.int64(r["heads"][_CONTRACT_POOL])
    while j >= 0:
        ends = np.int64(p.contracts[j]["ends"])
        running += 1 if ends == 0 or ends > now else 0
        j = np.int64(p.contracts[j]["next"])
    out[i, _EXTRA_AT + 12] = running
    none = 0.0 if r["labels"][_HOME] >= 0 else np.nan
    out[i, _EXTRA_AT + 18], out[i, _EXTRA_AT + 19], out[i, _EXTRA_AT + 20] = none, np.nan, none
    for k in range(_MARKET_KINDS):
        out[i, _EXTRA_AT + 21 + k] = np.nan
    known = max(out[i, _EXTRA_AT], 1.0 / 24.0)
    for ring in range(_RINGS):
        span = (RING_SUMMED[ring] - 1) * RING_WIDTH[ring] + now % RING_WIDTH[ring]
        out[i, _EXTRA_AT + 13 + ring] = min(span / DAY_US, known)
    return turn
