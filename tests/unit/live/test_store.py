"""Storage of checkpoints: whose a file is, who gets a name, and what is left of a failure."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import fsspec
import numpy as np
import pytest

from streams.checkpoint import UnreadableError
from streams.live.beginning import leave
from streams.live.journal import Covered
from streams.live.lane import Lane, LaneSettings
from streams.live.seeding import Seeding
from streams.live.store import PartitionStore, reachable, write
from streams.problems import OutsideError, UsageError


def covering(offset: int, partition: int = -1) -> Covered:
    return Covered({"t": offset}, {}, partition=partition)


def state(number: int) -> dict[str, np.ndarray]:
    return {"part": np.full(3, number)}


def written(store: PartitionStore, offset: int, partition: int = -1) -> Path:
    path = store.writing()
    write(path, covering(offset, partition), state(offset))
    return path


@pytest.fixture
def aside(tmp_path, monkeypatch) -> Path:
    """Where files for a remote storage are written."""
    folder = tmp_path / "aside"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=["folder", "memory"])
def root(request, tmp_path, aside) -> str:
    return str(tmp_path / "checkpoints") if request.param == "folder" else f"memory://{tmp_path.name}-{os.getpid()}"


def test_partitions_that_are_seeded_together_each_get_their_own_state(root, aside) -> None:
    stores = [PartitionStore(root, lane, 0) for lane in range(3)]
    leave(stores, [covering(lane, lane) for lane in range(3)], [state(lane) for lane in range(3)])
    for lane in range(3):
        loaded = PartitionStore(root, lane, 1).load()
        assert loaded.covered == covering(lane, lane)
        assert loaded.engine is not None
        assert loaded.engine["part"].tolist() == [lane] * 3
    assert not list(aside.iterdir())


def test_a_seed_that_fails_leaves_nothing_behind(root, aside) -> None:
    stores = [PartitionStore(root, lane, 0) for lane in range(2)]
    with pytest.raises(ValueError, match="objects cannot be saved"):
        leave(stores, [covering(0), covering(1)], [state(0), {"part": np.array([None])}])
    assert all(store.empty for store in stores)
    assert not list(aside.iterdir())
    assert not any(store.files.ls(store.folder) for store in stores)


def test_another_partitions_state_is_refused_and_the_one_before_taken(root) -> None:
    store = PartitionStore(root, 3, 1)
    store.publish(written(store, 10, 3))
    store.publish(written(store, 20, 4))
    loaded = PartitionStore(root, 3, 2).load()
    assert loaded.covered == covering(10, 3)
    assert "of partition 4, not 3" in loaded.troubles[0]
    other = PartitionStore(root, 5, 1)
    other.publish(written(other, 20, 4))
    with pytest.raises(UnreadableError, match="of partition 4, not 5"):
        PartitionStore(root, 5, 2).load()


def test_a_checkpoint_that_does_not_say_whose_it_is_is_read(root) -> None:
    store = PartitionStore(root, 3, 1)
    store.publish(written(store, 10))
    assert PartitionStore(root, 3, 2).load().covered == covering(10)


def test_of_two_owners_with_one_epoch_neither_gives_its_name_to_the_others_file(root) -> None:
    zombie, owner = PartitionStore(root, 0, 1), PartitionStore(root, 0, 1)
    assert zombie.epoch == owner.epoch
    first, half = written(zombie, 10), owner.writing()
    half.write_bytes(b"half")
    assert first != half
    zombie.publish(first)
    assert PartitionStore(root, 0, 2).load().covered == covering(10)


def one_epoch_two_owners(root: str) -> None:
    zombie, owner = PartitionStore(root, 0, 1), PartitionStore(root, 0, 1)
    late, mine = written(zombie, 10), written(owner, 20)
    owner.publish(mine)
    with pytest.raises(OSError, match="is there already: another owner has the same epoch"):
        zombie.publish(late)
    assert not late.exists()
    assert PartitionStore(root, 0, 2).load().covered == covering(20)


def test_a_name_that_another_owner_of_the_epoch_took_is_not_taken_again(root) -> None:
    one_epoch_two_owners(root)


def test_a_file_system_with_one_name_for_each_file_still_takes_no_name_twice(tmp_path, monkeypatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    one_epoch_two_owners(str(tmp_path))


def test_what_a_new_owner_swept_away_is_said_when_it_is_to_be_published(tmp_path) -> None:
    zombie = PartitionStore(str(tmp_path), 0, 1)
    late = written(zombie, 10)
    owner = PartitionStore(str(tmp_path), 0, 1)
    owner.claim()
    owner.own()
    with pytest.raises(FileNotFoundError):
        zombie.publish(late)


@pytest.mark.parametrize("error", [RuntimeError("of the storage's own"), PermissionError("not yours")])
def test_a_storage_that_fails_in_whatever_way_is_said_as_such_and_nothing_is_left(error, aside, tmp_path, monkeypatch):
    def put_file(*_: object, **__: object) -> None:
        raise error

    store = PartitionStore(f"memory://{tmp_path.name}-failing", 0, 1)
    path = written(store, 10)
    monkeypatch.setattr(fsspec.filesystem("memory"), "put_file", put_file)
    with pytest.raises(OSError, match=str(error)):
        store.publish(path)
    assert not list(aside.iterdir())


def test_what_a_partition_covers_says_which_partition_it_is() -> None:
    lane = Lane(4, 5, SimpleNamespace(share=lambda *_: None), covering(0), [], LaneSettings(0.0, 0))
    assert lane.covered({}, 0).partition == 4
    seeding = Seeding([SimpleNamespace(share=lambda *_: None)] * 5)
    assert seeding.covered(4, {}, {}, 0, 0).partition == 4


def test_a_storage_that_cannot_be_used_is_told_before_anything_is_joined(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match=r"^CHURN_CHECKPOINTS: .*file/below: "):
        reachable(f"{tmp_path}/file/below")
    with pytest.raises(UsageError, match=r"^CHURN_CHECKPOINTS: nosuch://x: "):
        reachable("nosuch://x")
    reachable(f"{tmp_path}/new/below")
    assert (tmp_path / "new" / "below").is_dir()
