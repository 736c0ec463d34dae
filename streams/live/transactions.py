"""What producers write in transactions: what they took back, and topics whose end nobody may read yet.

What one wrote that has begun a transaction and not ended it, and all that others wrote behind its first record, is read when it ends (the broker ends it at its
`transaction.timeout.ms`): up to there goes what a partition takes for the topic's end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

LONG_SECONDS: Final = 60.0
"""How long a topic stands still before it is said: a transaction that is at work lets it go on sooner."""


class Ends(NamedTuple):
    """Of a topic, None where not known yet: the offset before which nothing is part of an open transaction, and the one
    behind its last record.
    """

    stable: int | None
    last: int | None


class Held(NamedTuple):
    """A topic that ends for us at `offset`, with so many `records` behind it, since a time (monotonic, s)."""

    offset: int
    records: int
    since: float
    said: bool = False


class Aborted:
    """The aborted transactions that a fetch met, as its answer lists them (producer, first offset; by offset): each goes to the
    next marker of this producer that says so. `coming` are those not met yet, `now` the producers of those met.
    """

    def __init__(self, coming: Iterable[tuple[int, int]], now: Iterable[int] = ()) -> None:
        self.coming, self.now = deque(coming), set(now)

    @classmethod
    def of(cls, client: Any) -> Aborted:
        """What the client has of a fetch (`PartitionRecords`)."""
        return cls(client._aborted_transactions)  # noqa: SLF001 - the client has no other door for it

    def copy(self) -> Aborted:
        """The same, at this place."""
        return Aborted(self.coming, self.now)

    def counts(self, batch: Any) -> bool:
        """Whether a batch, the next that is part of a transaction or a marker, has events."""
        while self.coming and self.coming[0][1] <= batch.base_offset:
            self.now.add(self.coming.popleft()[0])
        if batch.is_control_batch:
            marker = next(batch, None)
            if marker is not None and ControlRecord.parse(marker.key).type_ == ABORT_MARKER.type_:
                self.now.discard(batch.producer_id)
            return False
        return batch.producer_id not in self.now


class OpenTransactions:
    """Those of one partition's topics."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}

    def seen(self, topic: str, stable: int, end: int, now: float) -> None:
        """Up to where a topic is `stable`, and its `end`, at a time (monotonic, s)."""
        before = self.held.pop(topic, None)
        if end > stable:
            if before is None or before.offset != stable:
                before = Held(stable, 0, now)
            self.held[topic] = before._replace(records=end - stable)

    def records(self, topic: str) -> int:
        """Those of a topic that are there and not to be read yet."""
        return self.held[topic].records if topic in self.held else 0

    def to_say(self, now: float) -> list[tuple[str, Held]]:
        """The topics that have stood still for long, each once."""
        found = [(topic, one) for topic, one in self.held.items() if not one.said and now - one.since >= LONG_SECONDS]
        self.held.update({topic: one._replace(said=True) for topic, one in found})
        return found
