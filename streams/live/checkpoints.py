"""When a worker's partitions are saved: one at a time while it works, a few at once before it gives them up."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Final

import structlog

from sinks.metrics import Metrics
from streams.live.settings import LiveSettings
from streams.live.tenancy import Tenancy

MOST_AT_ONCE: Final = 2
"""Partitions whose state is copied at once, for each is in memory twice while it is written."""
LOOK_SECONDS: Final = 0.005
log = structlog.get_logger()


class Checkpoints:
    """`tenancies` are the worker's own; `population` gives the offset behind what was heard of others."""

    def __init__(
        self,
        settings: LiveSettings,
        metrics: Metrics,
        tenancies: Mapping[int, Tenancy],
        engine_thread: Executor,
        population: Callable[[], int],
    ) -> None:
        self.settings, self.metrics, self.tenancies = settings, metrics, tenancies
        self.engine_thread, self.population = engine_thread, population

    async def look(self, tenancy: Tenancy) -> None:
        """Begin one when it is time, finish the one that is written; between two steps of the engine."""
        kept = tenancy.kept
        if kept.writing is not None:
            self._see(tenancy)
            return
        others = self._hangs() or any(one.kept.going_on for one in self.tenancies.values())
        due = time.monotonic() - kept.saved_at >= self.settings.checkpoint_every
        if due and not others and tenancy.changed():
            await self._begin(tenancy)

    def _hangs(self) -> bool:
        """Whether a disk does not answer: every further copy of a state would stay in memory too."""
        return any(one.kept.hangs for one in self.tenancies.values())

    async def _begin(self, tenancy: Tenancy, *, last: bool = False) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self.engine_thread, tenancy.begin_checkpoint, self.population(), last)
        except (OSError, MemoryError, RuntimeError) as error:  # no memory, no thread: later there may be
            tenancy.kept.saved_at = time.monotonic()
            self._failed(error)

    def _see(self, tenancy: Tenancy) -> None:
        try:
            made = tenancy.kept.look(tenancy.outbox.sent, self.settings.checkpoint_within)
        except OSError as error:
            self._failed(error)
            return
        if made is not None:
            self.metrics.checkpoint_seconds.observe(made.seconds)
            self.metrics.checkpoint_bytes.inc(made.size)

    def _failed(self, error: Exception) -> None:
        self.metrics.checkpoint_failures.labels("write").inc()
        log.error("no checkpoint could be made, the offsets stay where they are", error=str(error) or repr(error))

    async def save_all(self, *, last: bool = False, delivering: bool = True) -> None:
        """A checkpoint of every partition that changed; call while nobody works on any. `last`: and nobody ever will, so that
        states need not be copied. Not `delivering`: those are left out that cannot count, as what they cover is not delivered.
        """
        room = asyncio.Semaphore(min(MOST_AT_ONCE, os.cpu_count() or 1))
        saved = (one for one in self.tenancies.values() if delivering or one.outbox.sent == one.outbox.given)
        await asyncio.gather(*(self._save(tenancy, room, last) for tenancy in saved))

    async def _save(self, tenancy: Tenancy, room: asyncio.Semaphore, last: bool) -> None:
        tenancy.kept.hurry()
        await self._until(tenancy, written=False)
        if tenancy.kept.writing is None and tenancy.changed():
            async with room:
                if not self._hangs():
                    await self._begin(tenancy, last=last)
                    tenancy.kept.hurry()
                await self._until(tenancy, written=True)
            await self._until(tenancy, written=False)

    async def _until(self, tenancy: Tenancy, *, written: bool) -> None:
        """Wait for the checkpoint that is being made: until it is over, or its writer is."""
        while tenancy.kept.going_on:
            self._see(tenancy)
            writing = tenancy.kept.writing
            if writing is None or (written and writing.written):
                return
            await asyncio.sleep(LOOK_SECONDS)
