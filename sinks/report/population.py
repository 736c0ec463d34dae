"""Who was a customer when: first seen, left, came back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rules.outcomes import Leaver

Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Population:
    """Presence over time. `first_seen` (µs, 0 never) has one entry per customer; `returned` is (customer, µs)."""

    def __init__(self, first_seen: Times, leavers: Iterable[Leaver], returned: Iterable[tuple[int, int]]) -> None:
        self.first_seen = first_seen
        changes = sorted(
            [(leaver.at, leaver.customer, True) for leaver in leavers] + [(at, who, False) for who, at in returned]
        )
        self._at = np.array([change[0] for change in changes], np.int64)
        self._who = np.array([change[1] for change in changes], np.int64)
        self._gone = np.array([change[2] for change in changes], np.bool_)
        self._order = np.argsort(np.where(first_seen > 0, first_seen, np.iinfo(np.int64).max), kind="stable")
        self._seen = first_seen[self._order][: int(np.count_nonzero(first_seen > 0))]
        self._gone_at = np.full(len(first_seen), np.iinfo(np.int64).max)
        for at, who, gone in changes:
            self._gone_at[who] = at if gone else np.iinfo(np.int64).max

    def present(self, at: int) -> Mask:
        """Which customers were there at a time, shape (customers,)."""
        gone = np.zeros(len(self.first_seen), np.bool_)
        for k in range(int(np.searchsorted(self._at, at, "right"))):
            gone[self._who[k]] = self._gone[k]
        return np.asarray((self.first_seen > 0) & (self.first_seen <= at) & ~gone)

    def drawn(self, at: Times, chance: np.random.Generator) -> Times:
        """For each time one customer at random of those who were there, shape of `at`; −1 where nobody was."""
        many = np.searchsorted(self._seen, at, "right")
        drawn = np.full(len(at), -1, np.int64)
        open_ = np.flatnonzero(many > 0)
        for _ in range(50):  # who had left by then is drawn again
            if not len(open_):
                break
            drawn[open_] = self._order[chance.integers(0, many[open_])]
            open_ = open_[self._gone_at[drawn[open_]] <= at[open_]]
        drawn[open_] = -1
        return drawn
