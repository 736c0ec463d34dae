"""What the group assigns to a worker: partitions taken over and given up, and how far each is read (`transport.Reading`)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from streams.live.ahead import MEGABYTE, fetched_at_once, share_of
from streams.live.checkpoints import Checkpoints
from streams.live.faust_app import App, add_agents, consumer_of
from streams.live.holdings import Holdings
from streams.live.pieces import Given
from streams.live.population import Population
from streams.live.taking_over import LostError, Means, open_tenancies, outlived
from streams.live.tenancy import Tenancy
from streams.live.topics import check_grown
from streams.live.transactions import Ends

log = structlog.get_logger()


class Assignments:
    """Of one worker, whose `app` tells it what it is assigned, and asks it what to read."""

    def __init__(
        self, app: App, holdings: Holdings, means: Means, population: Population, checkpoints: Checkpoints
    ) -> None:
        self.app, self.holdings, self.means = app, holdings, means
        self.settings, self.count = means.settings, means.partitions
        self.population, self.checkpoints = population, checkpoints
        self.generation = -1
        self.seeking: asyncio.Task[None] | None = None  # kept, or it would be lost on its way
        app.reading = self
        add_agents(app, self.accept)
        app.on_partitions_revoked.connect(self.revoked)
        app.on_partitions_assigned.connect(self.left_without)

    @property
    def consumer(self) -> Any:
        """Faust's."""
        return consumer_of(self.app)

    # --- what is read

    def client(self) -> dict[str, Any]:
        """How the transport opens its consumer."""
        return self.settings.reader()

    def has_room(self, topic: str, partition: int) -> bool:
        """Whether more of this partition should be read."""
        tenancies = self.holdings.tenancies
        share = share_of(self.settings.read_ahead * MEGABYTE, len(tenancies), self.fetched_at_once)
        return partition in tenancies and tenancies[partition].has_room(topic, share)

    @property
    def fetched_at_once(self) -> int:
        """Bytes that a fetch brings, and a poll gives, of one partition of one topic."""
        return fetched_at_once(self.settings.read_ahead * MEGABYTE, self.count)

    def handed(self, topic: str, partition: int, piece: Given) -> None:
        """A piece is on its way to an agent."""
        if partition in self.holdings.tenancies:
            self.holdings.tenancies[partition].hand(topic, piece)

    async def accept(self, topic: str, partition: int, piece: Given) -> None:
        """A piece that an agent got."""
        tenancy = self.holdings.tenancies.get(partition)
        if tenancy is None:
            return
        if not tenancy.accept(topic, piece):
            await self._read_again(topic, tenancy)
        self.holdings.arrived.set()

    async def _read_again(self, topic: str, tenancy: Tenancy) -> None:
        """Records were lost on the way here: back to where the lane is."""
        where, offset = TP(topic, tenancy.lane.partition), tenancy.lane.received[topic]
        log.warning(
            "reading again from where records are missing", topic=topic, partition=where.partition, offset=offset
        )
        with suppress(KafkaError):  # not ours any more: whoever has it now knows where to read
            first = (await self.consumer.earliest_offsets(where))[where]
            if first > offset:
                self.deleted(topic, where.partition, first)
            await self.consumer.seek(where, max(first, offset))

    def read_up_to(self, topic: str, partition: int, position: int | None, ends: Ends, at: float) -> None:
        """How far this partition was read (None: not known yet), and how far it went at a time (monotonic, s)."""
        tenancy = self.holdings.tenancies.get(partition)
        if tenancy is None:
            return
        before = tenancy.lane.received[topic]
        if tenancy.begins_anew(topic, position, ends):
            log.error("a topic ends before where it was read to: it was deleted and made anew, or the broker has lost records; "
                      "all that it has is read", topic=topic, partition=partition, read=before, end=ends.last)  # fmt: skip
            self.seeking = asyncio.create_task(self._read_again(topic, tenancy))
        tenancy.read_up_to(topic, position, ends, at)

    def durable(self, topic: str, partition: int) -> int | None:
        """The offset up to which a durable checkpoint covers this partition."""
        tenancy = self.holdings.tenancies.get(partition)
        return tenancy.kept.durable.positions.get(topic) if tenancy is not None else None

    def deleted(self, topic: str, partition: int, before: int) -> None:
        """The broker has deleted what was never read; there is nothing to be done but to say so."""
        lane = self.holdings.tenancies[partition].lane
        log.error("records were deleted before they were read", topic=topic, partition=partition,
                  first=lane.received[topic], before=before)  # fmt: skip
        lane.cover(topic, before)

    # --- what comes and goes

    async def revoked(self, _app: Any, _revoked: set[TP], **_: Any) -> None:
        """All partitions are given up, most to come back: save them for whoever gets them."""
        async with self.holdings.busy:
            self.holdings.paused = True
            if not self.holdings.whole:
                return
            try:
                await asyncio.wait_for(self.checkpoints.save_all(), self.settings.kafka_rebalance / 2)
            except TimeoutError:  # whoever gets them reads a little more again
                log.warning("partitions are given up without a checkpoint of this moment")

    async def left_without(self, app: Any, assigned: set[TP], **_: Any) -> None:
        """With more workers than partitions some have none; Faust asks them for nothing then."""
        if not assigned:
            await self.assigned(assigned, app.consumer_generation_id)

    async def assigned(self, assignment: set[TP], generation: int) -> dict[TP, int]:
        """Take over the partitions of an assignment; gives where to read from."""
        if self.holdings.stopping:
            return {}
        try:
            return await self._assigned(assignment, generation)
        except LostError as error:  # the group lets us know, and assigns anew
            log.warning("partitions were lost while they were taken over", error=str(error))
            return {}
        except Exception as error:
            self.holdings.fail(error)
            raise

    async def _assigned(self, assignment: set[TP], generation: int) -> dict[TP, int]:
        partitions, holdings = {tp.partition for tp in assignment}, self.holdings
        log.info("partitions assigned", partitions=sorted(partitions), generation=generation)
        check_grown(assignment, self.count)
        async with holdings.busy:
            holdings.paused = True  # nobody hears anything before all can
            await self._give_up_all_but(partitions, generation)
            holdings.tenancies.update(await self._opened(partitions, generation))
            self.generation, holdings.paused = generation, holdings.stopping
            for tenancy in holdings.tenancies.values():
                tenancy.read_anew()
            holdings.moved()
            return {tp: holdings.tenancies[tp.partition].lane.received[tp.topic] for tp in assignment}

    async def _give_up_all_but(self, partitions: set[int], generation: int) -> None:
        """Also of those what somebody else may have had since we last knew."""
        tenancies = self.holdings.tenancies
        nobody_between = generation in {self.generation, self.generation + 1}
        gone = await outlived(tenancies)
        for partition in list(tenancies):
            if partition not in partitions or partition in gone or not nobody_between:
                await tenancies.pop(partition).close()

    async def _opened(self, partitions: set[int], generation: int) -> dict[int, Tenancy]:
        """Those that we do not have yet. They hear nothing yet: that would be what is said now, without what was said since
        their checkpoints.
        """
        tenancies = self.holdings.tenancies
        opened = await open_tenancies(partitions - tenancies.keys(), generation, self.means)
        for tenancy in opened.values():
            self.means.metrics.checkpoint_failures.labels("read").inc(tenancy.unreadable)
        everybody = [*tenancies.values(), *opened.values()]
        if everybody:
            await self.population.read_from(min(one.kept.durable.population for one in everybody))
        return opened

    def ready(self) -> str:
        """Why no events are worked on yet, or nothing."""
        if self.generation < 0:
            return "no partitions assigned yet"
        return "partitions are being handed over" if self.holdings.paused else ""
