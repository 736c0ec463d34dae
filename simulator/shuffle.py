"""Events that come late, and events that come twice, when a scenario asks for them.

The order of the file is then the order of arrival: usage comes late by less than 24 h, other facts by up to five days, a
copy follows within twelve hours of the first.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Ints, Random, Texts
from simulator.clock import DAY, HOUR

USAGE_LATE, FACT_LATE, COPY_LATE = 23 * HOUR, 5 * DAY, 12 * HOUR


class Shuffle:
    """Holds back what has not arrived yet."""

    def __init__(self, late_share: float, duplicate_share: float) -> None:
        self._late, self._copies = late_share, duplicate_share
        self._times: Ints = np.empty(0, dtype=np.int64)
        self._lines: Texts = np.empty(0, dtype=object)

    def add(self, times: Ints, usage: Ints, lines: Texts, until: int, random: Random) -> tuple[Texts, int]:
        """Takes lines of known `times` (`usage` 1 or 0); returns what has arrived by `until`, and how many copies came in."""
        if not (self._late or self._copies):
            return lines, 0
        late = random.random(len(times)) < self._late
        delay = (random.random(len(times)) * np.where(usage == 1, USAGE_LATE, FACT_LATE)).astype(np.int64)
        arrival = times + np.where(late, delay, 0)
        copied = np.flatnonzero(random.random(len(times)) < self._copies)
        again = arrival[copied] + (random.random(len(copied)) * COPY_LATE).astype(np.int64)
        all_times = np.concatenate([self._times, arrival, again])
        all_lines = np.concatenate([self._lines, lines, lines[copied]])
        order = np.argsort(all_times, kind="stable")
        all_times, all_lines = all_times[order], all_lines[order]
        cut = int(np.searchsorted(all_times, until, side="right"))
        self._times, self._lines = all_times[cut:], all_lines[cut:]
        return all_lines[:cut], len(copied)

    def rest(self) -> Texts:
        """What was still under way at the end."""
        lines, self._times, self._lines = self._lines, self._times[:0], self._lines[:0]
        return lines
