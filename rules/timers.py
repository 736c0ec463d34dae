"""What the rules wait for, customer by customer: the end of a `for`, a cooldown, a `keep_firing_for`, an episode's life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

LIFE: Final = 9  # an episode's life; its rule is −1
EPISODE: Final = -1


class Timer(NamedTuple):
    """`kind` (PENDING, COOLING, EBBING or LIFE) of a rule is over at `due` (µs)."""

    rule: int
    kind: int
    due: int


class RuleTimers:
    """At most one timer per customer, rule and kind."""

    def __init__(self) -> None:
        self._of: dict[int, dict[tuple[int, int], int]] = {}

    def set(self, customer: int, rule: int, kind: int, due: int) -> None:
        """Wait until `due` (µs)."""
        self._of.setdefault(customer, {})[rule, kind] = due

    def drop(self, customer: int, rule: int, kind: int) -> None:
        """Wait no longer."""
        timers = self._of.get(customer)
        if timers is not None and timers.pop((rule, kind), None) is not None and not timers:
            del self._of[customer]

    def due(self, customer: int, now: int) -> list[Timer]:
        """The timers that are over at `now`, taken out, in the order of due time, kind and rule."""
        timers = self._of.get(customer, {})
        over = sorted(
            (Timer(rule, kind, due) for (rule, kind), due in timers.items() if due <= now),
            key=lambda timer: (timer.due, timer.kind, timer.rule),
        )
        for timer in over:
            self.drop(customer, timer.rule, timer.kind)
        return over

    def next(self, customer: int) -> int | None:
        """When the customer's earliest timer is over (µs)."""
        return min(self._of[customer].values()) if customer in self._of else None

    def forget(self, customer: int) -> None:
        """Drop all of a customer's timers."""
        self._of.pop(customer, None)

    def __iter__(self) -> Iterator[tuple[int, Timer]]:
        for customer, timers in self._of.items():
            for (rule, kind), due in timers.items():
                yield customer, Timer(rule, kind, due)

    def snapshot(self) -> npt.NDArray[np.int64]:
        """Rows of (customer, rule, kind, due)."""
        return np.array([(customer, *timer) for customer, timer in self], np.int64).reshape(-1, 4)

    def restore(self, rows: npt.NDArray[np.int64]) -> None:
        """Take over a snapshot."""
        for customer, rule, kind, due in rows.tolist():
            self.set(customer, rule, kind, due)
