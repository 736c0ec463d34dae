"""When partitions are saved: how many at once, and what becomes of a checkpoint that cannot begin."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.disks import hang, release

from sinks.metrics import Metrics
from streams.live.checkpoints import MOST_AT_ONCE, Checkpoints
from streams.live.delivery import Outbox
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.settings import live_settings
from streams.live.store import PartitionStore
from streams.live.tenancy import Tenancy


class EngineThread(ThreadPoolExecutor):
    """One thread, which counts what it was asked for."""

    asked = 0

    def submit(self, *args: Any, **named: Any) -> Future[Any]:
        self.asked += 1
        return super().submit(*args, **named)


class Whole:
    """An engine that has only a state, or none that could be had."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def snapshot(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return {"part": np.arange(3)}


@pytest.fixture
def thread() -> Iterator[EngineThread]:
    with EngineThread(1) as one:
        yield one


@asynccontextmanager
async def saving(
    folder: Path, thread: EngineThread, count: int, every: float = 0.0, within: float = 1e6
) -> AsyncIterator[Checkpoints]:
    """Partitions of which something was applied since their newest checkpoints."""
    settings = live_settings().model_copy(update={"checkpoint_every": every, "checkpoint_within": within})
    tenancies = {}
    for partition in range(count):
        lane = Lane(partition, 1, Whole(), Covered({}, {}, ticks=1), [], LaneSettings(0.0, 0))
        kept = Kept(PartitionStore(str(folder), partition, 1), Covered({}, {}), thread)
        tenancies[partition] = Tenancy(lane, Outbox(None, {}, print), kept, set())
    yield Checkpoints(settings, Metrics(), tenancies, thread, lambda: 0)
    for tenancy in tenancies.values():
        await tenancy.close()


def failures(checkpoints: Checkpoints) -> float:
    return checkpoints.metrics.registry.get_sample_value("churn_checkpoint_failures_total", {"step": "write"}) or 0.0


async def given_up(checkpoints: Checkpoints, partition: int) -> Path:
    """The partition's checkpoint hangs, and is waited for no longer."""
    tenancy = checkpoints.tenancies[partition]
    path = hang(tenancy.kept)
    await checkpoints.look(tenancy)
    assert tenancy.kept.going_on
    await checkpoints.look(tenancy)
    assert tenancy.kept.hangs
    return path


def begun(checkpoints: Checkpoints) -> list[int]:
    return [lane for lane, one in checkpoints.tenancies.items() if one.kept.writing is not None]


def test_no_more_partitions_are_copied_at_once_than_memory_is_meant_for(tmp_path, thread, monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)

    async def work() -> None:
        async with saving(tmp_path, thread, 6) as checkpoints:
            saved = asyncio.create_task(checkpoints.save_all())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert thread.asked == MOST_AT_ONCE
            await saved
            assert not any(tenancy.changed() for tenancy in checkpoints.tenancies.values())

    asyncio.run(work())


@pytest.mark.parametrize(
    "error", [OSError(12, "Cannot allocate memory"), MemoryError(), RuntimeError("can't start new thread")]
)
def test_a_checkpoint_that_cannot_begin_is_counted_and_not_tried_again_at_once(tmp_path, thread, error) -> None:
    async def work() -> None:
        async with saving(tmp_path, thread, 1) as checkpoints:
            tenancy = checkpoints.tenancies[0]
            tenancy.lane.engine = Whole(error)
            before = tenancy.kept.saved_at
            await checkpoints.look(tenancy)
            assert tenancy.kept.saved_at > before
            await checkpoints.save_all()
            assert failures(checkpoints) == 2
            tenancy.lane.engine = Whole()
            await checkpoints.save_all()
            assert not tenancy.changed()

    asyncio.run(work())


def test_where_there_is_no_thread_to_be_had_the_work_goes_on(tmp_path, thread, monkeypatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def work() -> None:
        async with saving(tmp_path, thread, 1) as checkpoints:
            await asyncio.get_running_loop().run_in_executor(thread, int)  # it has its own thread
            with monkeypatch.context() as patched:
                patched.setattr(threading.Thread, "start", start)
                await checkpoints.look(checkpoints.tenancies[0])
            assert failures(checkpoints) == 1
            assert not begun(checkpoints)

    asyncio.run(work())


def test_while_a_writer_hangs_in_a_disk_no_other_partition_is_copied(tmp_path, thread) -> None:
    async def work() -> None:
        async with saving(tmp_path, thread, 3, within=0.0) as checkpoints:
            path = await given_up(checkpoints, 0)
            await checkpoints.look(checkpoints.tenancies[1])
            assert begun(checkpoints) == [0]
            await checkpoints.save_all()
            assert begun(checkpoints) == [0]
            release(path)
            writing = checkpoints.tenancies[0].kept.writing
            assert writing is not None
            writing.writer.wait(60.0)
            await checkpoints.look(checkpoints.tenancies[1])
            assert 1 in begun(checkpoints)

    asyncio.run(work())
