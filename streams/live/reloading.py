"""The rules of a running worker: from the topic to each partition, at a place of its input that is written down first."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from engine.guarding import Alarm
from sinks.metrics import Metrics
from streams.live.board import Board
from streams.live.bundle import Files, Order
from streams.live.folder import Folder
from streams.live.journal import Covered, Reload, Tick
from streams.live.lane import Lane
from streams.live.library import Library, Make, Read, RefusedError, due, first_rules
from streams.live.settings import LiveSettings

LOOK_SECONDS: Final = 0.3
log = structlog.get_logger()


class Build(NamedTuple):
    """How configurations are read and engines made (see Library), and the mounted folder, which `accept` judges (see Folder);
    `able` raises what is wrong with what engines are made of, once that is known.
    """

    folder: Path
    read: Read
    accept: Read
    make: Make
    able: Callable[[], object] = bool


class LiveRules:
    """One worker's part."""

    def __init__(self, settings: LiveSettings, build: Build, producer: AIOKafkaProducer, metrics: Metrics) -> None:
        self.settings, self.producer, self.metrics = settings, producer, metrics
        self.library = Library(build.read, build.make)
        self.board = Board(settings.reader(), self.library, self.refused)
        self.folder = Folder(build.folder, self.board, self._give, self.refused, build.accept)
        metrics.folder_refused.set_function(lambda: float(bool(self.folder.wrong)))
        self.awake_at = time.monotonic()
        self.doubtful_until = 0.0

    async def start(self) -> None:
        """Know what is in force before any partition is taken. Raises RefusedError, KafkaError."""
        await self.board.catch_up()
        await self.folder.first()
        self.awake_at = time.monotonic()

    def tiers(self) -> Sequence[str]:
        """Those of the rules in force, mildest first; any rules that come later have the same (once started)."""
        return self.library.configuration(self.board.current).settings.tiers

    async def run(self) -> None:
        """Follow the topic and the folder until cancelled."""
        await asyncio.gather(self._follow(), self._stay_awake(), self.folder.run())

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.board.catch_up()
            except KafkaError as error:
                log.warning("the topic of rules cannot be read", error=repr(error))

    async def _stay_awake(self) -> None:
        """A process that was stopped for long may have lost its partitions, and hears of it within a session: until then it
        loads no rules, which the new owner would not.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now, session = time.monotonic(), self.settings.kafka_session
            if now - self.awake_at > session / 2:
                self.doubtful_until = now + 1.5 * session
            self.awake_at = now

    async def _give(self, files: Files, order: Order) -> None:
        await self.board.give(self.producer, files, order)

    def reread(self) -> None:
        """Look into the folder now."""
        self.folder.asked.set()

    def refused(self, error: RefusedError, order: Order | None) -> None:
        """A rule set that is not worked by: what was in force stays."""
        self.metrics.rules_refused.labels(error.why).inc()
        by = {} if order is None else {"bundle": order.bundle[:12], "by": order.by}
        log.error("rules refused, those in force stay", why=error.why, error=str(error), **by)

    async def engine(self, covered: Covered, ticks: Sequence[tuple[int, Tick]], saved: dict[str, Any] | None) -> Any:
        """The engine that a partition goes on with: by the rules of its checkpoint, else those it began by."""
        digest = first_rules(covered, ticks)
        needed = {digest, *(tick.reload.rules for _, tick in ticks if tick.reload is not None)} - {""}
        if not needed <= self.library.bundles.keys():
            await self.board.catch_up()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self.library.engine, digest or self.board.current, saved)

    def due(self, lane: Lane) -> Reload | None:
        """The next order of a partition."""
        if time.monotonic() < self.doubtful_until:
            return None
        return next(iter(due(self.board.orders, lane.order)), None)

    def loaded(self, lane: Lane, alarms: Iterable[Alarm]) -> None:
        """A partition goes by other rules now."""
        self.metrics.rules_reloaded.set_to_current_time()
        log.info("rules loaded", partition=lane.partition, bundle=lane.rules[:12], order=lane.order)
        self.alarmed(lane.partition, alarms)

    def alarmed(self, partition: int, alarms: Iterable[Alarm]) -> None:
        """The guard has begun to hold rules."""
        for alarm in alarms:
            self.metrics.guard_alarms.labels(alarm.rule).inc()
            log.error("rule held by the guard", partition=partition, rule=alarm.rule, why=alarm.why, share=alarm.share,
                      customers=alarm.customers, hint=f"churn rules release {alarm.rule}", said=str(alarm))  # fmt: skip

    def show(self, lanes: Iterable[Lane]) -> None:
        """Which rules are held, and in how many of our partitions."""
        engines: list[Any] = [lane.engine for lane in lanes]
        held = Counter(rule for engine in engines for rule in engine.held)
        self.metrics.rules_held.clear()
        for rule, partitions in held.items():
            self.metrics.rules_held.labels(rule).set(partitions)
