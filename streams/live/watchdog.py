"""Ends a worker that stands still while there is work to do, or of which a part died; shows its partitions meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from sinks.metrics import Metrics
from streams.live.faust_app import App, consumer_of
from streams.live.holdings import Holdings
from streams.live.measuring import show_partitions
from streams.live.reaching import Reaching
from streams.live.reloading import LiveRules
from streams.problems import OutsideError

LOOK_SECONDS: Final = 1.0
log = structlog.get_logger()


class Watchdog:
    """Of one worker. `stalled_after` in seconds."""

    def __init__(
        self,
        app: App,
        holdings: Holdings,
        rules: LiveRules,
        reaching: Reaching,
        metrics: Metrics,
        stalled_after: float,
    ) -> None:
        self.app, self.holdings, self.rules, self.reaching = app, holdings, rules, reaching
        self.metrics, self.stalled_after = metrics, stalled_after

    async def run(self) -> None:
        """Until cancelled. Raises OutsideError, what a partition's delivery died of, and TimeoutError for a standstill."""
        holdings = self.holdings
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.app.crashed:  # Faust goes on without what died, and reads nothing more
                raise OutsideError(f"a service of Faust died: {self.app.crash_reason!r}")
            for tenancy in holdings.tenancies.values():
                tenancy.check()
            self.rules.show(tenancy.lane for tenancy in holdings.tenancies.values())
            waiting = show_partitions(self.metrics, holdings.tenancies)
            waiting += sum(tenancy.outbox.backlog for tenancy in holdings.tenancies.values())
            away = (
                self.reaching.away
                or holdings.away
                or any(tenancy.outbox.away for tenancy in holdings.tenancies.values())
            )
            if away or (not waiting and not holdings.paused):
                holdings.moved()  # nothing to do, or nobody to tell, is no standstill
            still = time.monotonic() - holdings.moved_at
            if still > self.stalled_after:
                self._say_where_it_stands()
                raise TimeoutError(f"{waiting} records wait and nothing was applied for {still:.0f} s")

    def _say_where_it_stands(self) -> None:
        """What someone who has to find out why will ask."""
        for partition, tenancy in self.holdings.tenancies.items():
            log.error(
                "stalled",
                partition=partition,
                paused=self.holdings.paused,
                locked=self.holdings.busy.locked(),
                flowing=bool(consumer_of(self.app).flow_active),
                backlog=tenancy.outbox.backlog,
                writing=tenancy.kept.writing is not None,
                handed=tenancy.handed,
                ends=tenancy.ends,
                received=tenancy.lane.received,
                ticks=len(tenancy.lane.known),
                held=tenancy.held,
            )
