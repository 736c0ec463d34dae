"""Checkpoints on their way: who is waited for, and who is not for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.store import PartitionStore

LONG = 1e6


def covering(offset: int) -> Covered:
    return Covered({"t": offset}, {})


def whole() -> dict[str, Any]:
    return {"part": np.arange(3)}


def hanging() -> dict[str, Any]:
    signal.pause()
    return whole()


@pytest.fixture
def publisher() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def kept(folder: Path, publisher: ThreadPoolExecutor) -> Kept:
    return Kept(PartitionStore(str(folder), 0, 1), covering(0), publisher)


def begin(one: Kept, offset: int, snapshot: Callable[[], Any] = whole, parcel: int = 0) -> None:
    one.begin(covering(offset), parcel, snapshot)


def wait_for_the_writer(one: Kept) -> None:
    assert one.writing is not None
    os.waitid(os.P_PID, one.writing.pid, os.WEXITED | os.WNOWAIT)


async def made(one: Kept) -> None:
    wait_for_the_writer(one)
    assert one.look(0, LONG) is None
    assert one.writing is not None
    assert one.writing.published is not None
    await asyncio.wait([one.writing.published])
    assert one.look(0, LONG) is not None


def test_a_checkpoint_is_published_beside_the_loop_and_counts_then(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5)
        await made(one)
        assert one.durable == covering(5)
        assert one.writing is None

    asyncio.run(keeping())
    assert PartitionStore(str(tmp_path), 0, 2).load().covered == covering(5)


def test_nothing_counts_before_what_it_covers_is_delivered_however_long_that_takes(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5, parcel=3)
        wait_for_the_writer(one)
        assert one.look(2, LONG) is None
        assert one.look(2, 0.0) is None
        assert one.writing is not None
        assert one.writing.published is None
        assert one.look(3, LONG) is None
        assert one.writing.published is not None
        await asyncio.wait([one.writing.published])

    asyncio.run(keeping())


def test_a_writer_that_hangs_is_killed_once_said_and_the_next_one_counts(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5, hanging)
        with pytest.raises(TimeoutError, match="not written within 0 s"):
            one.look(0, 0.0)
        assert not one.going_on
        wait_for_the_writer(one)
        assert one.look(0, 0.0) is None
        assert one.writing is None
        begin(one, 7)
        await made(one)
        assert one.durable == covering(7)

    asyncio.run(keeping())


def test_a_partition_that_is_given_up_leaves_no_writer_behind(tmp_path, publisher) -> None:
    async def keeping() -> int:
        one = kept(tmp_path, publisher)
        begin(one, 5, hanging)
        assert one.writing is not None
        pid = one.writing.pid
        await one.close()
        return pid

    pid = asyncio.run(keeping())
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_a_writer_that_fails_is_said_and_what_counted_before_still_does(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5, lambda: {"part": object()})
        wait_for_the_writer(one)
        with pytest.raises(OSError, match="could not be written"):
            one.look(0, LONG)
        assert (one.durable, one.writing) == (covering(0), None)

    asyncio.run(keeping())
