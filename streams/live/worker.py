"""`churn run`: Faust agents bring chunks of records to the partitions' lanes; one loop applies them.

The engine works in a thread of its own, one lane at a time, so that heartbeats, delivery and `/metrics` go on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import faust
import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy
from faust.types import TP
from yarl import URL

from rules.settings import Settings
from sinks.metrics import Metrics
from streams import clock
from streams.live.ahead import MEGABYTE, fetched_at_once, share_of
from streams.live.care import CareQueues
from streams.live.checkpoints import Checkpoints
from streams.live.delivery import Message, Parcel, made_known
from streams.live.exchange import Statement
from streams.live.journal import Tick
from streams.live.lane import Lane
from streams.live.measuring import count_applied, show_from_the_start, show_partitions
from streams.live.output import Output
from streams.live.pieces import Given
from streams.live.population import Population
from streams.live.reloading import Build, LiveRules
from streams.live.settings import LiveSettings
from streams.live.taking_over import LostError, Means, open_tenancies, outlived
from streams.live.tenancy import Tenancy
from streams.live.topics import EVENTS, TICKS, check_grown
from streams.live.transactions import Ends
from streams.live.transport import ChunkTransport
from streams.problems import OutsideError

IDLE_SECONDS: Final = 0.02
GATHER_SECONDS: Final = 0.03
FEW: Final = 4_000
"""Events of one round over the partitions below which the next one waits for more: a step has its cost, however small."""
TICK_SECONDS: Final = 1.0
log = structlog.get_logger()


class Boot(BootStrategy):
    """Faust's services without its web server, which would listen on every interface."""

    enable_web = False
    enable_kafka_producer = False  # ours is idempotent, and knows the security settings


class App(faust.App):
    """A Faust app that reads chunks. `reading` is the worker."""

    BootStrategy = Boot
    reading: Any = None

    def _new_transport(self) -> Any:
        return ChunkTransport(self.conf.broker_consumer, self)


class Worker:
    """One process of `churn run`. `count`: partitions of every topic; `build` makes an engine."""

    def __init__(
        self, settings: LiveSettings, count: int, build: Build, metrics: Metrics, configuration: Settings
    ) -> None:
        self.settings, self.count, self.metrics = settings, count, metrics
        self.tenancies: dict[int, Tenancy] = {}
        self.generation = -1
        self.busy = asyncio.Lock()
        self.arrived = asyncio.Event()
        self.population = Population(settings.reader(), self.heard, self.arrived.set)
        self.engine_thread = ThreadPoolExecutor(1, "engine")
        self.checkpoints = Checkpoints(
            settings, metrics, self.tenancies, self.engine_thread, lambda: self.population.offset
        )
        self.moved_at = time.monotonic()
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self.paused = False
        self.stopping = False  # what was not saved by then is not saved: a step may be lost from here on
        self.away = False  # the broker, when it was last told of a tick
        self.applied = 0  # events since the start
        self.seeking: asyncio.Task[None] | None = None  # kept, or it would be lost on its way
        self.producer = AIOKafkaProducer(
            **settings.client(), acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=1 << 18
        )
        self.rules = LiveRules(settings, build, self.producer, metrics)
        self.means = Means(
            settings,
            count,
            self.rules,
            self.producer,
            self.delivered,
            int(configuration.utc_offset),
            ThreadPoolExecutor(4, "publish"),
            self.owns,
            metrics,
        )
        self.care = CareQueues(settings, configuration.tiers, self.producer, metrics)
        show_from_the_start(metrics, configuration.tiers)
        self.app = self._app()

    def client(self) -> dict[str, Any]:
        """How the transport opens its consumer."""
        return self.settings.reader()

    def _app(self) -> App:
        settings = self.settings
        first = settings.kafka_bootstrap.split(",")
        app = App(
            settings.kafka_group,
            broker=[URL(f"kafka://{server.strip()}") for server in first],
            store="memory://",
            topic_allow_declare=False,
            topic_disable_leader=True,
            broker_session_timeout=settings.kafka_session,
            broker_heartbeat_interval=settings.kafka_session / 5,
            broker_rebalance_timeout=settings.kafka_rebalance,
            broker_request_timeout=max(90.0, settings.kafka_session + 1),
            broker_commit_interval=1.0,
            broker_commit_every=1 << 60,
            stream_wait_empty=False,
            stream_buffer_maxsize=64,
            stream_recovery_delay=0.0,
            table_standby_replicas=0,
            key_serializer="raw",
            value_serializer="raw",
            broker_credentials=None,
            autodiscover=False,
        )
        app.reading = self
        for topic in EVENTS:
            app.agent(app.topic(topic, value_type=bytes, key_type=bytes), name=topic, concurrency=1)(self._agent(topic))
        app.on_partitions_revoked.connect(self.revoked)
        app.on_partitions_assigned.connect(self.left_without)
        return app

    def _agent(self, topic: str) -> Callable[[Any], Any]:
        async def agent(stream: Any) -> None:
            async for event in stream.events():
                tenancy = self.tenancies.get(event.message.partition)
                if tenancy is None:
                    continue
                if not tenancy.accept(topic, event.message.value):
                    await self._read_again(topic, tenancy)
                self.arrived.set()

        return agent

    async def _read_again(self, topic: str, tenancy: Tenancy) -> None:
        """Records were lost on the way here: back to where the lane is."""
        where, offset = TP(topic, tenancy.lane.partition), tenancy.lane.received[topic]
        log.warning(
            "reading again from where records are missing", topic=topic, partition=where.partition, offset=offset
        )
        with suppress(KafkaError):  # not ours any more: whoever has it now knows where to read
            first = (await self.app.consumer.earliest_offsets(where))[where]
            if first > offset:
                self.deleted(topic, where.partition, first)
            await self.app.consumer.seek(where, max(first, offset))

    # --- what the transport asks

    def has_room(self, topic: str, partition: int) -> bool:
        """Whether more of this partition should be read."""
        tenancy = self.tenancies.get(partition)
        share = share_of(self.settings.read_ahead * MEGABYTE, len(self.tenancies), self.fetched_at_once)
        return tenancy is not None and tenancy.has_room(topic, share)

    @property
    def fetched_at_once(self) -> int:
        """Bytes that a fetch brings, and a poll gives, of one partition of one topic."""
        return fetched_at_once(self.settings.read_ahead * MEGABYTE, self.count)

    def handed(self, topic: str, partition: int, piece: Given) -> None:
        """A piece is on its way to an agent."""
        if partition in self.tenancies:
            self.tenancies[partition].hand(topic, piece)

    def read_up_to(self, topic: str, partition: int, position: int | None, ends: Ends, at: float) -> None:
        """How far this partition was read (None: not known yet), and how far it went at a time (monotonic, s)."""
        tenancy = self.tenancies.get(partition)
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
        tenancy = self.tenancies.get(partition)
        return tenancy.kept.durable.positions.get(topic) if tenancy is not None else None

    def deleted(self, topic: str, partition: int, before: int) -> None:
        """The broker has deleted what was never read; there is nothing to be done but to say so."""
        lane = self.tenancies[partition].lane
        log.error("records were deleted before they were read", topic=topic, partition=partition,
                  first=lane.received[topic], before=before)  # fmt: skip
        lane.cover(topic, before)

    async def revoked(self, _app: Any, _revoked: set[TP], **_: Any) -> None:
        """All partitions are given up, most to come back: save them for whoever gets them."""
        async with self.busy:
            self.paused = True
            if self.stopping or self.failure is not None:  # a step may have been lost, or failed in its middle
                return
            try:
                await asyncio.wait_for(self.checkpoints.save_all(), self.settings.kafka_rebalance / 2)
            except TimeoutError:  # whoever gets them reads a little more again
                log.warning("partitions are given up without a checkpoint of this moment")

    async def left_without(self, app: Any, assigned: set[TP], **_: Any) -> None:
        """With more workers than partitions some have none; Faust asks them for nothing then."""
        if not assigned:
            await self.assigned(assigned, app.consumer_generation_id)

    async def owns(self, generation: int) -> bool:
        """Whether what was assigned in a generation of the group is still ours."""
        return bool(await self.app.consumer.owns(generation))

    async def assigned(self, assignment: set[TP], generation: int) -> dict[TP, int]:
        """Take over the partitions of an assignment; gives where to read from."""
        if self.stopping:
            return {}
        try:
            return await self._assigned(assignment, generation)
        except LostError as error:  # the group lets us know, and assigns anew
            log.warning("partitions were lost while they were taken over", error=str(error))
            return {}
        except Exception as error:
            self.fail(error)
            raise

    async def _assigned(self, assignment: set[TP], generation: int) -> dict[TP, int]:
        lanes = {tp.partition for tp in assignment}
        log.info("partitions assigned", partitions=sorted(lanes), generation=generation)
        check_grown(assignment, self.count)
        async with self.busy:
            self.paused = True  # nobody hears anything before all can
            nobody_between = generation in {self.generation, self.generation + 1}
            gone = await outlived(self.tenancies)
            for partition in list(self.tenancies):
                if partition not in lanes or partition in gone or not nobody_between:
                    await self.tenancies.pop(partition).close()
            opened = await open_tenancies(lanes - self.tenancies.keys(), generation, self.means)
            for tenancy in opened.values():
                self.metrics.checkpoint_failures.labels("read").inc(tenancy.unreadable)
            everybody = [*self.tenancies.values(), *opened.values()]
            if everybody:
                await self.population.read_from(min(one.kept.durable.population for one in everybody))
            # Not before: they would hear what is said now, and miss what was said since their checkpoints.
            self.tenancies.update(opened)
            self.generation, self.paused = generation, self.stopping
            for tenancy in self.tenancies.values():
                tenancy.read_anew()
            self.moved_at = time.monotonic()
            return {tp: self.tenancies[tp.partition].lane.received[tp.topic] for tp in assignment}

    def alive(self) -> str:
        """What is wrong, or nothing."""
        return str(self.failure) if self.failure is not None else ""

    def ready(self) -> str:
        """Why no events are worked on yet, or nothing."""
        if self.generation < 0:
            return "no partitions assigned yet"
        return "partitions are being handed over" if self.paused else self.alive()

    # --- the loop

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then end in order; raises what ended it otherwise."""
        await self.producer.start()
        await self.rules.start()
        await self.app.start()
        log.info("worker started", group=self.settings.kafka_group, partitions=self.count)
        pump, *tasks = (
            asyncio.create_task(self._watched(one()))
            for one in (self._pump, self._watch, self.population.run, self.care.run, self.rules.run, self.rules.able)
        )
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self.ended.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self.failure is not None:
            raise self.failure
        log.info("worker stopping", partitions=len(self.tenancies))
        await self._save_before_the_end(pump)
        for task in (pump, *tasks, *waiting):
            task.cancel()
        try:
            await asyncio.wait_for(self._leave(), self.settings.stop_within / 2)
        except (TimeoutError, KafkaError) as error:  # the group finds out by itself
            log.warning("ended without a word to the broker", error=repr(error))
        log.info("worker stopped")

    async def _leave(self) -> None:
        await self.app.stop()
        for tenancy in self.tenancies.values():
            await tenancy.close()
        await self.rules.board.stop()
        await self.producer.stop()

    async def _save_before_the_end(self, pump: asyncio.Task[None]) -> None:
        """Leave as much as can be; whoever comes next reads the rest again. From here on nobody works on any partition.

        Raises what has ended a step meanwhile: what it left, maybe in its middle, is not saved.
        """
        try:
            async with asyncio.timeout(self.settings.stop_within / 2), self.busy:
                self.paused = self.stopping = True
                pump.cancel()  # it waits for us, or for events: no step is under way; it may miss it (asyncio.wait_for)
                if self.failure is None:
                    await self.checkpoints.save_all(last=True)
            if self.failure is None:
                await self.app.consumer.commit()
                log.info("partitions saved")
        except (TimeoutError, KafkaError) as error:
            self.stopping = True
            log.warning("stopping without a checkpoint of this moment", error=repr(error))
        if self.failure is not None:
            raise self.failure

    async def _watched(self, work: Any) -> None:
        try:
            await work
        except Exception as error:
            self.fail(error)
            raise

    def fail(self, error: BaseException) -> None:
        """Something that must not be gone on after: the worker ends, and nothing more is committed."""
        self.failure = self.failure or error
        self.ended.set()

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.arrived.clear()
            progressed, begun, before = False, loop.time(), self.applied
            async with self.busy:
                if not self.paused:
                    self.population.hand_on()
            for partition in list(self.tenancies):
                async with self.busy:
                    tenancy = self.tenancies.get(partition)
                    if tenancy is None or self.paused or not tenancy.outbox.has_room:
                        continue
                    if not await self._rules_loaded(tenancy):
                        continue
                    if tenancy.lane.busy():
                        output = await loop.run_in_executor(
                            self.engine_thread, tenancy.lane.work, time.monotonic(), clock.now()
                        )
                        if output is not None:
                            progressed = True
                            self._went(tenancy, output)
                    progressed |= await self._pass_time(tenancy)
                    self._tell(tenancy)
                    await self.checkpoints.look(tenancy)
            if not progressed:
                try:
                    await asyncio.wait_for(self.arrived.wait(), IDLE_SECONDS)
                except TimeoutError:
                    continue
            elif self.applied - before < FEW:
                await asyncio.sleep(begun + GATHER_SECONDS - loop.time())

    async def _rules_loaded(self, tenancy: Tenancy) -> bool:
        """Go over to the rules in force, where that is due; whether the partition has any to work by."""
        lane = tenancy.lane
        while (reload := self.rules.due(lane)) is not None:
            tick = lane.reloading(reload, clock.now())
            if tick is None:
                break
            self.rules.loaded(lane, (await self._recorded(lane, tick)).alarms)
        return bool(lane.rules or lane.known)

    async def _recorded(self, lane: Lane, tick: Tick) -> Output:
        """Make a tick known, then do what it says: whoever takes over does it again at the same place."""
        message = Message(TICKS, lane.partition, None, msgspec.json.encode(tick))
        offset = await made_known(self.producer, message, self._broker_is_away)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.engine_thread, lane.apply_tick, offset, tick, clock.now())

    def _broker_is_away(self, away: bool) -> None:
        self.away = away

    def _went(self, tenancy: Tenancy, output: Output) -> None:
        self.moved_at = time.monotonic()
        self.applied += output.applied
        tenancy.send(output)
        self.metrics.duplicates.inc(output.duplicates)
        for letter in output.dead:
            self.metrics.dead_letters.labels(letter.reason).inc()
        self.rules.alarmed(tenancy.lane.partition, output.alarms)
        for decision in output.shadow:
            for rule in decision.rules[:1] if decision.revision == 1 else ():
                self.metrics.shadow.labels(rule.id).inc()
        for decision in output.decisions:
            self.metrics.decisions.labels(decision.tier, decision.status).inc()
        count_applied(self.metrics, output)
        if output.came is not None:
            self.metrics.batch_seconds.observe(time.monotonic() - output.came)
        if output.misplaced:
            log.error("records in a partition their key does not belong in", partition=tenancy.lane.partition,
                      records=output.misplaced)  # fmt: skip

    def delivered(self, parcel: Parcel) -> None:
        """A parcel arrived."""
        if parcel.came is not None:
            self.metrics.delivery_seconds.observe(time.monotonic() - parcel.came)

    async def _pass_time(self, tenancy: Tenancy) -> bool:
        """Take over what was found for all, or let the clock of a partition without events go on; whether there was any of it."""
        now = time.monotonic()
        patient = now - tenancy.ticked_at >= TICK_SECONDS
        if patient:
            tenancy.ticked_at = now
            self._impatient(tenancy)
        tick = tenancy.lane.obeying(now, clock.now()) or tenancy.lane.tick(now, clock.now(), patient)
        if tick is None:
            return False
        self._went(tenancy, await self._recorded(tenancy.lane, tick))
        return True

    def heard(self, statement: Statement, offset: int | None = None) -> None:
        """What a partition said, to all of ours, with its offset where the topic brought it; between two steps of the engine."""
        for tenancy in self.tenancies.values():
            tenancy.lane.hear(statement, time.monotonic())
            if offset is not None:
                tenancy.lane.overhear(statement, offset)
        self.arrived.set()

    def _tell(self, tenancy: Tenancy) -> None:
        statement = tenancy.say()
        if statement is not None:
            self.heard(statement)  # our own partitions need not wait for the broker

    async def _watch(self) -> None:
        """Lag for Prometheus; a worker that stands still while there is work to do ends itself."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self.app.crashed:  # Faust goes on without what died, and reads nothing more
                raise OutsideError(f"a service of Faust died: {self.app.crash_reason!r}")
            self.rules.show(tenancy.lane for tenancy in self.tenancies.values())
            waiting = show_partitions(self.metrics, self.tenancies)
            for tenancy in self.tenancies.values():
                waiting += tenancy.outbox.backlog
            away = self.away or any(tenancy.outbox.away for tenancy in self.tenancies.values())
            if away or (not waiting and not self.paused):
                self.moved_at = time.monotonic()  # nothing to do, or nobody to tell, is no standstill
            still = time.monotonic() - self.moved_at
            if still > self.settings.stalled_after:
                self._say_where_it_stands()
                raise TimeoutError(f"{waiting} records wait and nothing was applied for {still:.0f} s")

    def _say_where_it_stands(self) -> None:
        """What someone who has to find out why will ask."""
        for partition, tenancy in self.tenancies.items():
            log.error(
                "stalled",
                partition=partition,
                paused=self.paused,
                locked=self.busy.locked(),
                flowing=bool(self.app.consumer.flow_active),
                backlog=tenancy.outbox.backlog,
                writing=tenancy.kept.writing is not None,
                handed=tenancy.handed,
                ends=tenancy.ends,
                received=tenancy.lane.received,
                ticks=len(tenancy.lane.known),
                held=tenancy.held,
            )

    def _impatient(self, tenancy: Tenancy) -> None:
        """A partition that nobody works on must not hold the others up for good; called once a second between two steps."""
        missing = tenancy.held_longer(time.monotonic())
        if missing and tenancy.held_seconds > self.settings.share_wait:
            tenancy.lane.exchange.go_without(missing)
            partition = tenancy.lane.partition
            log.error("going on without what other partitions have to tell", partition=partition, missing=[*missing])
