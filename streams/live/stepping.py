"""The loop that applies what has come, one partition after another, and sends out what comes of it.

The engine works in a thread of its own, so that heartbeats, delivery and `/metrics` go on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

import msgspec
import structlog
from aiokafka import AIOKafkaProducer

from sinks.metrics import Metrics
from streams import clock
from streams.live.checkpoints import Checkpoints
from streams.live.delivery import Message, made_known
from streams.live.holdings import Holdings
from streams.live.journal import Tick
from streams.live.lane import Lane
from streams.live.measuring import count_output
from streams.live.output import Output
from streams.live.population import Population
from streams.live.reloading import LiveRules
from streams.live.tenancy import Tenancy
from streams.live.topics import TICKS

IDLE_SECONDS: Final = 0.02
GATHER_SECONDS: Final = 0.03
FEW: Final = 4_000
"""Events of one round over the partitions below which the next one waits for more: a step has its cost, however small."""
TICK_SECONDS: Final = 1.0
R = TypeVar("R")
log = structlog.get_logger()


class Stepping:
    """Of one worker. `engine_thread` does what the engines do; `share_wait`: seconds until a partition goes on without what
    others have to tell.
    """

    def __init__(
        self,
        holdings: Holdings,
        population: Population,
        checkpoints: Checkpoints,
        rules: LiveRules,
        producer: AIOKafkaProducer,
        metrics: Metrics,
        engine_thread: Executor,
        share_wait: float,
    ) -> None:
        self.holdings, self.population, self.checkpoints = holdings, population, checkpoints
        self.rules, self.producer, self.metrics = rules, producer, metrics
        self.engine_thread, self.share_wait = engine_thread, share_wait
        self.applied = 0  # events since the start

    async def run(self) -> None:
        """Until cancelled; raises what ends a worker."""
        loop = asyncio.get_running_loop()
        while True:
            self.holdings.arrived.clear()
            begun, before = loop.time(), self.applied
            if not await self._round():
                try:
                    await asyncio.wait_for(self.holdings.arrived.wait(), IDLE_SECONDS)
                except TimeoutError:
                    continue
            elif self.applied - before < FEW:
                await asyncio.sleep(begun + GATHER_SECONDS - loop.time())

    async def _round(self) -> bool:
        """A step of every partition that has something to do; whether any had."""
        holdings, progressed = self.holdings, False
        async with holdings.busy:
            if not holdings.paused:
                self.population.hand_on()
        for partition in list(holdings.tenancies):
            async with holdings.busy:
                tenancy = holdings.tenancies.get(partition)
                if tenancy is not None and not holdings.paused and tenancy.outbox.has_room:
                    progressed |= await self._step(tenancy)
        return progressed

    async def _step(self, tenancy: Tenancy) -> bool:
        """Whether it came to anything."""
        progressed = False
        if not await self._rules_loaded(tenancy):
            return False
        if tenancy.lane.busy():
            output = await self._in_thread(tenancy.lane.work, time.monotonic(), clock.now())
            if output is not None:
                progressed = True
                self._went(tenancy, output)
        progressed |= await self._pass_time(tenancy)
        statement = tenancy.say()
        if statement is not None:
            self.holdings.heard(statement)  # our own partitions need not wait for the broker
        await self.checkpoints.look(tenancy)
        return progressed

    def _in_thread(self, work: Callable[..., R], *given: Any) -> asyncio.Future[R]:
        return asyncio.get_running_loop().run_in_executor(self.engine_thread, work, *given)

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
        return await self._in_thread(lane.apply_tick, offset, tick, clock.now())

    def _broker_is_away(self, away: bool) -> None:
        self.holdings.away = away

    def _went(self, tenancy: Tenancy, output: Output) -> None:
        self.holdings.moved()
        self.applied += output.applied
        tenancy.send(output)
        count_output(self.metrics, tenancy.lane.partition, output, time.monotonic())
        self.rules.alarmed(tenancy.lane.partition, output.alarms)

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

    def _impatient(self, tenancy: Tenancy) -> None:
        """A partition that nobody works on must not hold the others up for good; called once a second between two steps."""
        missing = tenancy.held_longer(time.monotonic())
        if missing and tenancy.held_seconds > self.share_wait:
            tenancy.lane.exchange.go_without(missing)
            partition = tenancy.lane.partition
            log.error("going on without what other partitions have to tell", partition=partition, missing=[*missing])
