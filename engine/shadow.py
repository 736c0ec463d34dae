"""Rules on trial: judged on live data, their would-be warnings kept apart from episodes and queues.

They never change what live rules decide: they ask for no moment of their own, so a `for`, a cooldown or a `keep_firing_for`
of theirs is looked at when the customer is looked at anyway (an event, a live rule's timer, the recheck).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from customers.rounds import Rows
from engine.judging import Verdict
from rules.bits import Words
from rules.decide import Decider
from rules.early_warning import EarlyWarning, StatusReason
from rules.load import Configuration
from rules.views import Who
from rules.writing import Writer

FAR: Final = 2**62
PLANES: Final = 4


class Shadow:
    """The shadow rules of a partition; `bits` and `due` (µs) are by customer, as long as anybody was looked at."""

    def __init__(self, configuration: Configuration, writer: Writer) -> None:
        self.decider = Decider(configuration, writer, "shadow")
        self.bits: Words = np.zeros((0, PLANES * self.decider.words), np.uint64)
        self.due = np.zeros(0, np.int64)

    def __bool__(self) -> bool:
        return bool(self.decider.rules)

    def ensure(self, customers: int) -> None:
        """Room for so many customers."""
        if customers > len(self.due):
            more = max(customers, len(self.due) * 5 // 4) - len(self.due)
            self.bits = np.concatenate([self.bits, np.zeros((more, self.bits.shape[1]), np.uint64)])
            self.due = np.concatenate([self.due, np.full(more, FAR, np.int64)])

    def decide(
        self,
        rows: Rows,
        count: int,
        verdict: Verdict,
        events: npt.NDArray[np.void],
        who: Who,
        explained: npt.NDArray[np.bool_] | None,
    ) -> None:
        """Decide on the first `count` rows. `events` are those that the rows name."""
        customers, now = rows.customer[:count], rows.now[:count]
        touched = self.decider.decide(
            customers,
            now,
            self.due[customers] <= now,
            verdict,
            self.bits,
            self.decider.renewal.words(events, rows.event[:count], rows.measures),
            who,
            explained,
        )
        for customer in touched:
            due = self.decider.timers.next(customer)
            self.due[customer] = FAR if due is None else due

    def gone(self, customer: int, at: int, reason: StatusReason, who: Who) -> None:
        """The customer left, or is another person now."""
        if self:
            self.ensure(customer + 1)
            self.decider.gone(customer, at, reason, self.bits, who)
            self.due[customer] = FAR

    def take(self) -> list[EarlyWarning]:
        """The would-be warnings since the last call."""
        return self.decider.take()

    def snapshot(self) -> dict[str, npt.NDArray[Any] | bytes]:
        """Everything that is known of shadow rules; nothing where there are none."""
        return {**self.decider.snapshot(), "bits": self.bits} if self else {}

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Go on from a snapshot, of other shadow rules too. Raises ValueError for other tiers."""
        if not self or not parts:
            return
        bits = np.asarray(parts["bits"])
        self.bits = np.array(self.decider.restore(parts, bits).bits, np.uint64)
        self.due = np.full(len(self.bits), FAR, np.int64)
        for customer, timer in self.decider.timers:
            self.due[customer] = min(self.due[customer], timer.due)

    def take_over(self, other: Shadow) -> None:
        """Go on where another left, whose rules may be others."""
        if not other:
            return
        carried = self.decider.take_over(other.decider, other.bits)
        self.bits = np.array(carried.bits, np.uint64)
        self.due = np.full(len(self.bits), FAR, np.int64)
        for customer, timer in self.decider.timers:
            self.due[customer] = min(self.due[customer], timer.due)

    def close_removed(self, at: int, who: Who) -> None:
        """End the would-be episodes whose rules are no more."""
        for customer in self.decider.close_removed(at, who):
            due = self.decider.timers.next(customer)
            self.due[customer] = FAR if due is None else due
