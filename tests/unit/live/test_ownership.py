"""Whose checkpoints count: those of whoever the group gave the partition to last, whatever its generations are numbered."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import fsspec
import numpy as np
import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from streams.checkpoint import UnreadableError
from streams.live import transport
from streams.live.aside import OLD_SECONDS, sweep
from streams.live.journal import Covered
from streams.live.settings import live_settings
from streams.live.store import PartitionStore, write
from streams.live.taking_over import LostError, Means, outlived, owned_stores
from streams.live.transport import ChunkThread


@pytest.fixture(params=["folder", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "checkpoints") if request.param == "folder" else f"memory://{tmp_path.name}-{os.getpid()}"


def owner(root: str, generation: int) -> PartitionStore:
    store = PartitionStore(root, 0, generation)
    store.claim()
    store.own()
    return store


def save(store: PartitionStore, offset: int) -> None:
    path = store.writing()
    write(path, Covered({"t": offset}, {}), {"part": np.arange(3)})
    store.publish(path)


def newest(root: str) -> int:
    return PartitionStore(root, 0, 0).load().covered.positions.get("t", -1)


def test_an_owner_that_never_published_does_not_hide_those_of_a_group_that_counts_anew(root: str) -> None:
    save(owner(root, 40), 10)
    zombie = owner(root, 50)  # paused, until the group was gone
    now = owner(root, 1)
    save(now, 20)
    assert now.epoch > zombie.epoch
    with pytest.raises(PermissionError, match="another worker has taken this partition over"):
        save(zombie, 11)
    assert newest(root) == 20


def test_what_the_owner_before_published_while_the_group_was_asked_is_gone_on_from(root: str) -> None:
    before = owner(root, 4)
    save(before, 10)
    now = PartitionStore(root, 0, 5)
    now.claim()
    for offset in (11, 12):  # and deletes what was there
        save(before, offset)
    now.own()
    assert newest(root) == 12
    save(now, 20)
    assert newest(root) == 20


def test_what_a_zombie_published_all_the_same_is_not_read_even_where_nothing_else_can_be(tmp_path: Path) -> None:
    root, folder = str(tmp_path), tmp_path / "0"
    before = owner(root, 4)
    save(before, 10)
    zombie, now = before, owner(root, 5)
    zombie.superseded = bool  # it looked before there was another, and was paused then
    save(now, 20)
    save(zombie, 11)
    assert newest(root) == 20
    for path in folder.glob(f"{now.epoch:012d}-*.checkpoint"):
        path.write_bytes(b"nothing")
    assert newest(root) == 10
    save(now, 30)
    assert len([*folder.glob("*.checkpoint")]) == 2
    for path in folder.glob("*.checkpoint"):
        path.unlink()
    write(folder / "000000000004-000000000099.checkpoint", Covered({"t": 12}, {}), {"part": np.arange(3)})
    with pytest.raises(UnreadableError, match=r"had lost the partition.*delete the files \*\.owner"):
        PartitionStore(root, 0, 0).load()


def test_where_the_claim_cannot_be_made_nothing_is_owned_and_what_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = str(tmp_path)
    save(owner(root, 4), 10)
    half = owner(root, 5).writing()
    half.write_bytes(b"what fills the disk")
    store = PartitionStore(root, 0, 6)

    def refused(*_: object, **__: object) -> None:
        raise OSError("the storage does not answer")

    files, store.files = store.files, SimpleNamespace(invalidate_cache=refused)
    with pytest.raises(OSError, match="does not answer"):
        store.claim()
    store.files = files
    store.own()
    assert store.load().covered.positions == {"t": 10}
    assert not (tmp_path / ".owner").exists()
    assert len([*tmp_path.glob("0/*.owner")]) == 1
    assert not half.exists()
    save(store, 20)
    store.abandon()
    assert newest(root) == 20


class Bucket(MemoryFileSystem):
    """As an object store: no folders, and who asks for what is in none is told that there is none."""

    protocol = ("bucket",)
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing to be made."""


def test_where_there_are_no_folders_the_first_owner_begins_with_none() -> None:
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    root = "bucket://checkpoints"
    assert PartitionStore(root, 0, 0).empty
    store = owner(root, 1)
    assert store.load() == (Covered({}, {}), None, [])
    save(store, 10)
    assert newest(root) == 10


def test_whom_the_group_does_not_confirm_leaves_no_trace(root: str) -> None:
    now = owner(root, 8)
    half = now.writing()
    half.write_bytes(b"half")
    late = PartitionStore(root, 0, 7)
    late.claim()
    late.abandon()
    assert not now.superseded()
    assert half.exists()
    half.unlink()
    save(now, 20)
    assert newest(root) == 20
    assert not [path for path in now._paths() if path.endswith(".claim")]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["assign", "save"])), max_size=25), st.data())
def test_the_newest_of_the_last_owner_is_what_the_next_one_finds(
    steps: list[tuple[int, str]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as root:
        workers: dict[int, PartitionStore] = {}
        holder, generation, counts = -1, 0, -1
        for number, (worker, what) in enumerate(steps):
            if what == "assign":
                generation = data.draw(st.sampled_from([1, generation + 1]))  # the group may have been deleted
                holder, workers[worker] = worker, owner(root, generation)
            elif worker == holder:
                save(workers[worker], number)
                counts = number
            elif worker in workers:
                workers[worker].superseded = bool  # as if it had looked too early
                save(workers[worker], number)
        assert newest(root) == counts


class Group:
    """Who asks finds what was claimed by then, and hears whether its generation goes on."""

    def __init__(self, root: str, *, goes_on: bool) -> None:
        self.root, self.goes_on, self.claims = root, goes_on, 0

    async def owns(self, _generation: int) -> bool:
        self.claims = len([*Path(self.root).glob("*/*.claim")])
        return self.goes_on

    def stores(self) -> dict[int, PartitionStore]:
        settings = live_settings({}).model_copy(update={"checkpoints": self.root})
        nothing: Any = None
        means = Means(settings, 3, nothing, nothing, print, ThreadPoolExecutor(1), self.owns, nothing)
        return asyncio.run(owned_stores([0, 2], 5, means))


def asked_of(*answers: int | Exception, generation: int = 5) -> bool:
    """What a worker that was assigned partitions in generation 5 makes of what the coordinator answers."""
    left = [*answers]

    class Coordinator:
        group_id, member_id = "churn", "one"

        def __init__(self) -> None:
            self.generation = generation

        async def _send_req(self, _request: Any) -> Any:
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return SimpleNamespace(error_code=answer)

    thread: Any = SimpleNamespace(_ensure_consumer=lambda: SimpleNamespace(_coordinator=Coordinator()))
    found = asyncio.run(ChunkThread.owns(thread, 5))
    assert not left
    return found


def test_the_group_says_whose_the_partitions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ASK_SECONDS", 0.0)
    fine, elsewhere, illegal, unknown, rebalancing = 0, 16, 22, 25, 27
    assert asked_of(fine)
    assert asked_of(rebalancing)  # the next generation has no members yet
    assert not asked_of(illegal)
    assert not asked_of(unknown)
    assert asked_of(elsewhere, KafkaConnectionError(), fine)
    assert not asked_of(generation=6)
    assert not asked_of(generation=-1)
    with pytest.raises(GroupAuthorizationFailedError):
        asked_of(GroupAuthorizationFailedError.errno)


def test_partitions_are_claimed_before_the_group_is_asked(tmp_path: Path) -> None:
    group = Group(str(tmp_path), goes_on=True)
    assert group.stores().keys() == {0, 2}
    assert group.claims == 2
    assert len([*tmp_path.glob("*/*.owner")]) == 2


def test_partitions_that_were_lost_meanwhile_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(LostError):
        Group(str(tmp_path), goes_on=False).stores()
    assert not [*tmp_path.glob("*/*.owner")]


def test_a_partition_that_another_had_in_between_is_not_kept(tmp_path: Path) -> None:
    class Tenancy:
        def __init__(self, store: PartitionStore) -> None:
            self.kept = self
            self.store = store

    mine = owner(str(tmp_path), 50)
    assert asyncio.run(outlived({0: Tenancy(mine)})) == set()
    owner(str(tmp_path), 1)
    assert asyncio.run(outlived({0: Tenancy(mine)})) == {0}


def test_what_a_killed_process_left_beside_a_storage_elsewhere_is_deleted_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = owner(f"memory://{tmp_path.name}-swept", 1)
    old, fresh = store.writing(), store.writing()
    copy = tmp_path / old.name.replace("writing", "reading")
    others = tmp_path / "000000000001-000000000001.checkpoint.other"
    for path in (old, fresh, copy, others):
        path.write_bytes(b"half")
        if path != fresh:
            os.utime(path, (0, time.time() - OLD_SECONDS - 1))
    PartitionStore(f"memory://{tmp_path.name}-swept", 0, 2)
    assert {*tmp_path.iterdir()} == {fresh, others}
    os.utime(fresh, (0, time.time() - OLD_SECONDS - 1))
    save(store, 10)
    assert {*tmp_path.iterdir()} == {others}
    sweep()


def test_checkpoints_in_a_folder_have_nothing_to_do_with_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    left = aside / owner(f"memory://{tmp_path.name}-beside", 1).writing().name  # somebody else's
    left.write_bytes(b"half")
    os.utime(left, (0, time.time() - OLD_SECONDS - 1))
    save(owner(str(tmp_path / "checkpoints"), 1), 10)
    assert [*aside.iterdir()] == [left]


def test_a_checkpoint_that_cannot_be_read_leaves_no_copy_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = owner(f"memory://{tmp_path.name}-torn", 1)
    save(store, 10)
    [path] = [path for path in store._paths() if path.endswith(".checkpoint")]
    store.files.pipe_file(path, b"nothing")
    with pytest.raises(UnreadableError):
        store.load()
    assert not [*tmp_path.iterdir()]
