"""How much a worker reads ahead of what it applies: a bound in bytes for the process, and each partition of a topic's share.

A share is a partition's own: one that waits for another topic takes nothing from those it waits for. In it are what a fetch
brought, what one poll gives of it, and what is on its way to its turn.
"""

from __future__ import annotations

from typing import Final

from events.columns import Batch
from events.packed import Records
from streams.live.topics import EVENTS

MEGABYTE: Final = 1 << 20
MOST_FETCHED: Final = 4 * MEGABYTE
LEAST_FETCHED: Final = 1 << 16
PARTS: Final = 8
"""A fetch may be so much of a share; another such part is what a poll gives beyond the bound."""
FACT_BYTES: Final = 1_000
"""Of an event that is kept as an object too, about."""


def fetched_at_once(total: int, partitions: int) -> int:
    """Bytes that a fetch brings of one partition of one topic, and that a poll gives of it, if a worker has them all."""
    share = total // (len(EVENTS) * max(1, partitions))
    return min(MOST_FETCHED, max(LEAST_FETCHED, share // PARTS))


def share_of(total: int, owned: int, fetched: int) -> int:
    """Bytes of one topic of one partition, of so many that a worker has, beyond which no more of it are read."""
    return max(fetched, total // (len(EVENTS) * max(1, owned)) - 2 * fetched)


def bytes_of(records: Records) -> int:
    """What records take that are not decoded yet."""
    return len(records.raw) + records.rows.nbytes


def bytes_decoded(batch: Batch) -> int:
    """What events take that wait for their turn."""
    return batch.events.nbytes + len(batch.raw) + batch.text.nbytes + FACT_BYTES * len(batch.facts)
