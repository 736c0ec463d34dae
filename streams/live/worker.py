"""`churn run`: Faust agents bring chunks of records to the partitions (`assignments`); one loop applies them (`stepping`)."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

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
from streams.live.reaching import Reaching
from streams.live.reloading import Build, LiveRules
from streams.live.settings import LiveSettings
from streams.live.stepping import Stepping
from streams.live.taking_over import Means
from streams.live.watchdog import Watchdog

STEP_SECONDS: Final = 2.0
"""More than a step takes that waits for nobody."""
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
        self.reaching = Reaching(self._any_broker_answers, settings.kafka_bootstrap)
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
        self.watchdog = Watchdog(self.app, holdings, self.rules, self.reaching, metrics, settings.stalled_after)
        show_from_the_start(metrics)

    def delivered(self, parcel: Parcel) -> None:
        """A parcel arrived."""
        if parcel.came is not None:
            self.metrics.delivery_seconds.observe(time.monotonic() - parcel.came)

    async def _any_broker_answers(self) -> bool:
        return bool(await self.producer.client.force_metadata_update())

    def alive(self) -> str:
        """What is wrong, or nothing."""
        return str(self.holdings.failure) if self.holdings.failure is not None else ""

    def ready(self) -> str:
        """Why no events are worked on yet, or nothing."""
        return self.assignments.ready() or self.alive()

    async def know(self) -> None:
        """What has to be known before the group is joined; until then there is nothing to end in order."""
        await self.producer.start()
        await self.rules.start()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then end in order; raises what ended it otherwise."""
        tiers = self.rules.tiers()
        self.metrics.show_open(dict.fromkeys(tiers, 0))
        care = CareQueues(self.settings, tiers, self.producer, self.metrics)
        work = (
            self.stepping.run, self.join, self.watchdog.run, self.population.run, care.run, self.rules.run,
            self.reaching.run,
        )  # fmt: skip
        stepping, *tasks = (asyncio.create_task(self.holdings.watched(one())) for one in work)
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self.holdings.ended.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()
        log.info("worker stopping", partitions=len(self.holdings.tenancies))
        await self.reaching.look(self.settings.stop_within / 8)
        await self.save_before_the_end(stepping)
        for task in (stepping, *tasks, *waiting):
            task.cancel()
        await self._leave()
        log.info("worker stopped")

    async def join(self) -> None:
        """Join the group: over once its first partitions are taken over."""
        await self.app.start()
        log.info("worker started", group=self.settings.kafka_group, partitions=self.count)

    async def save_before_the_end(self, stepping: asyncio.Task[None]) -> None:
        """Leave as much as can be; whoever comes next reads the rest again. From here on nobody works on any partition.

        Raises what has ended a step meanwhile: what it left, maybe in its middle, is not saved.
        """
        holdings, within, away = self.holdings, self.settings.stop_within / 2, self.reaching.away
        now = asyncio.get_running_loop().time
        try:
            # Away: a step that does not end soon waits for the broker, with a tick.
            async with asyncio.timeout(min(within, STEP_SECONDS) if away else within) as patience, holdings.busy:
                patience.reschedule(now() + within)
                holdings.paused = holdings.stopping = True
                stepping.cancel()  # it waits for us, or for events: no step is under way; it may miss it (asyncio.wait_for)
                if holdings.failure is None:
                    await self.checkpoints.save_all(last=True, delivering=not away)
            if holdings.failure is None:
                await self._commit()
                log.info("partitions saved")
        except (TimeoutError, KafkaError) as error:
            holdings.stopping = True
            log.warning("stopping without a checkpoint of this moment", error=repr(error))
        self._raise_failure()

    async def _commit(self) -> None:
        """Tell the group how far the checkpoints are, which is for who looks at its lag: workers go by the checkpoints."""
        if self.reaching.away:
            return
        try:
            await asyncio.wait_for(self.app.consumer.commit(), self.settings.stop_within / 8)
        except (TimeoutError, KafkaError) as error:
            log.warning("ending without the offsets of this moment", error=repr(error))

    def _raise_failure(self) -> None:
        if self.holdings.failure is not None:
            raise self.holdings.failure

    async def _leave(self) -> None:
        """The group, if anybody hears it; it finds out by itself otherwise."""
        try:
            async with asyncio.timeout(self.settings.stop_within / 4):
                if not self.reaching.away:
                    await self.app.stop()
                for tenancy in self.holdings.tenancies.values():
                    await tenancy.close()
                if not self.reaching.away:  # what is not sent yet would be waited for
                    await self.rules.board.stop()
                    await self.producer.stop()
                    return
            log.warning("ended without a word to the broker", error="it cannot be reached")
        except (TimeoutError, KafkaError) as error:
            log.warning("ended without a word to the broker", error=repr(error))
