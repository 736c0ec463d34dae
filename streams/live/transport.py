"""Faust's Kafka transport, with one message for all records that a fetch brought of a partition.

Faust's cost is per message (some 7,500 a second); a whole chunk as one message goes through at 250,000 records a second.
An acknowledgement says nothing here: offsets are committed when a durable checkpoint covers them, so acknowledgements
need no bookkeeping, and a jump between two messages' offsets is no gap (docs/adr/0006-chunks-through-faust.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.group import HeartbeatRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.live.assignor import new_assignor
from streams.live.merge import LONG_AGO
from streams.live.pieces import Given, in_columns
from streams.live.transactions import Ends

POLL_SECONDS = 0.05
ASK_SECONDS = 0.1
METADATA_MS = 30_000
"""Until it is noticed that a topic has more partitions: what keys they take away becomes dead letters meanwhile."""
OVER = {IllegalGenerationError, UnknownMemberIdError}
"""What the group answers to one that does not belong to it any more."""
FETCH_BYTES = 1 << 18
"""What the broker gathers, if it takes no longer than it may wait: each fetch has its cost, on both sides."""
CREATED = 0
"""Kafka's word for a timestamp that the producer gave; nobody asks."""
GATHER_SECONDS = 0.02
FEW = 2_000
"""Records of one poll below which the next one waits for more: every chunk has its cost, however small."""


class Reading(Protocol):
    """What the transport asks of whoever owns the partitions."""

    def has_room(self, topic: str, partition: int) -> bool: ...
    def handed(self, topic: str, partition: int, piece: Given) -> None: ...
    @property
    def fetched_at_once(self) -> int: ...
    def read_up_to(self, topic: str, partition: int, position: int | None, ends: Ends, at: float) -> None: ...
    def durable(self, topic: str, partition: int) -> int | None: ...
    async def assigned(self, assignment: set[TP], generation: int) -> dict[TP, int]: ...
    def deleted(self, topic: str, partition: int, before: int) -> None: ...
    def client(self) -> dict[str, Any]: ...


def ends_of(state: Any) -> Ends:
    """What the broker has said of a partition's ends; one that knows of no transactions says only the last."""
    stable = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
    return Ends(stable, state.highwater)


def dated(fetch: Callable[..., Awaitable[Any]], asked: dict[TP, float]) -> Callable[..., Awaitable[Any]]:
    """Note when (monotonic, s) the broker was asked for what it answered, by partition.

    An answer may have lain with a process that stood still; what it says is as old as the question at most.
    """

    async def fetched(assignment: Any, node: int, request: Any) -> Any:
        at = time.monotonic()
        states = {TP(one.topic, one.partition): assignment.state_value(one) for one in assignment.tps}
        before = {tp: state.timestamp for tp, state in states.items() if state is not None}
        found = await fetch(assignment, node, request)
        asked.update({tp: at for tp, then in before.items() if states[tp].timestamp != then})
        return found

    return fetched


class ChunkThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to the broker."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:  # noqa: ARG002 - Faust's signature
        conf, reading = self.app.conf, cast(ChunkConsumer, self.consumer).reading
        self._assignor = cast(Any, new_assignor())
        return aiokafka.AIOKafkaConsumer(
            **reading.client(),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=reading.fetched_at_once,
            fetch_max_wait_ms=25,  # a drained partition must be known to be so soon, and still to be so
            fetch_min_bytes=FETCH_BYTES,
            metadata_max_age_ms=METADATA_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
        )

    async def on_start(self) -> None:
        """The consumer begins to fetch."""
        await super().on_start()
        consumer = cast(ChunkConsumer, self.consumer)
        fetcher = in_columns(self._ensure_consumer(), consumer.reading.fetched_at_once)
        fetcher._proc_fetch_request = dated(fetcher._proc_fetch_request, consumer.asked)  # noqa: SLF001

    async def owns(self, generation: int) -> bool:
        """Whether the group is still of this generation, which we belong to; asked until the broker says so or not.

        Raises KafkaError for what the broker refuses.
        """
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 - the client asks it for itself alone
        while coordinator.generation == generation:
            asked = HeartbeatRequest(coordinator.group_id, generation, coordinator.member_id)
            try:
                found = for_code((await coordinator._send_req(asked)).error_code)  # noqa: SLF001
            except KafkaError as error:
                found = type(error)
            if found in {NoError, RebalanceInProgressError}:
                return True
            if found in OVER:
                return False
            if not found.retriable:
                raise found(f"group {coordinator.group_id}")
            await asyncio.sleep(ASK_SECONDS)
        return False

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's guess from acknowledgements, which say nothing here; the worker has a watchdog of its own."""


class ChunkConsumer(driver.Consumer):
    """A consumer whose messages are chunks."""

    gather_seconds = 0.0
    """How long the next poll waits for more."""

    @property
    def reading(self) -> Reading:
        """Who owns the partitions."""
        return cast(Reading, self.app.reading)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.asked: dict[TP, float] = {}  # when the broker was asked for what is known of a partition's end
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        wanted = {tp for tp in active_partitions or () if self.reading.has_room(tp.topic, tp.partition)}
        if not wanted:
            await asyncio.sleep(POLL_SECONDS / 5)
            return {}
        return await super()._getmany(wanted, min(timeout, POLL_SECONDS))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for each piece of a partition that a fetch brought."""
        await asyncio.sleep(self.gather_seconds)
        if not self.flow_active:  # what is read from here on is of the assignment that is valid then
            await self.wait(self.can_resume_flow)
        generation = self.app.consumer_generation_id
        found, _ = await self._wait_next_records(timeout)
        pieces: list[tuple[TP, Given]] = [(tp, piece) for tp, some in (found or {}).items() for piece in some]
        self.gather_seconds = GATHER_SECONDS if sum(piece.records.count for _, piece in pieces) < FEW else 0.0
        if self.should_stop or not self.flow_active or self.app.consumer_generation_id != generation:
            return
        for tp, piece in pieces:
            self.reading.handed(tp.topic, tp.partition, piece)
        self._note_ends()
        for tp, piece in pieces:
            yield tp, self._to_message(tp, piece)

    def _to_message(self, tp: TP, piece: Any) -> ConsumerMessage:
        """Of a whole piece, which is its value; its offset is the last that it covers."""
        return ConsumerMessage(
            tp.topic, tp.partition, piece.until - 1, 0.0, CREATED, (), None, piece, None, tp=tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def _note_ends(self) -> None:
        for tp, state in self._states().items():
            at = self.asked.get(tp, LONG_AGO)  # looked at before the end, which is no older
            position = state.position if state.has_valid_position else None
            self.reading.read_up_to(tp.topic, tp.partition, position, ends_of(state), at)

    def _states(self) -> dict[TP, Any]:
        consumer = self._thread._ensure_consumer()  # noqa: SLF001 - what the fetcher knows is told nowhere else
        assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment  # noqa: SLF001
        tps = assignment.tps if assignment is not None else ()
        states = {TP(tp.topic, tp.partition): assignment.state_value(TopicPartition(*tp)) for tp in tps}
        return {tp: state for tp, state in states.items() if state is not None}

    async def owns(self, generation: int) -> bool:
        """Whether what was assigned in a generation of the group is still ours. Raises KafkaError."""
        thread = self._thread
        return bool(await thread.call_thread(thread.owns, generation))

    async def perform_seek(self) -> None:
        """Where to read from is what the checkpoints say, and the committed offset for what has none."""
        await super().perform_seek()
        positions = await self.reading.assigned(set(self.assignment()), self.app.consumer_generation_id)
        if not positions:
            return
        first = await self.earliest_offsets(*positions)
        for tp, offset in positions.items():
            if first[tp] > offset:
                self.reading.deleted(tp.topic, tp.partition, first[tp])
        await self._thread.seek_wait({tp: max(offset, first[tp]) for tp, offset in positions.items()})

    async def _seek(self, partition: TP, offset: int) -> None:
        """In the thread that reads, and between two fetches: what it decodes meanwhile would take the seek back."""
        await self._thread.seek_wait({partition: offset})

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A chunk's offset is its last record's: what lies between two of them was not left out."""

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.reading.durable(tp.topic, tp.partition)


class ChunkTransport(driver.Transport):
    """Faust's transport over `ChunkConsumer`."""

    Consumer = ChunkConsumer
