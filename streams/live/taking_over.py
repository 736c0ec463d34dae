"""How a worker comes to have partitions: each from its newest checkpoint, and what happened after it; several at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer

from sinks.metrics import Metrics
from streams.daily_rows import Whose
from streams.live.delivery import Outbox, Parcel
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.library import first_rules
from streams.live.reloading import LiveRules
from streams.live.rereading import Rereading
from streams.live.rows import recorder_of
from streams.live.settings import LiveSettings
from streams.live.store import PartitionStore
from streams.live.tenancy import Tenancy
from streams.problems import UsageError

MOST_AT_ONCE: Final = 4
"""Partitions whose state is loaded at once, for each is in memory twice for a moment; and no more than there are cores."""
log = structlog.get_logger()


class LostError(Exception):
    """The partitions went to others while they were taken over."""


class Means(NamedTuple):
    """What a worker gives all of its partitions. `partitions`: of every topic; `owns` asks the group whether a generation is still
    the one in which we have what we were assigned.
    """

    settings: LiveSettings
    partitions: int
    rules: LiveRules
    producer: AIOKafkaProducer
    delivered: Callable[[Parcel], None]
    publisher: Executor
    owns: Callable[[int], Awaitable[bool]]
    metrics: Metrics


async def open_tenancies(partitions: Iterable[int], generation: int, means: Means) -> dict[int, Tenancy]:
    """Partitions as they go on from their newest checkpoints; none of them works yet.

    Raises LostError, UnreadableError, TooNewError, UsageError (a state that cannot be carried over), OSError, KafkaError.
    """
    wanted = sorted(partitions)
    if not wanted:
        return {}
    stores = await owned_stores(wanted, generation, means)
    room = asyncio.Semaphore(min(MOST_AT_ONCE, os.cpu_count() or 1))
    async with Rereading(means.settings.reader()) as reading:
        opened = await asyncio.gather(*(_opened(one, stores[one], means, reading, room) for one in wanted))
    return dict(zip(wanted, opened, strict=True))


async def owned_stores(partitions: Sequence[int], generation: int, means: Means) -> dict[int, PartitionStore]:
    """Where the checkpoints of partitions are, which nobody before us adds to any more. Raises LostError, OSError, KafkaError.

    Claimed first and confirmed then: whoever is assigned them later finds our claims.
    """
    loop, root = asyncio.get_running_loop(), means.settings.checkpoints

    async def each(work: Callable[[int], None]) -> None:
        await asyncio.gather(*(loop.run_in_executor(None, work, one) for one in partitions))

    stores: dict[int, PartitionStore] = {}

    def opened(partition: int) -> None:
        stores[partition] = PartitionStore(root, partition, generation)

    await each(opened)
    await each(lambda one: noted(one, stores[one].claim))
    if not await means.owns(generation):
        await each(lambda one: noted(one, stores[one].abandon))
        raise LostError(f"generation {generation} of the group is over")
    await each(lambda one: noted(one, stores[one].own))
    return stores


def noted(partition: int, work: Callable[[], None]) -> None:
    """Note whose a partition is; where the disk is full that is said, and work goes on as it does without checkpoints."""
    try:
        work()
    except OSError as error:
        trouble = str(error) or repr(error)
    else:
        return
    log.error("whose the checkpoints are could not be noted", partition=partition, error=trouble)


def check_count(covered: Covered, partition: int, count: int) -> None:
    """Raises UsageError for a state of when there were more or fewer partitions: it has other customers than come here now."""
    if covered.count not in {0, count}:
        raise UsageError(
            f"the checkpoints of partition {partition} are of topics with {covered.count} partitions, and there are {count}: "
            "customers are in other ones now; begin anew (churn seed), with an empty CHURN_CHECKPOINTS"
        )


async def outlived(tenancies: Mapping[int, Tenancy]) -> set[int]:
    """The partitions that somebody else had while we thought they were ours, as far as the storage answers: a group that
    begins anew counts its generations anew.
    """
    loop = asyncio.get_running_loop()
    stores = [one.kept.store for one in tenancies.values()]
    asked = (loop.run_in_executor(None, store.superseded) for store in stores)
    gone = await asyncio.gather(*asked, return_exceptions=True)
    return {partition for partition, over in zip(tenancies, gone, strict=True) if over is True}


async def _opened(
    partition: int, store: PartitionStore, means: Means, reading: Rereading, room: asyncio.Semaphore
) -> Tenancy:
    async with room:
        loop, settings = asyncio.get_running_loop(), means.settings
        loaded = await loop.run_in_executor(None, store.load)
        for trouble in loaded.troubles:
            log.error("checkpoint unreadable, going on from the one before", partition=partition, trouble=trouble)
        covered, state = loaded.covered, loaded.engine
        check_count(covered, partition, means.partitions)
        since = await reading.after(partition, covered)
        engine: Any = await means.rules.engine(covered, since.ticks, state)
    own = LaneSettings(settings.align, int(engine.settings.utc_offset), store.epoch)
    again = since.ends if first_rules(covered, since.ticks) else {}
    whose = Whose(partition, means.partitions, store.epoch)
    recorder = await loop.run_in_executor(None, recorder_of, settings, means.metrics, whose)
    lane = Lane(partition, means.partitions, engine, covered, since.ticks, own, means.rules.library, again, recorder)
    outbox = Outbox(means.producer, covered.outputs, means.delivered)
    log.info("partition taken over", partition=partition, events=covered.events, epoch=store.epoch)
    tenancy = Tenancy(lane, outbox, Kept(store, covered, means.publisher), since.said)
    tenancy.unreadable = len(loaded.troubles)
    return tenancy
