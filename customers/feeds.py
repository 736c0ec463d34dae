"""Whose silence is it: the clock of the usage feed, and the gaps in which it was silent for everyone.

A gap of `GAP_US` or more between the newest usage before and after it is time in which nobody can be called silent. What
counts at a moment is what was known then: `feed` is the feed's clock just before the event that brought the evaluation.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.metrics import FEED, FEEDS, HOUR_US
from customers.peers import PeerGroups, Peers
from events.codes import Kind
from events.compiled import compiled

GAP_US: Final = 3 * HOUR_US
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
    """What compiled code sees. `seen[feed]`: sequence number of the feed's first event; gaps in order of time."""

    seen: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.int64]  # shape (1,): how many
    peers: Peers


@compiled
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
        if end > feed or start >= now or min(end, now) - start < GAP_US:
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
        self._gaps = np.zeros(1, np.int64)

    @property
    def view(self) -> Feeds:
        """The arrays as compiled code takes them; valid until `ensure`."""
        return Feeds(self._seen, self._starts, self._ends, self._gaps, self.peers.view)

    def ensure(self, more: int) -> None:
        """Room for `more` gaps."""
        need = int(self._gaps[0]) + more
        if need > len(self._starts):
            self._starts.resize(need * 2, refcheck=False)
            self._ends.resize(need * 2, refcheck=False)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Clock, first sightings and gaps."""
        n = int(self._gaps[0])
        return {
            "clock": np.array([self.clock]),
            "seen": self._seen,
            "starts": self._starts[:n],
            "ends": self._ends[:n],
            **{f"peers.{name}": part for name, part in self.peers.snapshot().items()},
        }

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot."""
        self.clock = int(arrays["clock"][0])
        self._seen = np.array(arrays["seen"], np.int64)
        self._starts, self._ends = np.array(arrays["starts"], np.int64), np.array(arrays["ends"], np.int64)
        self._gaps[0] = len(self._starts)
        self.ensure(64)
        self.peers.restore({name.removeprefix("peers."): part for name, part in arrays.items() if "." in name})
