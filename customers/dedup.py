"""Which events were seen: a 64-bit key and the stream clock at which it was applied.

A key counts as seen while it is at most `horizon` old, whatever else the table still holds; so when the table is swept makes
no difference. Facts age by the stream's clock. Usage ages by its customer's own, as its lateness is judged: the newest
usage of one who is quiet would be accepted for ever, so it is remembered for as long. Two different events share a key with
probability 5e-13 at ten million live keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from events.compiled import compiled

_SMALLEST: Final = 1 << 12
_FULL: Final = 0.66
_STAGE: Final = 1 << 18  # keys that are moved to a new table before what they took up is given back

Keys = npt.NDArray[np.uint64]
Seen = npt.NDArray[np.uint32]
Whose = npt.NDArray[np.uint32]
"""The customer of each key; of no length where keys age by the stream's clock."""
Clocks = Callable[[], npt.NDArray[np.int64]]
NOBODY: Final = 2**32 - 1  # of state that did not say


@compiled(borrows=True)
def mix(key: np.uint64, customer: int) -> np.uint64:
    """The key of an event of a customer; never 0, which marks a free slot."""
    h = key ^ (np.uint64(customer + 1) * np.uint64(0x9E3779B97F4A7C15))
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return h if h != np.uint64(0) else np.uint64(1)


@compiled(inline=True, borrows=True)
def home(key: np.uint64, slots: int) -> int:
    """Where a key belongs in a table of so many slots (under 2³²): any number will do, and larger keys never come before smaller."""
    return np.int64(((key >> np.uint64(32)) * np.uint64(slots)) >> np.uint64(32))


@compiled(borrows=True)
def seen_before(
    keys: Keys, seen: Seen, whose: Whose, key: np.uint64, customer: int, clock: int, second: int, horizon: int
) -> bool:
    """True when the key was applied at most `horizon` seconds before `clock`, by which it ages; else it is noted at `second`."""
    slot = home(key, len(keys))
    while keys[slot] != np.uint64(0):
        if keys[slot] == key:
            if clock - np.int64(seen[slot]) <= horizon:
                return True
            seen[slot] = second
            return False
        slot = slot + 1 if slot + 1 < len(keys) else 0
    keys[slot] = key
    seen[slot] = second
    if len(whose) > 0:
        whose[slot] = customer
    return False


@compiled
def _gather(keys: Keys, seen: Seen, whose: Whose, second: int, horizon: int, own: npt.NDArray[np.int64]) -> int:
    """Move the keys that count at `second` to the front, in their order; gives how many. They age by the clock `own` (µs) of
    whose they are, where that is told.
    """
    count = 0
    for i in range(len(keys)):
        if keys[i] == np.uint64(0):
            continue
        known = len(whose) > 0 and np.int64(whose[i]) < len(own)
        clock = own[whose[i]] // 1_000_000 if known else second
        if np.int64(seen[i]) >= clock - horizon:
            keys[count], seen[count] = keys[i], seen[i]
            if len(whose) > 0:
                whose[count] = whose[i]
            count += 1
    return count


@compiled(nogil=True)
def _held(keys: Keys, seen: Seen, whose: Whose, into: Keys, into_seen: Seen, into_whose: Whose) -> int:
    """Copy the keys held, in their order, into tables with room for one more; gives how many. Without a branch: which slots are
    free cannot be guessed.
    """
    count, owned = 0, len(whose) > 0
    for i in range(len(keys)):
        into[count], into_seen[count] = keys[i], seen[i]
        if owned:
            into_whose[count] = whose[i]
        count += keys[i] != np.uint64(0)
    return count


@compiled
def _put(
    keys: Keys, seen: Seen, whose: Whose, start: int, end: int, into: Keys, into_seen: Seen, into_whose: Whose
) -> None:
    for i in range(start, end):
        slot = home(keys[i], len(into))
        while into[slot] != np.uint64(0):
            slot = slot + 1 if slot + 1 < len(into) else 0
        into[slot], into_seen[slot] = keys[i], seen[i]
        if len(whose) > 0:
            into_whose[slot] = whose[i]


class Dedup:
    """The keys applied within `horizon` seconds of the clock; of the customer's own clock if `by_customer`."""

    def __init__(self, horizon: int, by_customer: bool = False) -> None:
        self.horizon = horizon
        self.by_customer = by_customer
        self._most = 0  # an upper bound of the keys held
        self._make(_SMALLEST)

    def _make(self, slots: int) -> None:
        self.keys, self.seen = np.zeros(slots, np.uint64), np.zeros(slots, np.uint32)
        self.whose = np.zeros(slots if self.by_customer else 0, np.uint32)

    def _take(self, keys: Keys, seen: Seen, whose: Whose, more: int) -> None:
        """A table of these keys, with room for `more`; they are given away, and memory with them.

        Keys that come from a table are in the order of their places in any table, so going from the last to the first the new one
        is filled page by page while the old one shrinks, and the two are never there side by side.
        """
        self._most = len(keys) + more
        self._make(max(_SMALLEST, int(self._most / (_FULL * 0.75)) + 1))
        for end in range(len(keys), 0, -_STAGE):
            start = max(0, end - _STAGE)
            _put(keys, seen, whose, start, end, self.keys, self.seen, self.whose)
            _shrink(start, keys, seen, whose)

    def ensure(self, more: int, second: int, clocks: Clocks | None = None) -> None:
        """Make room for `more` keys, dropping what is beyond the horizon of the clock at `second`.

        `clocks` gives the own clock of each customer, in microseconds, by which keys age if `by_customer`.
        """
        self._most += more
        if self._most <= len(self.keys) * _FULL:
            return
        own = np.zeros(0, np.int64) if clocks is None else clocks()
        keys, seen, whose = self.keys, self.seen, self.whose
        live = _gather(keys, seen, whose, second, self.horizon, own)
        self._make(0)
        _shrink(live, keys, seen, whose)
        self._take(keys, seen, whose, more)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """The keys held, when each was applied, and whose it is if they age by customer; of one's own, and read-only."""
        room = self._most + 1
        keys, seen = np.empty(room, np.uint64), np.empty(room, np.uint32)
        whose = np.empty(room if self.by_customer else 0, np.uint32)
        held = _held(self.keys, self.seen, self.whose, keys, seen, whose)
        found: dict[str, npt.NDArray[Any]] = {"keys": keys[:held], "seen": seen[:held]}
        if self.by_customer:
            found["whose"] = whose[:held]
        for array in found.values():
            array.flags.writeable = False
        return found

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot; keys of one that does not say whose they are age by the stream's clock."""
        keys, seen = np.array(arrays["keys"], np.uint64), np.array(arrays["seen"], np.uint32)
        unknown = np.full(len(keys) if self.by_customer else 0, NOBODY)
        self._take(keys, seen, np.array(arrays.get("whose", unknown), np.uint32), 0)


def _shrink(length: int, *columns: npt.NDArray[np.generic]) -> None:
    """Give back what is behind so many items of each, in place."""
    for column in columns:
        column.resize(min(length, len(column)), refcheck=False)
