"""Checkpoints on their way: who is waited for, and who is not for ever."""

from __future__ import annotations

import asyncio
import gc
import mmap
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.disks import hang, release

from streams.live import snapshots
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.snapshots import Writer, copied, large_pages
from streams.live.store import PartitionStore

LONG = 1e6


def covering(offset: int) -> Covered:
    return Covered({"t": offset}, {})


WHOLE = {"part": np.arange(3)}


@pytest.fixture
def publisher() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def kept(folder: Path, publisher: ThreadPoolExecutor) -> Kept:
    return Kept(PartitionStore(str(folder), 0, 1), covering(0), publisher)


def begin(one: Kept, offset: int, parcel: int = 0) -> None:
    one.begin(covering(offset), parcel, WHOLE)


def wait_for_the_writer(one: Kept) -> None:
    assert one.writing is not None
    one.writing.writer.wait(60.0)


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


def test_a_writer_that_hangs_is_said_once_and_when_the_disk_answers_the_next_one_counts(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        path = hang(one)
        begin(one, 5)
        with pytest.raises(TimeoutError, match="not written within 0 s"):
            one.look(0, 0.0)
        assert not one.going_on
        assert one.look(0, 0.0) is None
        assert one.writing is not None
        release(path)
        wait_for_the_writer(one)
        assert one.look(0, 0.0) is None
        assert one.writing is None
        assert not path.exists()
        begin(one, 7)
        await made(one)
        assert one.durable == covering(7)

    asyncio.run(keeping())


def test_a_partition_that_is_given_up_waits_for_no_disk_and_leaves_no_file_behind(tmp_path, publisher) -> None:
    async def keeping() -> tuple[Writer, Path]:
        one = kept(tmp_path, publisher)
        path = hang(one)
        begin(one, 5)
        assert one.writing is not None
        writer = one.writing.writer
        await one.close()
        assert one.writing is None
        return writer, path

    writer, path = asyncio.run(keeping())
    assert writer.ended() is None
    release(path)
    writer.wait(60.0)
    assert writer.ended() is False
    assert not path.exists()


def test_a_writer_that_fails_is_said_and_what_counted_before_still_does(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        (tmp_path / "0").rename(tmp_path / "elsewhere")
        begin(one, 5)
        wait_for_the_writer(one)
        with pytest.raises(OSError, match=r"could not be written.*No such file"):
            one.look(0, LONG)
        assert (one.durable, one.writing) == (covering(0), None)

    asyncio.run(keeping())


def test_a_partition_that_is_given_up_leaves_nothing_that_was_written_and_nobody_publishes(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5, parcel=1)
        wait_for_the_writer(one)
        assert one.look(0, LONG) is None
        await one.close()
        assert one.writing is None

    asyncio.run(keeping())
    assert not list((tmp_path / "0").iterdir())


def test_what_is_on_its_way_to_its_name_when_the_partition_is_given_up_gets_it(tmp_path, publisher) -> None:
    async def keeping() -> None:
        one = kept(tmp_path, publisher)
        begin(one, 5)
        wait_for_the_writer(one)
        assert one.look(0, LONG) is None
        await one.close()
        assert one.writing is not None
        assert one.writing.published is not None
        await one.writing.published

    asyncio.run(keeping())
    assert PartitionStore(str(tmp_path), 0, 2).load().covered == covering(5)


def test_nothing_is_begun_for_a_partition_that_was_given_up(tmp_path, publisher) -> None:
    one = kept(tmp_path, publisher)
    asyncio.run(one.close())
    begin(one, 5)
    assert one.writing is None
    assert not list((tmp_path / "0").iterdir())


def test_a_partition_that_is_given_up_while_a_writer_is_made_leaves_none(tmp_path, publisher, monkeypatch) -> None:
    one = kept(tmp_path, publisher)
    named = one.store.writing

    def closing() -> Path:
        asyncio.run(one.close())
        return named()

    monkeypatch.setattr(one.store, "writing", closing)
    begin(one, 5)
    assert one.closed.is_set()
    assert one.writing is None
    assert not list((tmp_path / "0").iterdir())


def test_nothing_is_begun_beside_a_checkpoint_that_is_written(tmp_path, publisher) -> None:
    one = kept(tmp_path, publisher)
    begin(one, 5)
    first = one.writing
    begin(one, 6)
    assert one.writing is first
    wait_for_the_writer(one)


def test_a_writer_that_failed_is_gone_with_its_copy_as_soon_as_nobody_asks_for_it(tmp_path) -> None:
    writer = Writer(tmp_path / "nowhere" / "file", covering(5), WHOLE)
    writer.wait(60.0)
    assert writer.ended() is False
    there = weakref.ref(writer)
    gc.disable()
    try:
        del writer
        assert there() is None
    finally:
        gc.enable()


def test_a_writer_that_nobody_wants_leaves_no_file_however_far_it_came(tmp_path) -> None:
    writer = Writer(tmp_path / "file", covering(5), WHOLE)
    writer.wait(60.0)
    assert writer.ended()
    writer.discard(60.0)
    assert not list(tmp_path.iterdir())


def test_a_writer_rests_between_pieces_until_somebody_waits_for_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(snapshots, "SHORTEST_REST", 0.0)
    monkeypatch.setattr(snapshots, "LONGEST_REST", 1e6)
    monkeypatch.setattr(snapshots, "REST", 1e12)
    writer = Writer(tmp_path / "file", covering(5), WHOLE)
    assert writer.ended() is None
    writer.hurry()
    writer.wait(10)
    assert writer.ended() is True


def test_a_system_without_large_pages_has_small_ones(monkeypatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", -1, raising=False)
    assert len(large_pages(5)) >= 5


SHAPES = st.sampled_from([(0,), (3,), (2, 5), (0, 4), ()])
ARRAYS = st.builds(
    lambda shape, kind, start: np.arange(start, start + int(np.prod(shape))).astype(kind).reshape(shape),
    SHAPES, st.sampled_from(["u1", "i4", "f8", "u2"]), st.integers(0, 50),
)  # fmt: skip


@given(st.dictionaries(st.text("ab", min_size=1), ARRAYS | st.binary(max_size=5), max_size=6))
def test_a_copy_is_the_same_and_nobody_changes_it(state) -> None:
    live = {
        name: value if isinstance(value, bytes) else np.stack([value, value])[1:2].reshape(value.shape)
        for name, value in state.items()
    }
    found = copied(live)
    for value in live.values():
        if not isinstance(value, bytes):
            value[...] = 99
    assert found.keys() == state.keys()
    for name, value in state.items():
        if isinstance(value, bytes):
            assert found[name] == value
        else:
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
            assert found[name].tobytes() == value.tobytes()
