"""Whose silence is it: the clock of the usage feed, and the gaps in which it was silent for everyone.

What all customers together tell (that a feed lives, how far it has come) takes effect slot by slot, `LATER` slots after: two
hours of event time in which partitions tell one another (`Notices`), and decide as one partition of all customers would. What
a feed brought of a customer is known for that customer at once.

A gap between the newest usage before and after it that is longer than this feed's gaps use to be, and than `GAP_US`, is time
in which nobody can be called silent. A feed of daily files has nothing but gaps of a day: those are its rhythm. What counts
at a moment is what was known then: `feed` is the feed's clock as known at the evaluation.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.metrics import DAY_US, FEED, FEEDS, HOUR_US
from customers.peers import PeerGroups, Peers
from events.codes import Kind
from events.compiled import compiled
from events.times import SLOT_US

GAP_US: Final = 3 * HOUR_US
LATER: Final = 8  # slots until what a slot has shown is known
LEARNED_US: Final = 28 * DAY_US  # the stretch of the feed's own past that says what gaps are usual ...
LEAST_US: Final = 7 * DAY_US  # ... and how much of it there must be
LARGEST_PART: Final = 4  # no gap counts for more than this part of the stretch: one outage is no rhythm
_NEVER: Final = np.iinfo(np.int64).max

# The feed that each kind of event proves alive; −1: none.
FEED_OF_KIND: Final = np.full(256, -1, np.int64)
for _kind, _feed in {
    Kind.USAGE_RECORDED: "usage",
    Kind.BILL_ISSUED: "bills",
    Kind.PAYMENT_RECEIVED: "payments",
    Kind.PAYMENT_REVERSED: "payments",
    Kind.BALANCE_TOPPED_UP: "topups",
    Kind.BALANCE_REPORTED: "balances",
    Kind.CONTRACT_SIGNED: "contracts",
    Kind.COMPLAINT_OPENED: "complaints",
    Kind.COMPLAINT_UPDATED: "complaints",
    Kind.COMPLAINT_RESOLVED: "complaints",
    Kind.SURVEY_ANSWERED: "surveys",
    Kind.CONTACT_RECORDED: "contacts",
    Kind.PORTING_QUERIED: "porting",
    Kind.PORTING_REQUESTED: "porting",
    Kind.PORTING_ENDED: "porting",
    Kind.CARE_CONTACTED: "care",
    Kind.CARE_RESOLVED: "care",
    Kind.CUSTOMER_CHURNED: "outcomes",
    Kind.CUSTOMER_RETURNED: "outcomes",
}.items():
    FEED_OF_KIND[_kind] = FEED[_feed]


class Feeds(NamedTuple):
    """What compiled code sees. `seen[feed]`: the slot from which the feed is known to live; gaps in order of time.

    `usual[gap]`: how long (µs) a gap had to be, as it ended, to be longer than usual.
    """

    seen: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    usual: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.int64]  # how many, and the feed's first time (µs, 0: none)
    peers: Peers


@compiled(borrows=True)
def feed_lives(r: np.void, f: Feeds, feed: int, now: int) -> bool:
    """Whether a feed is known to live at `now` (µs): by anybody's events `LATER` slots ago, or by this customer's own."""
    return f.seen[feed] <= now // SLOT_US or np.int64(r["fed"][0]) >> feed & 1 != 0


@compiled(borrows=True)
def _filled(f: Feeds, least: int, begin: int, most: int) -> int:
    """How much (µs) of the time since `begin` is in gaps of at least `least`, each counted for no more than `most`."""
    filled = 0
    for g in range(f.gaps[0] - 1, -1, -1):
        if f.ends[g] <= begin:
            break
        if f.ends[g] - f.starts[g] >= least:
            filled += min(f.ends[g] - max(f.starts[g], begin), most)
    return filled


@compiled(borrows=True)
def usual_gap(f: Feeds, feed: int) -> int:
    """How long (µs) a gap after `feed` must be to be longer than the feed's gaps use to be.

    Usual is half as long again as the gaps that fill half of the time: the longest length for which those at least as long do.
    A feed that runs all day has none, and is silent after `GAP_US`.
    """
    begin = max(f.gaps[1], feed - LEARNED_US)
    stretch = feed - begin
    if f.gaps[1] == 0 or stretch < LEAST_US or 2 * _filled(f, 0, begin, stretch // LARGEST_PART) < stretch:
        return GAP_US
    rhythm = 0
    for g in range(f.gaps[0] - 1, -1, -1):
        if f.ends[g] <= begin:
            break
        length = f.ends[g] - f.starts[g]
        if length > rhythm and 2 * _filled(f, length, begin, stretch // LARGEST_PART) >= stretch:
            rhythm = length
    return max(rhythm + rhythm // 2, GAP_US)


@compiled(borrows=True)
def note_gap(f: Feeds, feed: int, until: int) -> None:
    """The feed, which stood at `feed` (µs, 0: never), goes on at `until`, later than that: note a gap between."""
    if feed == 0:
        f.gaps[1] = until
    elif until - feed >= GAP_US:
        g = f.gaps[0]
        f.starts[g], f.ends[g], f.usual[g] = feed, until, usual_gap(f, feed)
        f.gaps[0] = g + 1


@compiled(borrows=True)
def dead_time(f: Feeds, feed: int, since: int, now: int) -> int:
    """Microseconds of [since, now] in which the usage feed is known, at `now`, to have been silent for everyone.

    `feed`: the feed's clock (µs) as of the evaluation; what is after it counts as silent until somebody's use shows otherwise.
    """
    dead = 0
    if 0 < feed < now:
        dead += now - max(feed, since)
    for g in range(f.gaps[0] - 1, -1, -1):
        start, end = f.starts[g], f.ends[g]
        if end <= since:
            break
        if end > feed or start >= now or min(end, now) - start < f.usual[g]:
            continue
        dead += max(0, min(end, now) - max(start, since))
    return dead


class Notices(NamedTuple):
    """What slots have shown, in their order: when usage was dated at first and at last (µs), and bits of the feeds that lived.

    `count`: [how many, how many of them have taken effect].
    """

    slot: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    newest: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]


def notices(room: int) -> Notices:
    """None yet, with room for some."""
    slot, first, newest, mask = np.zeros((4, room), np.int64)
    return Notices(slot, first, newest, mask, np.zeros(2, np.int64))


class Known(NamedTuple):
    """The usage feed's clock (µs) as known from each slot on, as far as a batch goes; the first counts for all before."""

    slot: npt.NDArray[np.int64]
    feed: npt.NDArray[np.int64]

    def at(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The feed's clock as known at each time (µs)."""
        found: npt.NDArray[np.int64] = self.feed[np.searchsorted(self.slot, times // SLOT_US, "right") - 1]
        return found


@compiled(borrows=True)
def take_effect(
    f: Feeds, mine: Notices, theirs: Notices, until: int, feed: int, known: Known, made: int
) -> tuple[int, int]:
    """Let all that slots up to `until` have shown take effect; gives the usage feed's clock and how many lines `known` has."""
    while True:
        own = mine.slot[mine.count[1]] if mine.count[1] < mine.count[0] else _NEVER
        other = theirs.slot[theirs.count[1]] if theirs.count[1] < theirs.count[0] else _NEVER
        slot = min(own, other)
        if slot > until:
            return feed, made
        first, newest, mask = _NEVER, 0, 0
        if own == slot:
            k = mine.count[1]
            first, newest, mask = mine.first[k], mine.newest[k], mine.mask[k]
            mine.count[1] += 1
        if other == slot:
            k = theirs.count[1]
            first, newest, mask = min(first, theirs.first[k]), max(newest, theirs.newest[k]), mask | theirs.mask[k]
            theirs.count[1] += 1
        if newest > feed:
            if first > feed:
                note_gap(f, feed, first)
            feed = newest
        for k in range(len(f.seen)):
            if mask >> k & 1:
                f.seen[k] = min(f.seen[k], slot + LATER)
        known.slot[made], known.feed[made] = slot + LATER, feed
        made += 1


class Notice(NamedTuple):
    """What one slot has shown to a partition; as in `Notices`."""

    slot: int
    first: int
    newest: int
    mask: int


class FeedClock:
    """Owns the feeds of a partition; `Feeds` is its compiled view."""

    def __init__(self, utc_offset: int = 0) -> None:
        self.clock = 0
        self.peers = PeerGroups(utc_offset)
        self.mine, self.theirs = notices(64), notices(64)
        self.known = Known(np.zeros(1, np.int64), np.zeros(1, np.int64))
        self.shared = False  # among partitions, to be told what slots have shown
        self._told = 0  # the newest slot that was handed out
        self._seen = np.full(len(FEEDS), _NEVER, np.int64)
        self._starts = np.zeros(64, np.int64)
        self._ends = np.zeros(64, np.int64)
        self._usual = np.zeros(64, np.int64)
        self._gaps = np.zeros(2, np.int64)

    @property
    def view(self) -> Feeds:
        """The arrays as compiled code takes them; valid until `begin`."""
        return Feeds(self._seen, self._starts, self._ends, self._usual, self._gaps, self.peers.view)

    def begin(self, more: int) -> Known:
        """Room for what `more` events may bring; gives where what becomes known is to be written, its first line filled."""
        self._drop_taken()
        self.mine = _grown(self.mine, more)
        lines = int(self.mine.count[0] + self.theirs.count[0]) + more + 1
        need = int(self._gaps[0]) + lines
        if need > len(self._starts):
            for times in (self._starts, self._ends, self._usual):
                times.resize(need * 2, refcheck=False)
        known = Known(np.empty(lines, np.int64), np.empty(lines, np.int64))
        known.slot[0], known.feed[0] = np.iinfo(np.int64).min, self.clock
        return known

    def pass_time(self, to: int) -> None:
        """The clock goes on to `to` (µs) without events."""
        known = self.begin(0)
        self.clock, made = take_effect(self.view, self.mine, self.theirs, to // SLOT_US - LATER, self.clock, known, 1)
        self.known = Known(known.slot[:made], known.feed[:made])

    def told(self, before: int) -> list[Notice]:
        """What slots before `before` have shown here and was not handed out yet."""
        count = int(self.mine.count[0])
        slots = self.mine.slot[:count]
        found = np.flatnonzero((slots > self._told) & (slots < before))
        self._told = max(self._told, before - 1)
        return [Notice(*(int(column[k]) for column in self.mine[:4])) for k in found.tolist()]

    def hear(self, heard: list[Notice]) -> None:
        """What other partitions' slots have shown; none of it may have taken effect already."""
        self._drop_taken()
        count = int(self.theirs.count[0])
        merged = {
            int(slot): [int(column[k]) for column in self.theirs[1:4]]
            for k, slot in enumerate(self.theirs.slot[:count])
        }
        for slot, first, newest, mask in heard:
            old = merged.get(slot, [int(_NEVER), 0, 0])
            merged[slot] = [min(old[0], first), max(old[1], newest), old[2] | mask]
        self.theirs = notices(max(64, len(merged)))
        for k, slot in enumerate(sorted(merged)):
            self.theirs.slot[k] = slot
            self.theirs.first[k], self.theirs.newest[k], self.theirs.mask[k] = merged[slot]
        self.theirs.count[0] = len(merged)

    def _drop_taken(self) -> None:
        """Forget what has taken effect and, where partitions tell one another, was handed out."""
        self.theirs = _without(self.theirs, int(self.theirs.count[1]))
        count, done = self.mine.count.tolist()
        if self.shared or self._told:
            done = min(done, int(np.searchsorted(self.mine.slot[:count], self._told, "right")))
        self.mine = _without(self.mine, done)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Clock, first sightings, gaps, and what has not taken effect yet."""
        n = int(self._gaps[0])
        return {
            "clock": np.array([self.clock, self._told]),
            "seen": self._seen,
            "starts": self._starts[:n],
            "ends": self._ends[:n],
            "mine": np.stack([column[: self.mine.count[0]] for column in self.mine[:4]]),
            "theirs": np.stack([column[: self.theirs.count[0]] for column in self.theirs[:4]]),
            "taken": np.array([self.mine.count[1], self.theirs.count[1]]),
            "usual": self._usual[:n],
            "first": self._gaps[1:],
            **{f"peers.{name}": part for name, part in self.peers.snapshot().items()},
        }

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot."""
        self.clock, self._told = (int(value) for value in arrays["clock"])
        self._seen = np.array(arrays["seen"], np.int64)
        self._starts, self._ends, self._usual = (
            np.array(arrays[name], np.int64) for name in ("starts", "ends", "usual")
        )
        self._gaps[:] = len(self._starts), arrays["first"][0]
        taken = arrays["taken"].tolist()
        self.mine, self.theirs = (
            Notices(*np.array(lines, np.int64), np.array([lines.shape[1], done]))  # type: ignore[call-arg]
            for lines, done in zip((arrays["mine"], arrays["theirs"]), taken, strict=True)
        )
        self.known = Known(np.array([np.iinfo(np.int64).min]), np.array([self.clock]))
        self.peers.restore({name.removeprefix("peers."): part for name, part in arrays.items() if "." in name})


def _grown(old: Notices, more: int) -> Notices:
    need = int(old.count[0]) + more
    if need <= len(old.slot):
        return old
    room = notices(need)
    for column, had in zip(room[:4], old[:4], strict=True):
        column[: old.count[0]] = had[: old.count[0]]
    room.count[:] = old.count
    return room


def _without(old: Notices, done: int) -> Notices:
    if done == 0:
        return old
    left = old.count - done
    for column in old[:4]:
        column[: left[0]] = column[done : old.count[0]].copy()
    old.count[:] = left
    return old
