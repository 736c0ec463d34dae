"""How a worker ends whose broker is away, or goes away meanwhile: soon, with as much saved as can be, and in few words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs
from support.engines import DEFAULT

from sinks.metrics import Metrics
from streams import bootstrap
from streams.live import worker as module
from streams.live.delivery import Message, Outbox
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.reloading import Build
from streams.live.settings import live_settings
from streams.live.store import PartitionStore
from streams.live.tenancy import Tenancy
from streams.live.topics import WARNINGS
from streams.live.worker import Worker

LONG = 3600.0


async def for_ever(*_: Any, **__: Any) -> None:
    await asyncio.Event().wait()


def add_partition(worker: Worker, partition: int) -> Tenancy:
    """One of which something was applied since the newest checkpoint."""
    engine: Any = SimpleNamespace(snapshot=lambda: {"part": np.arange(3)})
    lane = Lane(partition, 1, engine, Covered({}, {}, ticks=1), [], LaneSettings(0.0, 0))
    store = PartitionStore(worker.settings.checkpoints, partition, 1)
    outbox = Outbox(SimpleNamespace(send=for_ever), {}, print)
    kept = Kept(store, Covered({}, {}), worker.assignments.means.publisher)
    worker.holdings.tenancies[partition] = Tenancy(lane, outbox, kept, set())
    return worker.holdings.tenancies[partition]


def ended(folder: Path, body: Callable[[Worker], Awaitable[None]], **settings: Any) -> list[str]:
    """What a worker says meanwhile; one that nobody can reach the broker for hangs where it asks it for anything."""

    async def run() -> None:
        build = Build(DEFAULT, bootstrap.as_it_stands, bootstrap.configuration, lambda *_: None)
        known = live_settings({}).model_copy(update={"checkpoints": str(folder), **settings})
        worker = Worker(known, 2, build, Metrics())
        stop, worker.producer.stop = worker.producer.stop, for_ever
        worker.app._consumer = SimpleNamespace(commit=for_ever)  # type: ignore[assignment]
        worker.app.stop = for_ever  # type: ignore[method-assign]
        async with asyncio.timeout(60):  # for whom it hangs
            await body(worker)
        for tenancy in worker.holdings.tenancies.values():
            await tenancy.close()
        await stop()

    with capture_logs() as said:
        asyncio.run(run())
    return [one["event"] for one in said]


async def stopped(worker: Worker) -> None:
    stepping = asyncio.create_task(for_ever())
    await worker.save_before_the_end(stepping)
    await worker._leave()


def test_with_the_broker_away_what_was_delivered_is_saved_and_nobody_waited_for(tmp_path: Path) -> None:
    async def body(worker: Worker) -> None:
        add_partition(worker, 0)
        add_partition(worker, 1).outbox.add([Message(WARNINGS, 1, None, b"{}")])
        worker.reaching.found(False, 0.0)
        await stopped(worker)

    assert ended(tmp_path, body, stop_within=LONG)[1:] == ["partitions saved", "ended without a word to the broker"]
    assert [path.parent.name for path in tmp_path.glob("*/*.checkpoint")] == ["0"]


def test_a_step_that_waits_for_the_broker_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_SECONDS", 0.0)

    async def body(worker: Worker) -> None:
        worker.reaching.found(False, 0.0)
        async with worker.holdings.busy:
            await stopped(worker)
        assert worker.holdings.stopping

    assert ended(tmp_path, body, stop_within=LONG)[1:] == [
        "stopping without a checkpoint of this moment",
        "ended without a word to the broker",
    ]


def no_work_but_joining(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    for work in (worker.population, worker.rules):
        work.run = for_ever  # type: ignore[method-assign]
    monkeypatch.setattr(module, "CareQueues", lambda *_: SimpleNamespace(run=for_ever))
    worker.rules.tiers = lambda: ("watch",)  # type: ignore[method-assign]
    worker.reaching.ask = for_ever
    worker.app.start = for_ever  # type: ignore[method-assign]


def test_a_worker_whose_group_does_not_answer_can_be_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(worker: Worker) -> None:
        no_work_but_joining(worker, monkeypatch)
        stop = asyncio.Event()
        stop.set()
        await worker.run(stop)

    assert ended(tmp_path, body, stop_within=0.1)[-1] == "worker stopped"


def test_what_fails_while_the_group_does_not_answer_ends_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing() -> None:
        raise ValueError("a fault of ours")

    async def body(worker: Worker) -> None:
        no_work_but_joining(worker, monkeypatch)
        worker.population.run = failing  # type: ignore[method-assign]
        with pytest.raises(ValueError, match="of ours"):
            await worker.run(asyncio.Event())

    ended(tmp_path, body)


def test_a_broker_that_goes_away_meanwhile_holds_no_worker_for_ever(tmp_path: Path) -> None:
    async def body(worker: Worker) -> None:
        await stopped(worker)

    assert ended(tmp_path, body, stop_within=0.1) == [
        "ending without the offsets of this moment",
        "partitions saved",
        "ended without a word to the broker",
    ]
