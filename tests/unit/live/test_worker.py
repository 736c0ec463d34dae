"""What ends a worker."""

from __future__ import annotations

import asyncio

import pytest
from support.engines import DEFAULT

from sinks.metrics import Metrics
from streams import bootstrap
from streams.live import worker as module
from streams.live.reloading import Build
from streams.live.settings import live_settings
from streams.live.worker import Worker
from streams.problems import OutsideError


def test_a_worker_ends_when_a_service_of_faust_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)

    async def watched() -> None:
        build = Build(DEFAULT, bootstrap.configuration, lambda rules, saved: bootstrap.engine(rules, None, saved))
        worker = Worker(live_settings({}), 4, build, Metrics(), bootstrap.configuration(DEFAULT).settings)
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
