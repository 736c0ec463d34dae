"""Which events were seen: a 64-bit key and the stream clock at which it was applied.

A key counts as seen while it is at most `horizon` old on the clock, whatever else the table still holds; so when the table
is swept makes no difference. Two different events share a key with probability 5e-13 at ten million live keys.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from events.compiled import compiled

_SMALLEST: Final = 1 << 12
_FULL: Final = 0.66

Keys = npt.NDArray[np.uint64]
Seen = npt.NDArray[np.uint32]


@compiled(borrows=True)
def mix(key: np.uint64, customer: int) -> np.uint64:
    """The key of an event of a customer; never 0, which marks a free slot."""
    h = key ^ (np.uint64(customer + 1) * np.uint64(0x9E3779B97F4A7C15))
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return h if h != np.uint64(0) else np.uint64(1)


@compiled(borrows=True)
def seen_before(keys: Keys, seen: Seen, key: np.uint64, second: int, horizon: int) -> bool:
    """True when the key was applied at most `horizon` seconds before `second`; else it is noted now."""
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while keys[slot] != np.uint64(0):
        if keys[slot] == key:
            if second - np.int64(seen[slot]) <= horizon:
                return True
            seen[slot] = second
            return False
        slot = (slot + np.uint64(1)) & mask
    keys[slot] = key
    seen[slot] = second
    return False


@compiled
def _copy_live(keys: Keys, seen: Seen, into: Keys, into_seen: Seen, oldest: int) -> int:
    count, mask = 0, np.uint64(len(into) - 1)
    for i in range(len(keys)):
        if keys[i] != np.uint64(0) and np.int64(seen[i]) >= oldest:
            slot = keys[i] & mask
            while into[slot] != np.uint64(0):
                slot = (slot + np.uint64(1)) & mask
            into[slot], into_seen[slot] = keys[i], seen[i]
            count += 1
    return count


class Dedup:
    """The keys applied within `horizon` seconds of the clock."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.keys = np.zeros(_SMALLEST, np.uint64)
        self.seen = np.zeros(_SMALLEST, np.uint32)
        self._most = 0  # an upper bound of the keys held

    def ensure(self, more: int, second: int) -> None:
        """Make room for `more` keys, dropping what is beyond the horizon of the clock at `second`."""
        self._most += more
        if self._most <= len(self.keys) * _FULL:
            return
        oldest = second - self.horizon
        live = int(np.count_nonzero(self.seen >= max(oldest, 1))) + more
        slots = max(_SMALLEST, 1 << int(np.ceil(np.log2(live / (_FULL * 0.75) + 1))))
        keys, seen = np.zeros(slots, np.uint64), np.zeros(slots, np.uint32)
        self._most = _copy_live(self.keys, self.seen, keys, seen, max(oldest, 0)) + more
        self.keys, self.seen = keys, seen

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """The keys held, and when each was applied."""
        held = np.flatnonzero(self.keys)
        return {"keys": self.keys[held], "seen": self.seen[held]}

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot."""
        keys, seen = np.array(arrays["keys"], np.uint64), np.array(arrays["seen"], np.uint32)
        slots = max(_SMALLEST, 1 << int(np.ceil(np.log2(len(keys) / (_FULL * 0.75) + 1))))
        self.keys, self.seen = np.zeros(slots, np.uint64), np.zeros(slots, np.uint32)
        self._most = _copy_live(keys, seen, self.keys, self.seen, 0)
