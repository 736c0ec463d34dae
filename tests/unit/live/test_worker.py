"""What ends a worker."""

from __future__ import annotations

import asyncio

import pytest
from faust.types import TP
from support.engines import DEFAULT

from sinks.metrics import Metrics
from streams import bootstrap
from streams.live import worker as module
from streams.live.reloading import Build
from streams.live.settings import live_settings
from streams.live.topics import USAGE
from streams.live.worker import Worker
from streams.problems import OutsideError


def worker_of(environment: dict[str, str]) -> Worker:
    build = Build(DEFAULT, bootstrap.configuration, lambda rules, saved: bootstrap.engine(rules, None, saved))
    return Worker(live_settings(environment), 4, build, Metrics(), bootstrap.configuration(DEFAULT).settings)


def test_nothing_is_saved_or_taken_over_after_an_end_that_could_not_wait_for_the_step_under_way() -> None:
    async def ended() -> None:
        worker = worker_of({"CHURN_STOP_WITHIN": "0.01"})
        pump = asyncio.create_task(asyncio.sleep(3600))
        worker.checkpoints.save_all = None  # type: ignore[assignment]  # whoever saves calls it
        async with worker.busy:  # a step that does not end
            await worker._save_before_the_end(pump)
        await worker.revoked(worker.app, set())
        assert await worker.assigned({TP(USAGE, 0)}, 7) == {}
        pump.cancel()
        await worker.producer.stop()

    asyncio.run(ended())


def test_a_worker_ends_when_a_service_of_faust_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)

    async def watched() -> None:
        worker = worker_of({})
        watching = asyncio.create_task(worker._watch())
        await asyncio.sleep(0)
        assert not watching.done()
        await worker.app.crash(ValueError("no more records"))
        try:
            await watching
        finally:
            await worker.producer.stop()

    with pytest.raises(OutsideError, match="no more records"):
        asyncio.run(watched())
