"""Frozen examples that wait for their label, in growable columns of bounded size.

An example is a customer's features as they were at one moment. What is kept when there are too many is decided by a
hash of customer and moment alone: the examples with the smallest hashes stay, so every customer and every moment has
the same chance, and the order in which examples were added within a tick does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.hashing import combine

GONE, WAITING, LEFT, CHOSEN = 0, 1, 2, 3
"""States: slot free, label open, left voluntarily (label known, not yet due), due and chosen for learning."""

EVERY = 2**64 - 1
"""The bound of keys that takes every example."""
ROOM, GROWTH = 0.8, 1.25
"""While less than this share of the limit is used, the sampled share grows by this factor a day."""

FIELDS = ("customer", "at", "key", "due", "state", "label", "judge", "share", "logits", "risk", "values")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A customer left (`at` in microseconds)."""

    customer: int
    at: int
    voluntary: bool
    another: bool = False
    """Nobody is known to have left, but from `at` on the customer is another person: no outcome, only an end."""


@compiled
def example_keys(customers: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One well mixed number for each example (u8[n]): its place in every deterministic sample."""
    keys = np.empty(len(customers), np.uint64)
    for index in range(len(customers)):
        keys[index] = combine(np.uint64(customers[index] + 1), np.uint64(at[index]))
    return keys


@compiled
def waiting_of(customers: NDArray[np.int64], state: NDArray[np.int8], named: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The slots of waiting examples whose customer is named."""
    found = np.empty(len(customers), np.int64)
    count = 0
    for slot in range(len(customers)):
        if state[slot] == WAITING and customers[slot] < len(named) and named[customers[slot]]:
            found[count] = slot
            count += 1
    return found[:count].copy()


@compiled
def sampled(keys: NDArray[np.uint64], purpose: int, share: float) -> NDArray[np.bool_]:
    """A fixed random share of examples (bool[n]); samples for different purposes are independent."""
    chosen = np.empty(len(keys), np.bool_)
    for index in range(len(keys)):
        unit = (combine(keys[index], np.uint64(purpose)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
        chosen[index] = unit < share
    return chosen


class Examples:
    """Columns of pending examples.

    `limit` bounds the examples with an open label after each tick; between ticks half as many again may be held.
    Arrays: customer i8, at i8 and due i8 (when frozen, and chosen; microseconds), key u8, state i1, label i1, judge bool (to
    be scored before it is learned), share f8 (of those who stayed, how
    many were chosen with it), logits f4[n, 2] and risk f4 (what the model said when the example was frozen; NaN: nothing), values
    f4[n, features] (NaN: unknown).
    """

    def __init__(self, features: int, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.bound = EVERY
        self.features = features
        self._allocate(min(1024, self.capacity))

    @property
    def capacity(self) -> int:
        """The most rows ever allocated for examples that wait."""
        return self.limit + max(self.limit // 2, 16)

    def _allocate(self, rows: int) -> None:
        self.customer = np.zeros(rows, np.int64)
        self.at = np.zeros(rows, np.int64)
        self.key = np.zeros(rows, np.uint64)
        self.due = np.zeros(rows, np.int64)
        self.state = np.zeros(rows, np.int8)
        self.label = np.zeros(rows, np.int8)
        self.judge = np.zeros(rows, np.bool_)
        self.share = np.ones(rows, np.float64)
        self.logits = np.full((rows, 2), np.nan, np.float32)
        self.risk = np.full(rows, np.nan, np.float32)
        self.values = np.full((rows, self.features), np.nan, np.float32)

    def __len__(self) -> int:
        return int(np.count_nonzero(self.state[: self.size]))

    def extend(self, features: int) -> None:
        """Make room for more features, unknown in all examples so far."""
        if features > self.features:
            wider = np.full((len(self.values), features), np.nan, np.float32)
            wider[:, : self.features] = self.values
            self.values, self.features = wider, features

    def add(
        self,
        customers: NDArray[np.int64],
        at: NDArray[np.int64],
        keys: NDArray[np.uint64],
        values: NDArray[np.float32],
        logits: NDArray[np.float32],
        risk: NDArray[np.float32],
    ) -> None:
        """Append examples (n of each; `values` f4[n, features], `logits` f4[n, 2]), making room first."""
        for start in range(0, len(customers), max(self.capacity - self.limit, 1)):
            part = slice(start, start + max(self.capacity - self.limit, 1))
            self._append(customers[part], at[part], keys[part], values[part], logits[part], risk[part])

    def _append(
        self,
        customers: NDArray[np.int64],
        at: NDArray[np.int64],
        keys: NDArray[np.uint64],
        values: NDArray[np.float32],
        logits: NDArray[np.float32],
        risk: NDArray[np.float32],
    ) -> None:
        count = len(customers)
        if self.size + count > len(self.state):
            self._make_room(count)
        new = slice(self.size, self.size + count)
        self.customer[new], self.at[new], self.key[new] = customers, at, keys
        self.values[new], self.logits[new], self.risk[new] = values, logits, risk
        self.state[new], self.label[new], self.judge[new], self.share[new] = WAITING, 0, False, 1.0
        self.size += count

    def _make_room(self, count: int) -> None:
        """Drop what the sample drops, close the gaps, and grow if that was not enough."""
        if self.size + count > self.capacity:
            self.reduce()
        kept = np.flatnonzero(self.state[: self.size])
        rows = len(self.state)
        while len(kept) + count > rows // 2 and rows < len(kept) + self.capacity:
            rows *= 2
        rows = min(rows, max(len(kept) + self.capacity, len(kept) + count))
        self._keep(kept, rows)

    def _keep(self, kept: NDArray[np.int64], rows: int) -> None:
        """These slots (ascending) and no others, in columns of so many rows: in place, one column after another."""
        for name in FIELDS:
            column = getattr(self, name)
            if len(kept) < self.size:
                column[: len(kept)] = column[kept]
            column.resize((rows, *column.shape[1:]), refcheck=False)
        self.size = len(kept)

    def wanted(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which examples the sample would take now (bool[n]); to be asked before gathering their features."""
        return keys <= np.uint64(self.bound)

    def reduce(self) -> None:
        """Keep the `limit` waiting examples with the smallest keys."""
        waiting = np.flatnonzero(self.state[: self.size] == WAITING)
        if len(waiting) > self.limit:
            self.bound = int(np.partition(self.key[waiting], self.limit)[self.limit]) - 1
            self.state[waiting[self.key[waiting] > np.uint64(self.bound)]] = GONE

    def settle(self, *, grow: bool) -> None:
        """At a tick: reduce; once a day let the sample grow again while there is room."""
        if grow and self.bound < EVERY and np.count_nonzero(self.state[: self.size] == WAITING) < ROOM * self.limit:
            self.bound = min(int(self.bound * GROWTH), EVERY)
        self.reduce()

    def churned(self, outcomes: Sequence[Outcome], first_seen: int, horizon: int) -> None:
        """Label waiting examples by outcomes (`first_seen`, `horizon`: microseconds).

        Examples frozen later than the outcome were frozen in ignorance of it and are dropped; involuntary churn
        within the horizon says nothing about leaving voluntarily and drops them too.
        """
        churned = np.zeros(max((outcome.customer for outcome in outcomes), default=-1) + 1, np.bool_)
        churned[[outcome.customer for outcome in outcomes]] = True
        candidates = waiting_of(self.customer[: self.size], self.state[: self.size], churned)
        ends_first = sorted(
            outcomes, key=lambda outcome: not outcome.another
        )  # the new person's leaving labels no old example
        for outcome in ends_first if len(candidates) else ():
            mine = candidates[self.customer[candidates] == outcome.customer]
            mine = mine[self.state[mine] == WAITING]
            frozen = self.at[mine]
            self.state[mine[frozen > outcome.at]] = GONE
            within = (frozen <= outcome.at) & (outcome.at <= np.maximum(frozen, first_seen) + horizon)
            self.state[mine[within]] = LEFT if outcome.voluntary else GONE

    def drop_before(self, at: int) -> None:
        """Drop waiting examples frozen at `at` or before."""
        state = self.state[: self.size]
        state[(state == WAITING) & (self.at[: self.size] <= at)] = GONE

    def oldest(self) -> int | None:
        """When (microseconds) the oldest example was frozen; 0 while chosen ones wait to be learned, None for none."""
        state = self.state[: self.size]
        if np.any(state == CHOSEN):
            return 0
        held = self.at[: self.size][state != GONE]
        return int(held.min()) if len(held) else None

    def matured(self, frozen_until: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Slots whose horizon has passed for all frozen until then: (those who left, those who stayed)."""
        state, old = self.state[: self.size], self.at[: self.size] <= frozen_until
        return np.flatnonzero(old & (state == LEFT)), np.flatnonzero(old & (state == WAITING))

    def choose(self, slots: NDArray[np.int64], label: int, share: float, clock: int) -> None:
        """Mark examples for learning: their label, the share of stayers sampled, and since when they wait."""
        self.state[slots], self.label[slots], self.share[slots], self.due[slots] = CHOSEN, label, share, clock

    def chosen(self, most: int) -> NDArray[np.int64]:
        """The slots to learn next, at most so many: by tick, and well mixed within a tick."""
        slots = np.flatnonzero(self.state[: self.size] == CHOSEN)
        order = np.lexsort((self.at[slots], self.customer[slots], self.key[slots], self.due[slots]))
        return slots[order[:most]]

    def forget(self, slots: NDArray[np.int64]) -> None:
        """Free slots."""
        self.state[slots] = GONE

    def population(self, most: int) -> NDArray[np.float32]:
        """The values of a fixed random sample of the examples held, f4[n, features]."""
        held = np.flatnonzero(self.state[: self.size])
        order = np.lexsort((self.at[held], self.customer[held], self.key[held]))
        return np.asarray(self.values[held[order[:most]]])

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Everything held, without gaps."""
        kept = np.flatnonzero(self.state[: self.size])
        columns = {name: getattr(self, name)[kept] for name in FIELDS}
        return columns | {"bound": np.array([self.bound], np.uint64)}

    def restore(self, columns: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a `snapshot` (with the same or fewer features)."""
        count, held = columns["values"].shape
        self.features = max(self.features, held)  # attributes seen since this one was made
        self._allocate(max(count, 16))
        for name in FIELDS:
            if name == "values":
                self.values[:count, :held] = columns[name].astype(np.float32)
            else:
                getattr(self, name)[:count] = columns[name]
        self.size, self.bound = count, int(columns["bound"][0])
