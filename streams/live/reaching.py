"""Whether Kafka can be reached: asked every few seconds, and said when that changes, in one line for all clients of a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiokafka.errors import KafkaError

LOOK_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
log = structlog.get_logger()


class Reaching:
    """`ask` gives whether any broker answered; `bootstrap` is where they are."""

    def __init__(self, ask: Callable[[], Awaitable[bool]], bootstrap: str) -> None:
        self.ask, self.bootstrap = ask, bootstrap
        self.since: float | None = None  # when it was first not reached (monotonic, s)

    @property
    def away(self) -> bool:
        """Whether nobody answered when last asked."""
        return self.since is not None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self, within: float = ANSWER_SECONDS) -> None:
        """Ask now."""
        try:
            there = await asyncio.wait_for(self.ask(), within)
        except (TimeoutError, KafkaError):
            there = False
        self.found(there, time.monotonic())

    def found(self, there: bool, now: float) -> None:
        """What was found at a time (monotonic, s)."""
        if not there and self.since is None:
            self.since = now
            log.error("Kafka cannot be reached, events wait until it is back", kafka=self.bootstrap)
        elif there and self.since is not None:
            log.info("Kafka is back", kafka=self.bootstrap, seconds=round(now - self.since, 1))
            self.since = None
