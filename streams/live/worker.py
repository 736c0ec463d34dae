"""`churn run`: Faust agents bring chunks of records to the partitions (`assignments`); one loop applies them (`stepping`)."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sinks.metrics import Metrics
from streams.live.assignments import Assignments
from streams.live.care import CareQueues
from streams.live.checkpoints import Checkpoints
from streams.live.delivery import Parcel
from streams.live.faust_app import app_of
from streams.live.holdings import Holdings
from streams.live.measuring import show_from_the_start
from streams.live.population import Population
from streams.live.reloading import Build, LiveRules
from streams.live.settings import LiveSettings
from streams.live.stepping import Stepping
from streams.live.taking_over import Means
from streams.live.watchdog import Watchdog

log = structlog.get_logger()


class Worker:
    """One process of `churn run`. `count`: partitions of every topic; `build` makes an engine."""

    def __init__(self, settings: LiveSettings, count: int, build: Build, metrics: Metrics) -> None:
        self.settings, self.count, self.metrics = settings, count, metrics
        self.holdings = holdings = Holdings()
        self.producer = AIOKafkaProducer(
            **settings.client(), acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=1 << 18
        )
        self.rules = LiveRules(settings, build, self.producer, metrics)
        self.population = Population(settings.reader(), holdings.heard, holdings.arrived.set)
        engine_thread, publisher = ThreadPoolExecutor(1, "engine"), ThreadPoolExecutor(4, "publish")
        self.checkpoints = Checkpoints(
            settings, metrics, holdings.tenancies, engine_thread, lambda: self.population.offset
        )
        self.app = app_of(settings)
        means = Means(settings, count, self.rules, self.producer, self.delivered, publisher, self.app.owns, metrics)
        self.assignments = Assignments(self.app, holdings, means, self.population, self.checkpoints)
        self.stepping = Stepping(
            holdings, self.population, self.checkpoints, self.rules, self.producer, metrics, engine_thread,
            settings.share_wait,
        )  # fmt: skip
        self.watchdog = Watchdog(self.app, holdings, self.rules, metrics, settings.stalled_after)
        show_from_the_start(metrics)

    def delivered(self, parcel: Parcel) -> None:
        """A parcel arrived."""
        if parcel.came is not None:
            self.metrics.delivery_seconds.observe(time.monotonic() - parcel.came)

    def alive(self) -> str:
        """What is wrong, or nothing."""
        return str(self.holdings.failure) if self.holdings.failure is not None else ""

    def ready(self) -> str:
        """Why no events are worked on yet, or nothing."""
        return self.assignments.ready() or self.alive()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then end in order; raises what ended it otherwise."""
        await self.producer.start()
        await self.rules.start()
        tiers = self.rules.tiers()
        self.metrics.show_open(dict.fromkeys(tiers, 0))
        care = CareQueues(self.settings, tiers, self.producer, self.metrics)
        await self.app.start()
        log.info("worker started", group=self.settings.kafka_group, partitions=self.count)
        work = (
            self.stepping.run, self.watchdog.run, self.population.run, care.run, self.rules.run, self.rules.able,
        )  # fmt: skip
        stepping, *tasks = (asyncio.create_task(self.holdings.watched(one())) for one in work)
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self.holdings.ended.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()
        log.info("worker stopping", partitions=len(self.holdings.tenancies))
        await self.save_before_the_end(stepping)
        for task in (stepping, *tasks, *waiting):
            task.cancel()
        try:
            await asyncio.wait_for(self._leave(), self.settings.stop_within / 2)
        except (TimeoutError, KafkaError) as error:  # the group finds out by itself
            log.warning("ended without a word to the broker", error=repr(error))
        log.info("worker stopped")

    async def save_before_the_end(self, stepping: asyncio.Task[None]) -> None:
        """Leave as much as can be; whoever comes next reads the rest again. From here on nobody works on any partition.

        Raises what has ended a step meanwhile: what it left, maybe in its middle, is not saved.
        """
        holdings = self.holdings
        try:
            async with asyncio.timeout(self.settings.stop_within / 2), holdings.busy:
                holdings.paused = holdings.stopping = True
                stepping.cancel()  # it waits for us, or for events: no step is under way; it may miss it (asyncio.wait_for)
                if holdings.failure is None:
                    await self.checkpoints.save_all(last=True)
            if holdings.failure is None:
                await self.app.consumer.commit()
                log.info("partitions saved")
        except (TimeoutError, KafkaError) as error:
            holdings.stopping = True
            log.warning("stopping without a checkpoint of this moment", error=repr(error))
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self.holdings.failure is not None:
            raise self.holdings.failure

    async def _leave(self) -> None:
        await self.app.stop()
        for tenancy in self.holdings.tenancies.values():
            await tenancy.close()
        await self.rules.board.stop()
        await self.producer.stop()
