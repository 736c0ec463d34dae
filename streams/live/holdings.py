"""What a worker holds at this moment: its partitions, and whether anybody may work on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from streams.live.exchange import Statement
from streams.live.tenancy import Tenancy


class Holdings:
    """Shared by all that a worker does. Whoever works on a partition, or takes it over or gives it up, has `busy` meanwhile."""

    def __init__(self) -> None:
        self.tenancies: dict[int, Tenancy] = {}
        self.busy = asyncio.Lock()
        self.arrived = asyncio.Event()  # something to work on
        self.paused = False
        self.stopping = False  # what was not saved by then is not saved: a step may be lost from here on
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self.moved_at = time.monotonic()
        self.away = False  # the broker, when it was last told of a tick

    @property
    def whole(self) -> bool:
        """Whether the states are what the steps made of them: none was lost, or failed in its middle."""
        return self.failure is None and not self.stopping

    def moved(self) -> None:
        """There was progress, or nothing to do."""
        self.moved_at = time.monotonic()

    def fail(self, error: BaseException) -> None:
        """Something that must not be gone on after: the worker ends, and nothing more is committed."""
        self.failure = self.failure or error
        self.ended.set()

    async def watched(self, work: Awaitable[None]) -> None:
        """Work whose failure ends the worker."""
        try:
            await work
        except Exception as error:
            self.fail(error)
            raise

    def heard(self, statement: Statement, offset: int | None = None) -> None:
        """What a partition said, to all of ours, with its offset where the topic brought it; between two steps of the engine."""
        for tenancy in self.tenancies.values():
            tenancy.lane.hear(statement, time.monotonic())
            if offset is not None:
                tenancy.lane.overhear(statement, offset)
        self.arrived.set()
