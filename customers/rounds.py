"""The compiled loops: number a batch, fold its events one by one, evaluate timers.

An evaluation of one customer at one time is a *row*: a column of measures, and who and when. A round folds events in
stream order and writes a row for each. A customer's later events wait for the next round when a timer of the customer is
due before them, or when they are so far after the customer's first event of the round that a timer set by it could be.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.dedup import Keys, Seen, Whose, home, mix, seen_before
from customers.feeds import FEED_OF_KIND, LATER, Feeds, Known, Notices, take_effect
from customers.fold_facts import fixed, fold_billing
from customers.fold_usage import fold_usage
from customers.fold_voice import fold_voice
from customers.layout import CODE_UNKNOWN, FAR, C, H, S, T
from customers.measures import COUNT, Matrix, measure
from customers.metrics import DAY_US, FEED, RING_COUNT
from customers.normal import close_days
from customers.notes import Declared, fold_note, signal_of
from customers.peers import count_use
from customers.reset import start_anew
from customers.rings import Slots, place, roll
from customers.stands import STAND_OF, attribute_stands, forget, is_newest, stands
from customers.state import Block, Pools
from events.codes import LINE_STATUS, Kind
from events.compiled import compiled
from events.memory import prefetch
from events.times import SLOT_US

SET_AGE, SET_MONEY, SET_CODE, SET_LABEL, SET_ATTRIBUTE = 0, 1, 2, 3, 4
WEEK_US: Final = 7 * DAY_US
AHEAD: Final = 6  # events by which a customer's record is asked for before it is folded into
NEAR: Final = 2  # events by which what hangs on the record is asked for
NEVER: Final = 2**32 - 1  # seconds

# What became of an event.
APPLIED, DUPLICATE, TOO_LATE, ELSEWHERE = 1, 2, 3, 4

_FIRST, _NEWEST, _EVENT = T["first_seen"], T["newest_usage"], T["last_event"]
_DUE, _WEEK, _RULES = T["next_due"], T["week_due"], T["rules_due"]
_AWAKE, _BEFORE = T["awake_at"], T["seen_before"]
_CHURNED, _STATUS = C["churned"], S["status"]
_QUALITY, _SPEED = FEED["quality"], FEED["speed"]
_USAGE_KIND, _BILL_KIND = int(Kind.USAGE_RECORDED), int(Kind.BILL_ISSUED)
_PROFILE_KIND, _NOTED_KIND, _INCIDENT_KIND, _MARKET_KIND = (
    int(Kind.CUSTOMER_PROFILED),
    int(Kind.CUSTOMER_NOTED),
    int(Kind.NETWORK_INCIDENT),
    int(Kind.MARKET_NOTED),
)
_LINE_KIND, _CHURN_KIND = int(Kind.LINE_CHANGED), int(Kind.CUSTOMER_CHURNED)
_TRANSFERRED = LINE_STATUS["transferred"]
_LAST_BILLING = int(Kind.DEVICE_CHANGED)
_BILLS, _COMPLAINTS, _CONTRACTS = H["bills"], H["complaints"], H["contracts"]
_LINE = 8  # measures in a cache line
_BLOCK = 64  # customers that are looked at together for a timer that is due


class Rows(NamedTuple):
    """Rows of a round. `measures` f8[row, measure]; `event` is the index of the event in the batch, −1 for a timer."""

    measures: Matrix
    customer: npt.NDArray[np.int32]
    now: npt.NDArray[np.int64]
    event: npt.NDArray[np.int64]
    freeze: npt.NDArray[np.bool_]
    asked: npt.NDArray[np.bool_]  # the rules asked for this moment


class Limits(NamedTuple):
    """Microseconds, but horizons of dedup in seconds."""

    lateness: int
    fact_lateness: int
    recheck: int
    hold: int  # no timer of the rules is shorter than this
    usage_horizon: int
    fact_horizon: int


class Settings(NamedTuple):
    """Fields that the events of a batch set: of event i those from `first[i]` to `first[i + 1]`.

    `fills`: only where the field is unknown. A NaN in `value` clears.
    """

    first: npt.NDArray[np.int64]
    block: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    fills: npt.NDArray[np.bool_]


class Marks(NamedTuple):
    """Scratch per customer: the round it was last met in, the clock of its first event there, FREE, ROWED or WAITS."""

    round: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]


FREE, ROWED, WAITS = 0, 1, 2  # nothing yet; has a row in this round; is done with for this round


@compiled(borrows=True)
def fed_by(e: np.void) -> int:
    """Bits of the feeds that an event shows to live."""
    kind = e["kind"]
    alive = FEED_OF_KIND[kind]
    mask = np.int64(1) << alive if alive >= 0 else np.int64(0)
    if kind == _USAGE_KIND:
        if e["x"][4] > 0 or e["x"][5] > 0:
            mask |= 1 << _QUALITY
        if not np.isnan(e["x"][6]):
            mask |= 1 << _SPEED
    return mask


@compiled(borrows=True)
def number(
    events: np.ndarray,  # type: ignore[type-arg]  # compiled
    f: Feeds,
    mine: Notices,
    theirs: Notices,
    clock: int,
    feed: int,
    most: int,
    feeds: npt.NDArray[np.int64],
    known: Known,
) -> tuple[int, int, int]:
    """Give every event its stream clock, and note in `feeds` the usage feed's clock as known then, in `known` since when.

    The clock never passes an event's arrival: its record's timestamp, else `most` (µs). What the events show of their slot
    goes to `mine`. Returns both clocks after the batch, and how many lines `known` has.
    """
    made, slot, ends, k = 1, np.int64(0), np.int64(-1), np.int64(0)
    for i in range(len(events)):
        e = events[i]
        arrived = e["clock"] if e["clock"] > 0 else most
        at = min(e["at"], arrived)
        clock = max(clock, at)
        if clock >= ends:
            slot = clock // SLOT_US
            ends = (slot + 1) * SLOT_US
            feed, made = take_effect(f, mine, theirs, slot - LATER, feed, known, made)
            k = mine.count[0] - 1
            if k < 0 or mine.slot[k] < slot:
                k += 1
                mine.slot[k], mine.first[k], mine.newest[k], mine.mask[k] = slot, FAR, 0, 0
                mine.count[0] += 1
        feeds[i] = feed
        e["clock"] = clock
        mine.mask[k] |= fed_by(e)
        if e["kind"] == _USAGE_KIND and at >= ends - SLOT_US:
            mine.first[k], mine.newest[k] = min(mine.first[k], at), max(mine.newest[k], at)
    return clock, feed, made


@compiled(borrows=True)
def _set_field(
    r: np.void, p: Pools, attributes: npt.NDArray[np.float32], c: int, e: np.void, s: Settings, k: int
) -> None:
    """A profile's field: the newest fact that sets it stands. NaN clears."""
    block, place, value = s.block[k], s.place[k], s.value[k]
    if s.fills[k]:  # usage names the account: no fact, it only fills what is unknown
        if r["labels"][place] < 0:
            r["labels"][place] = np.int32(value)
    elif block == SET_ATTRIBUTE:
        if attribute_stands(r, p, place, e):
            attributes[c, place] = value
    elif not stands(r, p, STAND_OF[block, place], e):
        return
    elif block == SET_AGE:
        r["ages"][place] = 0 if np.isnan(value) else np.int64(min(max(value, 1.0), 4294967295.0))
    elif block == SET_MONEY:
        r["money"][place] = fixed(value)
    elif block == SET_CODE:
        r["codes"][place] = CODE_UNKNOWN if np.isnan(value) else np.uint8(min(value, 254.0))
    else:
        r["labels"][place] = -1 if np.isnan(value) else np.int32(value)


@compiled(borrows=True)
def _set_fields(
    r: np.void, p: Pools, attributes: npt.NDArray[np.float32], c: int, e: np.void, s: Settings, i: int
) -> None:
    for k in range(s.first[i], s.first[i + 1]):
        _set_field(r, p, attributes, c, e, s, k)


@compiled(borrows=True)
def _refusal(
    r: np.void, e: np.void, kind: int, c: int, now: int, limits: Limits, keys: Keys, seen: Seen, whose: Whose
) -> int:
    """DUPLICATE, TOO_LATE, or 0 for an event that counts; that it came is remembered as long as it would count again."""
    if kind == _USAGE_KIND:
        horizon, late = limits.usage_horizon, e["at"] < r["times"][_NEWEST] - limits.lateness
        clock = max(r["times"][_NEWEST], r["times"][_FIRST])  # never goes back, even where a new person begins
    else:
        horizon, late = limits.fact_horizon, e["at"] < now - limits.fact_lateness
        clock = now
    key = mix(e["key"], c)
    if seen_before(keys, seen, whose, key, c, clock // 1_000_000, now // 1_000_000, horizon):
        return DUPLICATE
    return TOO_LATE if late else 0


@compiled(borrows=True)
def _shows(r: np.void, attributes: npt.NDArray[np.float32], c: int, s: Settings, i: int) -> bool:
    """Whether an event's settings change what is read of the customer beside its row: the account, an attribute."""
    for k in range(s.first[i], s.first[i + 1]):
        place, value = s.place[k], s.value[k]
        if s.block[k] == SET_LABEL and np.float64(r["labels"][place]) != value:
            return True
        if s.block[k] == SET_ATTRIBUTE and attributes[c, place] != np.float32(value):
            return True
    return False


@compiled(borrows=True)
def _fold(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    kind = e["kind"]
    at = min(np.int64(e["at"]), now) if kind == _USAGE_KIND else now
    place(r, at, slots)
    if kind == _USAGE_KIND:
        fold_usage(r, e, at, now, slots)
    elif kind <= _LAST_BILLING:
        fold_billing(r, p, e, now, slots)
    elif kind != _PROFILE_KIND:
        fold_voice(r, p, e, now, slots)


@compiled(borrows=True)
def _row(
    r: np.void,
    p: Pools,
    f: Feeds,
    feed: int,
    c: int,
    now: int,
    limits: Limits,
    rows: Rows,
    i: int,
) -> None:
    """Evaluate customer `c` at `now` into row `i` and set its next timer."""
    coming = measure(r, p, f, feed, now, rows.measures, i)
    rows.customer[i], rows.now[i] = c, now
    idle = now - r["times"][_EVENT]
    due = min(coming, r["times"][_WEEK], now + max(limits.recheck, idle // 8))
    r["times"][_DUE] = due


@compiled(borrows=True)
def _weekly(r: np.void, now: int) -> bool:
    """Whether the week's example is due at `now`; sets the next week, while the customer is not long idle."""
    week = r["times"][_WEEK]
    if now < week:
        return False
    first = r["times"][_FIRST]
    coming = first + ((now - first) // WEEK_US + 1) * WEEK_US
    r["times"][_WEEK] = coming if now - r["times"][_EVENT] < 13 * WEEK_US else FAR
    return True


@compiled
def _starts_anew(
    r: np.void, p: Pools, attributes: npt.NDArray[np.float32], c: int, e: np.void, now: int, limits: Limits
) -> bool:
    """Let a transfer start a new person, unless a newer line status stands."""
    if not is_newest(r, p, _STATUS, e):
        return False
    start_anew(r, p, e, now)
    attributes[c, :] = np.nan
    r["times"][_DUE] = min(now + limits.recheck, r["times"][_WEEK])
    return True


@compiled(inline=True, borrows=True)
def _ask_for(
    records: Block,
    marks: Marks,
    events: np.ndarray,  # type: ignore[type-arg]  # compiled
    who: npt.NDArray[np.int32],
    i: int,
    keys: Keys,
    seen: Seen,
) -> None:
    """Ask for what folding event `i` will read of its customer, and for its place among the keys of usage."""
    c = np.int64(who[i])
    prefetch(records, c)
    prefetch(marks.round, c)
    prefetch(marks.first, c)
    slot = home(mix(events[i]["key"], c), len(keys))
    prefetch(keys, slot)
    prefetch(seen, slot)


@compiled(inline=True, borrows=True)
def _ask_for_facts(r: np.void, p: Pools) -> None:
    """Ask for the first records of the lists that are measured."""
    bill, complaint, contract = r["heads"][_BILLS], r["heads"][_COMPLAINTS], r["heads"][_CONTRACTS]
    if bill >= 0:
        prefetch(p.bills, np.int64(bill))
    if complaint >= 0:
        prefetch(p.complaints, np.int64(complaint))
    if contract >= 0:
        prefetch(p.contracts, np.int64(contract))


@compiled(inline=True, borrows=True)
def wake_at(r: np.void) -> np.uint32:
    """The second in which the customer's next timer falls, rounded down."""
    return np.uint32(min(min(r["times"][_DUE], r["times"][_RULES]) // 1_000_000, NEVER))


@compiled(nogil=True)
def due_by(records: Block, wake: npt.NDArray[np.uint32], until: int) -> npt.NDArray[np.int64]:
    """The customers with a timer due up to `until` (µs), ascending. `wake` is never later than the timer, and made right here."""
    due, count, second = np.empty(len(wake), np.int64), 0, np.uint32(min(max(until, 0) // 1_000_000, NEVER))
    for first in range(0, len(wake), _BLOCK):
        some = wake[first : first + _BLOCK]
        found = False
        for k in range(len(some)):
            found |= some[k] <= second
        if not found:
            continue
        for k in range(len(some)):
            if some[k] > second:
                continue
            r = records[first + k]
            if min(r["times"][_DUE], r["times"][_RULES]) <= until:
                due[count], count = first + k, count + 1
            else:
                some[k] = wake_at(r)
    return due[:count].copy()


@compiled(nogil=True)
def fold_round(  # noqa: C901, PLR0912, PLR0915 - the loop of the kernel, read top to bottom
    records: Block,
    attributes: npt.NDArray[np.float32],
    wake: npt.NDArray[np.uint32],
    pools: Pools,
    f: Feeds,
    events: np.ndarray,  # type: ignore[type-arg]  # compiled
    feeds: npt.NDArray[np.int64],
    who: npt.NDArray[np.int32],
    clocks: npt.NDArray[np.int64],
    settings: Settings,
    todo: npt.NDArray[np.int64],
    round_number: int,
    marks: Marks,
    limits: Limits,
    declared: Declared,
    usage_keys: npt.NDArray[np.uint64],
    usage_seen: npt.NDArray[np.uint32],
    usage_whose: npt.NDArray[np.uint32],
    fact_keys: npt.NDArray[np.uint64],
    fact_seen: npt.NDArray[np.uint32],
    fact_whose: npt.NDArray[np.uint32],
    fate: npt.NDArray[np.uint8],
    waiting: npt.NDArray[np.int64],
    blocked: npt.NDArray[np.int64],
    rows: Rows,
) -> tuple[int, int, int, int]:
    """Fold the events numbered in `todo`, in order, until done or out of rows.

    `who` and `clocks` are the events' customers and clocks. Returns (events of `todo` passed, rows written, events
    written to `waiting`, of those the first of each customer written to `blocked`); `fate[i]` says what became of event i.
    """
    made, waits, passed, blocks = 0, 0, 0, 0
    slots = np.empty(RING_COUNT, np.int64)
    for p in range(len(todo)):
        if made == len(rows.now):
            break
        passed = p + 1
        i = todo[p]
        if p + AHEAD < len(todo):
            _ask_for(records, marks, events, who, todo[p + AHEAD], usage_keys, usage_seen)
        if p + NEAR < len(todo):
            _ask_for_facts(records[who[todo[p + NEAR]]], pools)
        for column in range(0, COUNT, _LINE):  # where the next row goes
            prefetch(rows.measures, min(made + 1, len(rows.now) - 1) * COUNT + column)
        c = np.int64(who[i])
        if marks.round[c] == round_number and marks.state[c] == WAITS:
            waiting[waits], waits = i, waits + 1
            continue
        e = events[i]
        kind = e["kind"]
        if kind == _INCIDENT_KIND or kind == _MARKET_KIND:
            second, key = clocks[i] // 1_000_000, mix(e["key"], c)
            again = seen_before(fact_keys, fact_seen, fact_whose, key, c, second, second, limits.fact_horizon)
            fate[i] = DUPLICATE if again else ELSEWHERE
            continue
        now = clocks[i]
        r = records[c]
        if marks.round[c] != round_number:
            marks.round[c], marks.first[c], marks.state[c] = round_number, now, FREE
        if min(r["times"][_DUE], r["times"][_RULES]) <= now or now - marks.first[c] >= limits.hold:
            marks.state[c] = WAITS
            waiting[waits], blocked[blocks] = i, i
            waits, blocks = waits + 1, blocks + 1
            continue
        sets = settings.first[i + 1] > settings.first[i]
        transfer = kind == _LINE_KIND and e["a"] == _TRANSFERRED and e["b"] <= 1
        noted = kind == _NOTED_KIND and signal_of(declared, e["ref"]) >= 0
        shows = transfer or noted or (sets and _shows(r, attributes, c, settings, i))
        if shows and marks.state[c] == ROWED:
            marks.state[c] = WAITS  # the row is not evaluated yet, and is not to see this
            waiting[waits], waits = i, waits + 1
            continue
        usage = kind == _USAGE_KIND
        keys, seen = (usage_keys, usage_seen) if usage else (fact_keys, fact_seen)
        refused = _refusal(r, e, kind, c, now, limits, keys, seen, usage_whose if usage else fact_whose)
        if refused != 0:
            fate[i] = refused
            continue
        fate[i] = APPLIED
        if r["times"][_FIRST] == 0:
            r["times"][_FIRST], r["times"][_AWAKE], r["times"][_WEEK] = now, now, now + WEEK_US
        r["fed"][0] |= fed_by(e)
        close_days(r, f, feeds[i], now)
        roll(r, now)
        r["times"][_BEFORE], r["times"][_EVENT] = r["times"][_EVENT], now
        acts = kind >= _CHURN_KIND or kind == _LINE_KIND
        marks.state[c] = WAITS if acts else ROWED  # what it does to the episode is decided before the next event
        if transfer and _starts_anew(r, pools, attributes, c, e, now, limits):
            _set_fields(r, pools, attributes, c, e, settings, i)
            wake[c] = wake_at(r)
            continue  # nothing is known that could be evaluated
        fate[i] = ELSEWHERE if transfer else APPLIED  # a transfer older than the status that stands: nobody is new
        if sets:
            _set_fields(r, pools, attributes, c, e, settings, i)
        if noted:
            fold_note(r, pools, e, now, declared, limits.fact_lateness)
        else:
            _fold(r, pools, e, now, slots)
        if kind != _USAGE_KIND:
            forget(r, pools, now - limits.fact_lateness)
        elif e["x"][0] > 0:
            count_use(r, f.peers, e["at"], now, e["x"][0])
        if r["codes"][_CHURNED] == 1:
            r["times"][_DUE] = FAR
            continue
        if r["times"][_WEEK] == FAR or r["times"][_WEEK] <= now:  # long idle, or back after churn
            first = r["times"][_FIRST]
            r["times"][_WEEK] = first + ((now - first) // WEEK_US + 1) * WEEK_US
        _row(r, pools, f, feeds[i], c, now, limits, rows, made)
        wake[c] = wake_at(r)
        rows.event[made], rows.freeze[made], rows.asked[made] = i, kind == _BILL_KIND, False
        made += 1
    return passed, made, waits, blocks


@compiled(nogil=True)
def look_round(
    records: Block,
    pools: Pools,
    f: Feeds,
    customers: npt.NDArray[np.int64],
    feed: int,
    now: int,
    rows: Rows,
) -> None:
    """Measure customers as of `now` (µs), not before their clocks, on copies: nothing is changed by looking."""
    copy = records[:1].copy()
    r = copy[0]
    for i in range(len(customers)):
        copy[0] = records[customers[i]]
        close_days(r, f, feed, now)
        roll(r, now)
        measure(r, pools, f, feed, now, rows.measures, i)
        rows.customer[i], rows.now[i] = customers[i], now
        rows.event[i], rows.freeze[i], rows.asked[i] = -1, False, False


@compiled(nogil=True)
def timer_round(
    records: Block,
    wake: npt.NDArray[np.uint32],
    pools: Pools,
    f: Feeds,
    customers: npt.NDArray[np.int64],
    feeds: npt.NDArray[np.int64],
    limits: Limits,
    rows: Rows,
) -> None:
    """Evaluate each customer at its next timer; `feeds`: the usage feed's clock as known then."""
    for i in range(len(customers)):
        c = customers[i]
        r = records[c]
        now = min(r["times"][_DUE], r["times"][_RULES])
        close_days(r, f, feeds[i], now)
        roll(r, now)
        week = _weekly(r, now)
        rows.asked[i] = r["times"][_RULES] <= now
        if rows.asked[i]:
            r["times"][_RULES] = FAR  # the rules will say what they wait for next
        _row(r, pools, f, feeds[i], c, now, limits, rows, i)
        wake[c] = wake_at(r)
        rows.event[i], rows.freeze[i] = -1, week
