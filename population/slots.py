"""The compiled watch over cells: counts by quarter of an hour, judged when the stream clock has passed them.

Two questions are asked of a slot of a cell, each by a cumulative sum of log likelihood ratios (Page, Continuous inspection
schemes, Biometrika 1954): does trouble strike far more customers than is normal for the cell, and has use fallen to nearly
nothing. A sum is an alarm above ln(cells × slots of a year): then the mean time to a false alarm of any cell is at least a
year (Lorden, Procedures for reacting to a change in distribution, Ann. Math. Stat. 1971), as far as customers act each
for themselves; clumping of use is allowed for by halving its evidence.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.feeds import LATER
from events.codes import Kind
from events.columns import EXPLAINED
from events.compiled import compiled
from events.times import SLOT_US

PEERS_AFTER_US: Final = LATER * SLOT_US
"""After midnight: by then a partition knows of the day before what the others counted."""
WAIT_US: Final = 300_000_000  # a slot is judged so long after its end: feeds are not in step to the second
HOUR_SLOTS, DAY_SLOTS, YEAR_SLOTS = 4, 96, 35_040
BINS: Final = 48  # hours of working days, then of weekends
MATURE: Final = 8  # slots after which the normal of an hour counts: two days

# Why the scan stopped.
END, JUDGED, TOLD, MET, CLOSED = 0, 1, 2, 3, 4
OPENED, GREW, CALMED = 1, 2, 3

_MATURE, _EXPLAINED = MATURE, EXPLAINED
_USAGE, _BILL = int(Kind.USAGE_RECORDED), int(Kind.BILL_ISSUED)
_NETWORK, _MARKET = int(Kind.NETWORK_INCIDENT), int(Kind.MARKET_NOTED)
_FIRST_THURSDAY = 3  # 1970 began on a Thursday, three days after a Monday
_LEAST_TRIALS = 50.0
_PRIOR_TRIALS = 20.0
_LEAST_CUSTOMERS = 5  # one broken telephone is no incident
_NEARLY_NOTHING = 0.03  # of what is due; against a holiday, when a cell of offices is this quiet:
_HOLIDAY = 0.3
_CLUMPING = 2.0
_LEAST_OTHERS = 30.0  # records that the other cells must have been due, or nothing is said of use
_ALIVE = 0.3
_MEMORY = 1.0 - 1.0 / (14 * DAY_SLOTS)
_LEVEL_MEMORY = 1.0 - 1.0 / DAY_SLOTS
_LEVEL_PRIOR = 10.0
_MOST_KNOWN = 60
_CALM = 7.0
_CALM_SLOTS = 4
REST_SLOTS: Final = 4
"""After an end was reported: service comes back step by step."""


class Clock(NamedTuple):
    """What the scan goes by, each of shape (1,) but the last.

    `judged`: the newest slot judged; `day`: the local day it ended in; `bills`: bills since they were last looked at;
    `seen`: cells met so far; `tried` (2,): records in the slots that are open.
    """

    judged: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    bills: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    tried: npt.NDArray[np.int64]


class Marks(NamedTuple):
    """Per customer: the cell and slot of the newest trouble."""

    cell: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int32]


class Hits(NamedTuple):
    """Customers whom trouble struck, one line for each slot of it, where partitions count for one judge; empty where not.

    `before`: the slot of the customer's trouble before that in the same cell, 0 or less for none. `count` (1,): how many.
    """

    cell: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int32]
    before: npt.NDArray[np.int32]
    count: npt.NDArray[np.int64]


def hits(room: int) -> Hits:
    """None yet, with room for some."""
    return Hits(*np.empty((3, room), np.int32), np.zeros(1, np.int64))  # type: ignore[call-arg]


@compiled
def number_cells(
    events: np.ndarray,  # type: ignore[type-arg]  # compiled
    table: npt.NDArray[np.int32],
    records: np.ndarray,  # type: ignore[type-arg]
    count: int,
    may_grow: bool,
    first: int,
    cells: npt.NDArray[np.int32],
    firsts: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Write the cell of each usage record from `first` on into `cells`; of new ones their first event into `firsts`.

    Returns (new cells, events done): it stops where there is no room for one and the table may grow.
    """
    mask, new = np.uint64(len(table) - 1), 0
    for i in range(first, len(events)):
        ref = events[i]["ref"]
        if events[i]["kind"] != _USAGE or ref == np.uint64(0):
            continue
        slot = ref & mask
        while table[slot] >= 0 and records[table[slot]]["ref"] != ref:
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            if count + new == len(records):
                if may_grow:
                    return new, i
                continue
            firsts[new] = i
            table[slot] = count + new
            records[count + new]["ref"] = ref
            new += 1
        cells[i] = table[slot]
    return new, len(events)


@compiled
def _count(r: np.void, e: np.void, c: int, cell: int, slot: int, marks: Marks, hits: Hits) -> None:
    """One record of a cell in a slot that is still open."""
    k = slot % 2
    r["tried"][k] += 1
    if e["x"][0] > 0 or e["x"][1] > 0 or e["x"][2] > 0:
        r["used"][k] += 1
    if e["x"][4] > 0 or e["x"][5] > 0:
        if marks.cell[c] != cell or marks.slot[c] < r["run"]:
            r["struck"] += 1
        if marks.cell[c] != cell or marks.slot[c] != slot:
            r["hit"][k] += 1
            if len(hits.cell) > 0:
                n = hits.count[0]
                hits.cell[n], hits.slot[n] = cell, slot
                hits.before[n] = marks.slot[c] if marks.cell[c] == cell else -1
                hits.count[0] = n + 1
        marks.cell[c], marks.slot[c] = cell, slot


@compiled
def _bin_of(slot: int, offset: int) -> int:
    """The hour and kind of day of a slot, local time."""
    local = slot * SLOT_US + offset
    weekend = (local // (DAY_SLOTS * SLOT_US) + _FIRST_THURSDAY) % 7 >= 5
    return (local // (HOUR_SLOTS * SLOT_US)) % 24 + (24 if weekend else 0)


@compiled
def _burst(r: np.void, k: int, base: float) -> float:
    """Evidence of a slot for trouble; 0 while the cell's normal is not known."""
    if r["trials"] < _LEAST_TRIALS:
        return 0.0
    normal = (r["troubles"] + _PRIOR_TRIALS * base) / (r["trials"] + _PRIOR_TRIALS)
    normal = min(max(normal, 0.01), 0.5)
    bad = min(0.95, max(3.0 * normal, normal + 0.25))
    hit = min(r["hit"][k], r["tried"][k])
    return hit * np.log(bad / normal) + (r["tried"][k] - hit) * np.log((1.0 - bad) / (1.0 - normal))


@compiled
def _hush(r: np.void, k: int, b: int, others: float, others_due: float) -> float:
    """Evidence of a slot for use that fell away, against the hour's normal and how the other cells do now."""
    if r["known"][b] < _MATURE or others_due < _LEAST_OTHERS:
        return 0.0
    alive = others / others_due
    if alive < _ALIVE:
        return 0.0
    level = (r["got"] + _LEVEL_PRIOR) / (r["due"] + _LEVEL_PRIOR)
    due = r["uses"][b] * min(max(level, 0.1), 2.0) * min(alive, 1.0)
    return ((_HOLIDAY - _NEARLY_NOTHING) * due + r["used"][k] * np.log(_NEARLY_NOTHING / _HOLIDAY)) / _CLUMPING


@compiled
def _learn(r: np.void, k: int, b: int, alive: float) -> None:
    """A slot without suspicion goes into the normals. `alive`: how the other cells do, NaN where it cannot be said."""
    r["trials"] = r["trials"] * _MEMORY + r["tried"][k]
    r["troubles"] = r["troubles"] * _MEMORY + min(r["hit"][k], r["tried"][k])
    if alive < _ALIVE:
        return
    if r["known"][b] >= _MATURE:
        r["got"] = r["got"] * _LEVEL_MEMORY + r["used"][k]
        r["due"] = r["due"] * _LEVEL_MEMORY + r["uses"][b] * (alive if alive == alive else 1.0)
    r["known"][b] = min(r["known"][b] + 1, _MOST_KNOWN)
    r["uses"][b] += (r["used"][k] - r["uses"][b]) / r["known"][b]


@compiled
def _follow(r: np.void, evidence: float) -> int:
    """An incident that is open: CALMED when all is well again, GREW when it strikes twice as many."""
    if r["struck"] >= 2 * r["told"] and r["told"] > 0:
        return GREW
    if r["open"] != 1:
        return 0  # the network opened it and will say when it is over
    r["calm"] = max(0.0, r["calm"] - evidence)
    r["quiet"] = r["quiet"] + 1 if r["calm"] > 0.0 else 0
    return CALMED if r["calm"] >= _CALM and r["quiet"] >= _CALM_SLOTS else 0


@compiled
def _judge(
    records: np.ndarray,  # type: ignore[type-arg]
    count: int,
    slot: int,
    offset: int,
    changed: npt.NDArray[np.int32],
    what: npt.NDArray[np.uint8],
) -> int:
    """Judge a slot of all cells and clear it; returns how many changed."""
    k, b, changes = slot % 2, _bin_of(slot, offset), 0
    used, due, trials, troubles = 0.0, 0.0, 0.0, 0.0
    for c in range(count):
        r = records[c]
        trials, troubles = trials + r["trials"], troubles + r["troubles"]
        if r["known"][b] >= _MATURE:
            used, due = used + r["used"][k], due + r["uses"][b]
    base = (troubles + 1.0) / (trials + 20.0)
    limit = np.log(count * YEAR_SLOTS)
    for c in range(count):
        r = records[c]
        mature = r["known"][b] >= _MATURE
        others_due = due - r["uses"][b] if mature else due
        others = used - r["used"][k] if mature else used
        burst, hush = _burst(r, k, base), _hush(r, k, b, others, others_due)
        if r["burst"] + r["hush"] <= 0.0 and r["open"] == 0:
            r["run"], r["struck"] = slot, r["hit"][k]
        r["burst"], r["hush"] = max(0.0, r["burst"] + burst), max(0.0, r["hush"] + hush)
        did = 0
        if slot <= r["rest"]:
            r["burst"], r["hush"] = 0.0, 0.0
        elif r["open"] > 0:
            did = _follow(r, burst + hush)
        elif (r["burst"] >= limit and r["struck"] >= _LEAST_CUSTOMERS) or r["hush"] >= limit:
            did = OPENED
        elif r["burst"] < limit / 2 and r["hush"] < limit / 2:
            _learn(r, k, b, others / others_due if others_due >= _LEAST_OTHERS else np.nan)
        if did > 0:
            changed[changes], what[changes], changes = c, did, changes + 1
        r["tried"][k], r["used"][k], r["hit"][k] = 0, 0, 0
    return changes


@compiled
def close(
    records: np.ndarray,  # type: ignore[type-arg]
    clock: Clock,
    offset: int,
    least_bills: int,
    changed: npt.NDArray[np.int32],
    what: npt.NDArray[np.uint8],
) -> tuple[int, bool, bool]:
    """Close the next slot: judge it, if anybody used anything in it.

    Returns (cells changed, whether days or bills are to be looked at, whether peers' uses of a day are known since).
    """
    slot = clock.judged[0] + 1
    changes = 0
    if clock.tried[slot % 2] > 0:  # a slot in which nobody used anything says nothing
        changes = _judge(records, clock.seen[0], slot, offset, changed, what)
    clock.judged[0], clock.tried[slot % 2] = slot, 0
    ended = (slot + 1) * SLOT_US
    day = (ended + offset) // (DAY_SLOTS * SLOT_US)
    look = day != clock.day[0] or (clock.bills[0] >= least_bills and (slot + 1) % HOUR_SLOTS == 0)
    if look:
        clock.day[0], clock.bills[0] = day, 0
    return changes, look, (ended + offset) % (DAY_SLOTS * SLOT_US) == PEERS_AFTER_US


@compiled
def pass_by(
    records: np.ndarray,  # type: ignore[type-arg]
    clock: Clock,
    offset: int,
    least_bills: int,
    until: int,
) -> bool:
    """Close slots before `until`, in which nobody used anything; stops after one since which days or bills are to be looked at.

    Returns whether there was such a one.
    """
    changed, what, look = np.empty(0, np.int32), np.empty(0, np.uint8), False
    while clock.judged[0] + 1 < until and not look:
        _, look, _ = close(records, clock, offset, least_bills, changed, what)
    return look


@compiled
def scan(
    events: np.ndarray,  # type: ignore[type-arg]
    clocks: npt.NDArray[np.int64],
    who: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int32],
    first: int,
    until: int,
    records: np.ndarray,  # type: ignore[type-arg]
    marks: Marks,
    clock: Clock,
    offset: int,
    least_bills: int,
    changed: npt.NDArray[np.int32],
    what: npt.NDArray[np.uint8],
    hits: Hits,
) -> tuple[int, int, int, int, bool]:
    """Count events from `first` on, up to the next moment at which there is something to do, then up to the time `until`.

    Stops too where a cell is met for the first time; and with room for `hits` (a line for each event, and one) where a slot with use
    ends, which is then counted and not judged (`time` is the slot). Marks the usage that an incident of its cell explains, open or just over.

    Returns (why it stopped, event before which it did, time in µs, cells changed, whether days or bills are to be looked at).
    """
    for i in range(first, len(events) + 1):
        now = clocks[i] if i < len(events) else until
        if clock.judged[0] == 0 and i < len(events):
            clock.judged[0] = now // SLOT_US - 1
            clock.day[0] = (now + offset) // (DAY_SLOTS * SLOT_US)
        while clock.judged[0] > 0 and now >= (clock.judged[0] + 2) * SLOT_US + WAIT_US:
            slot = clock.judged[0] + 1
            if len(hits.cell) > 0 and clock.tried[slot % 2] > 0:  # the counts go to who judges for all
                clock.tried[slot % 2] = 0
                return CLOSED, i, slot, 0, False
            changes, look, peers = close(records, clock, offset, least_bills, changed, what)
            if changes > 0 or look or peers:
                return JUDGED, i, (slot + 1) * SLOT_US + WAIT_US, changes, look
        if i == len(events):
            break
        e = events[i]
        kind = e["kind"]
        if kind == _USAGE:
            cell = cells[i]
            if cell >= 0:
                if cell >= clock.seen[0]:
                    clock.seen[0] = cell + 1
                    return MET, i, now, 0, False
                explained = records[cell]["open"] > 0 or now // SLOT_US <= records[cell]["rest"]
                e["flags"] = (e["flags"] & ~_EXPLAINED) | (_EXPLAINED if explained else 0)
                slot = min(e["at"], now) // SLOT_US
                if slot > clock.judged[0]:
                    clock.tried[slot % 2] += 1
                    _count(records[cell], e, who[i], cell, slot, marks, hits)
        elif kind == _BILL:
            clock.bills[0] += 1
        elif kind == _NETWORK or kind == _MARKET:  # noqa: PLR1714, SIM109 - compiled
            return TOLD, i + 1, now, 0, False
    return END, len(events), 0, 0, False
