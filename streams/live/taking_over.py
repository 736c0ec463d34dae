"""How a worker comes to have partitions: each from its newest checkpoint, and what happened after it; several at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer

from sinks.metrics import Metrics
from streams.live.delivery import Outbox, Parcel
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.library import first_rules
from streams.live.reloading import LiveRules
from streams.live.rereading import Rereading
from streams.live.rows import recorder_of
from streams.live.settings import LiveSettings
from streams.live.store import PartitionStore
from streams.live.tenancy import Tenancy
from streams.recording import Whose

MOST_AT_ONCE: Final = 4
"""Partitions whose state is loaded at once, for each is in memory twice for a moment; and no more than there are cores."""
log = structlog.get_logger()


class Means(NamedTuple):
    """What a worker gives all of its partitions. `partitions`: of every topic; `utc_offset` in µs."""

    settings: LiveSettings
    partitions: int
    rules: LiveRules
    producer: AIOKafkaProducer
    delivered: Callable[[Parcel], None]
    utc_offset: int
    publisher: Executor
    metrics: Metrics


async def open_tenancies(partitions: Iterable[int], generation: int, means: Means) -> dict[int, Tenancy]:
    """Partitions as they go on from their newest checkpoints; none of them works yet.

    Raises UnreadableError, TooNewError, UsageError (a state that cannot be carried over), OSError, KafkaError.
    """
    wanted = sorted(partitions)
    if not wanted:
        return {}
    room = asyncio.Semaphore(min(MOST_AT_ONCE, os.cpu_count() or 1))
    async with Rereading(means.settings.client()) as reading:
        opened = await asyncio.gather(*(_opened(one, generation, means, reading, room) for one in wanted))
    return dict(zip(wanted, opened, strict=True))


async def _opened(
    partition: int, generation: int, means: Means, reading: Rereading, room: asyncio.Semaphore
) -> Tenancy:
    async with room:
        loop, settings = asyncio.get_running_loop(), means.settings
        store: PartitionStore = await loop.run_in_executor(
            None, PartitionStore, settings.checkpoints, partition, generation
        )
        loaded = await loop.run_in_executor(None, store.load)
        for trouble in loaded.troubles:
            log.error("checkpoint unreadable, going on from the one before", partition=partition, trouble=trouble)
        covered, state = loaded.covered, loaded.engine
        since = await reading.after(partition, covered)
        engine: Any = await means.rules.engine(covered, since.ticks, state)
    own = LaneSettings(settings.align, means.utc_offset, store.epoch)
    again = since.ends if first_rules(covered, since.ticks) else {}
    whose = Whose(partition, means.partitions, store.epoch)
    recorder = await loop.run_in_executor(None, recorder_of, settings, means.metrics, whose)
    lane = Lane(partition, means.partitions, engine, covered, since.ticks, own, means.rules.library, again, recorder)
    outbox = Outbox(means.producer, covered.outputs, means.delivered)
    log.info("partition taken over", partition=partition, events=covered.events, epoch=store.epoch)
    tenancy = Tenancy(lane, outbox, Kept(store, covered, means.publisher), since.said)
    tenancy.unreadable = len(loaded.troubles)
    return tenancy
