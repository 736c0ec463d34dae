"""Whose silence is it: the clock of the usage feed, and the gaps in which it was silent for everyone.

A gap between the newest usage before and after it that is longer than this feed's gaps use to be, and than `GAP_US`, is time
in which nobody can be called silent. A feed of daily files has nothing but gaps of a day: those are its rhythm. What counts
at a moment is what was known then: `feed` is the feed's clock just before the event that brought the evaluation.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.metrics import DAY_US, FEED, FEEDS, HOUR_US
from customers.peers import PeerGroups, Peers
from events.codes import Kind
from events.compiled import compiled

GAP_US: Final = 3 * HOUR_US
LEARNED_US: Final = 28 * DAY_US  # the stretch of the feed's own past that says what gaps are usual ...
LEAST_US: Final = 7 * DAY_US  # ... and how much of it there must be
LARGEST_PART: Final = 4  # no gap counts for more than this part of the stretch: one outage is no rhythm
_UNSEEN: Final = np.iinfo(np.int64).max

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
    """What compiled code sees. `seen[feed]`: sequence number of the feed's first event; gaps in order of time.

    `usual[gap]`: how long (µs) a gap had to be, as it ended, to be longer than usual.
    """

    seen: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    usual: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.int64]  # how many, and the feed's first time (µs, 0: none)
    peers: Peers


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


class FeedClock:
    """Owns the feeds of a partition; `Feeds` is its compiled view."""

    def __init__(self, utc_offset: int = 0) -> None:
        self.clock = 0
        self.peers = PeerGroups(utc_offset)
        self._seen = np.full(len(FEEDS), _UNSEEN, np.int64)
        self._starts = np.zeros(64, np.int64)
        self._ends = np.zeros(64, np.int64)
        self._usual = np.zeros(64, np.int64)
        self._gaps = np.zeros(2, np.int64)

    @property
    def view(self) -> Feeds:
        """The arrays as compiled code takes them; valid until `ensure`."""
        return Feeds(self._seen, self._starts, self._ends, self._usual, self._gaps, self.peers.view)

    def ensure(self, more: int) -> None:
        """Room for `more` gaps."""
        need = int(self._gaps[0]) + more
        if need > len(self._starts):
            for times in (self._starts, self._ends, self._usual):
                times.resize(need * 2, refcheck=False)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Clock, first sightings and gaps."""
        n = int(self._gaps[0])
        return {
            "clock": np.array([self.clock]),
            "seen": self._seen,
            "starts": self._starts[:n],
            "ends": self._ends[:n],
            "usual": self._usual[:n],
            "first": self._gaps[1:],
            **{f"peers.{name}": part for name, part in self.peers.snapshot().items()},
        }

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot."""
        self.clock = int(arrays["clock"][0])
        self._seen = np.array(arrays["seen"], np.int64)
        self._starts, self._ends, self._usual = (
            np.array(arrays[name], np.int64) for name in ("starts", "ends", "usual")
        )
        self._gaps[:] = len(self._starts), arrays["first"][0]
        self.ensure(64)
        self.peers.restore({name.removeprefix("peers."): part for name, part in arrays.items() if "." in name})
