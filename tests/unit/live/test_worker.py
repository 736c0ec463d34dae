"""What ends a worker, and what it leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faust.types import TP
from support.engines import DEFAULT

from sinks.metrics import Metrics
from streams import bootstrap
from streams.live import watchdog as module
from streams.live.delivery import Message, Outbox
from streams.live.faust_app import app_of
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.reloading import Build
from streams.live.settings import live_settings
from streams.live.store import PartitionStore
from streams.live.tables import NoTables
from streams.live.tenancy import Tenancy
from streams.live.topics import USAGE, WARNINGS
from streams.live.worker import Worker
from streams.problems import OutsideError


def worker_on(**settings: Any) -> Worker:
    build = Build(
        DEFAULT,
        bootstrap.as_it_stands,
        bootstrap.configuration,
        lambda rules, saved: bootstrap.engine(rules, None, saved),
    )
    known = live_settings({}).model_copy(update=settings)
    return Worker(known, 4, build, Metrics())


@asynccontextmanager
async def with_a_partition(folder: Path) -> AsyncIterator[Worker]:
    """A worker of which something was applied since the newest checkpoint."""
    worker = worker_on(checkpoints=str(folder), stop_within=0.1)
    engine: Any = SimpleNamespace(snapshot=lambda: {"part": np.arange(3)})
    lane = Lane(0, 1, engine, Covered({}, {}, ticks=1), [], LaneSettings(0.0, 0))
    kept = Kept(PartitionStore(str(folder), 0, 1), Covered({}, {}), worker.assignments.means.publisher)
    worker.holdings.tenancies[0] = Tenancy(lane, Outbox(None, {}, print), kept, set())
    yield worker
    for tenancy in worker.holdings.tenancies.values():
        await tenancy.close()
    await worker.producer.stop()


def test_nothing_is_saved_or_taken_over_after_an_end_that_could_not_wait_for_the_step_under_way() -> None:
    async def ended() -> None:
        worker = worker_on(stop_within=0.01)
        pump = asyncio.create_task(asyncio.sleep(3600))
        worker.checkpoints.save_all = None  # type: ignore[assignment]  # whoever saves calls it
        async with worker.holdings.busy:  # a step that does not end
            revoked = asyncio.create_task(worker.assignments.revoked(worker.app, set()))  # and waits for it too
            await worker.save_before_the_end(pump)
        await revoked
        assert await worker.assignments.assigned({TP(USAGE, 0)}, 7) == {}
        pump.cancel()
        await worker.producer.stop()

    asyncio.run(ended())


def test_the_group_is_joined_without_a_wait_for_tables_that_might_be_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    async def started() -> None:
        worker = worker_on()
        tables: Any = worker.app.tables
        assert isinstance(tables, NoTables)
        waits: list[float] = []

        async def sleep(seconds: float, **_: Any) -> None:
            waits.append(seconds)

        async def start() -> None:
            waits.append(0.0)

        consumer = SimpleNamespace(assignment=set, pause_partitions=lambda _: None)
        monkeypatch.setattr(tables, "sleep", sleep)
        monkeypatch.setattr(tables.recovery, "start", start)
        monkeypatch.setattr(worker.app, "_consumer", consumer)
        await tables.on_start()
        assert waits == [0.0]  # recovery begins, and nothing was waited for
        assert tables._tables_registered.is_set()
        await worker.producer.stop()

    asyncio.run(started())


def test_faust_makes_no_folders_where_a_worker_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app_of(live_settings({}))._create_directories()  # what its start does first of all
    assert [*tmp_path.iterdir()] == []


def test_a_worker_ends_when_a_service_of_faust_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)

    async def watched() -> None:
        worker = worker_on()
        watching = asyncio.create_task(worker.watchdog.run())
        await asyncio.sleep(0)
        assert not watching.done()
        await worker.app.crash(ValueError("no more records"))
        try:
            await watching
        finally:
            await worker.producer.stop()

    with pytest.raises(OutsideError, match="no more records"):
        asyncio.run(watched())


def test_a_worker_ends_when_delivery_of_a_partition_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)

    async def watched() -> None:
        async with with_a_partition(tmp_path) as worker:
            tenancy = worker.holdings.tenancies[0]
            tenancy.outbox.producer = SimpleNamespace(send=None)  # calling that is no fault of Kafka's
            tenancy.outbox.add([Message(WARNINGS, None, b"c1", b"{}")])
            await asyncio.wait([tenancy.sender])
            with pytest.raises(TypeError, match="not callable"):
                await worker.watchdog.run()

    asyncio.run(watched())


def test_a_standstill_because_the_broker_is_away_ends_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(module, "show_partitions", lambda *_: 5)  # records wait

    async def watched() -> None:
        async with with_a_partition(tmp_path) as worker:
            worker.rules.show = lambda _: None  # type: ignore[method-assign]
            worker.reaching.found(False, 0.0)
            worker.holdings.moved_at = long_ago = time.monotonic() - 10_000
            watching = asyncio.create_task(worker.watchdog.run())
            while worker.holdings.moved_at == long_ago and not watching.done():
                await asyncio.sleep(0)
            assert not watching.done()
            worker.reaching.found(True, 1.0)
            worker.holdings.moved_at = long_ago
            with pytest.raises(TimeoutError, match="5 records wait"):
                await watching

    asyncio.run(watched())


def test_what_a_step_left_that_failed_is_no_checkpoint(tmp_path: Path) -> None:
    async def ended() -> None:
        async with with_a_partition(tmp_path) as worker:
            pump = asyncio.create_task(asyncio.sleep(60))
            async with worker.holdings.busy:  # a step is under way when it is told to stop
                saving = asyncio.create_task(worker.save_before_the_end(pump))
                await asyncio.sleep(0)
                worker.holdings.fail(MemoryError("in the middle of a step"))
            with pytest.raises(MemoryError, match="in the middle"):
                await saving
            await worker.assignments.revoked(None, set())
            assert worker.holdings.tenancies[0].kept.writing is None
            pump.cancel()

    asyncio.run(ended())
    assert not [*tmp_path.glob("*/*.checkpoint")]


def test_nobody_works_on_what_is_assigned_while_the_last_states_are_written(tmp_path: Path) -> None:
    async def assigned() -> None:
        async with with_a_partition(tmp_path) as worker:
            async with worker.holdings.busy:
                await worker.save_before_the_end(asyncio.create_task(asyncio.sleep(0)))  # in vain
            await worker.assignments._assigned(set(), 1)
            assert worker.holdings.paused

    asyncio.run(assigned())
