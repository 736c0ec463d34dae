"""Deeds that wait for their moment: a heap of callables in order of time, ties in the order they were made."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Deed = Callable[[int], None]


class Agenda:
    """Deeds filed by day, so that a long run stays cheap; a deed may add more, also for the day under way."""

    def __init__(self, day_length: int) -> None:
        self._length = day_length
        self._days: dict[int, list[tuple[int, int, Deed]]] = {}
        self._made = 0

    def at(self, ms: int, deed: Deed) -> None:
        """Files a deed for a moment; it is called with that moment. Moments of days gone by are never called."""
        self._made += 1
        heapq.heappush(self._days.setdefault(ms // self._length, []), (ms, self._made, deed))

    def run(self, day: int) -> None:
        """Does everything filed for the day, in order."""
        heap = self._days.setdefault(day, [])
        while heap:
            ms, _, deed = heapq.heappop(heap)
            deed(ms)
        del self._days[day]
