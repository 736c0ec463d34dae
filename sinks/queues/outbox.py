"""Outcomes on their way from the queues to Kafka: written in the step that resolves, kept until they are reported done.

At least once: whoever forwards reads, produces, waits for Kafka, and then says `done`. Dying in between means reading
the same again, with the same `event_id`, which the engine knows for a duplicate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import redis

from sinks.queues import keys
from sinks.queues.connection import known, reached

START = "0-0"
MOST_WAITING = 1_000_000
"""Outcomes of one queue that may wait; then nothing more can be resolved there. Nobody drops what people said."""


class Outcome(NamedTuple):
    """One `care.resolved` event as JSON of the contract; `entry` is its place in the queue's outbox."""

    queue: str
    entry: str
    event: bytes


class Outbox:
    """The outcomes of all queues. Every method raises QueuesUnavailableError."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def read(self, count: int = 500, after: Mapping[str, str] | None = None) -> list[Outcome]:
        """At most so many, the oldest first; `after` is by queue the last entry read, for reading ahead of `done`."""
        after = after or {}
        with reached(self.client):
            queues = known(self.client)
            pipeline = self.client.pipeline(transaction=False)
            for queue in queues:
                pipeline.xrange(keys.outcomes(queue), min=f"({after.get(queue, START)}", count=count)
            found = pipeline.execute()
        read = [
            Outcome(queue, entry, fields["event"].encode())
            for queue, entries in zip(queues, found, strict=True)
            for entry, fields in entries
        ]
        return sorted(read, key=lambda outcome: _order(outcome.entry))[:count]

    def done(self, outcomes: Sequence[Outcome]) -> None:
        """Kafka has these: forget them. Saying it twice does no harm."""
        by_queue: dict[str, list[str]] = {}
        for outcome in outcomes:
            by_queue.setdefault(outcome.queue, []).append(outcome.entry)
        with reached(self.client):
            pipeline = self.client.pipeline(transaction=False)
            for queue, entries in by_queue.items():
                pipeline.xdel(keys.outcomes(queue), *entries)
            pipeline.execute()

    def waiting(self) -> dict[str, int]:
        """How many wait, by queue."""
        with reached(self.client):
            queues = known(self.client)
            pipeline = self.client.pipeline(transaction=False)
            for queue in queues:
                pipeline.xlen(keys.outcomes(queue))
            return dict(zip(queues, pipeline.execute(), strict=True))


def _order(entry: str) -> tuple[int, int]:
    at, _, number = entry.partition("-")
    return int(at), int(number)
