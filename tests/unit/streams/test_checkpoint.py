"""Checkpoints come back as they were, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.checkpoint import MAGIC, CheckpointFolder, InUseError, TooNewError, UnreadableError

RECORD = np.dtype([("at", "i8"), ("x", "f8", (7,)), ("kind", "u1")])


def state(seed: int) -> dict[str, NDArray[np.generic] | bytes]:
    random = np.random.default_rng(seed)
    records = np.zeros(50, RECORD)
    records["x"] = random.random((50, 7))
    return {
        "numbers": random.integers(0, 9, (40, 3)),
        "fortran": np.asfortranarray(random.random((5, 4))),
        "records": records,
        "none": np.zeros((0, 4), np.float32),
        "words": bytes(random.bytes(100)),
        "nothing": b"",
        "with nan": np.array([np.nan, -0.0, np.inf]),
    }


def same(one: object, other: object) -> bool:
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    return list(one) == list(other) and all(
        one[name] == other[name]
        if isinstance(one[name], bytes)
        else one[name].dtype == other[name].dtype and one[name].tobytes() == other[name].tobytes()
        for name in one
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[CheckpointFolder]:
    with CheckpointFolder(tmp_path / "state") as one:
        yield one


def test_a_checkpoint_comes_back_bit_for_bit(folder: CheckpointFolder) -> None:
    folder.save(state(1))
    folder.save(state(2))

    loaded, troubles = folder.load()

    assert same(loaded, state(2))
    assert troubles == []


def test_an_empty_folder_has_none(folder: CheckpointFolder) -> None:
    assert folder.load() == (None, [])


def test_two_are_kept(folder: CheckpointFolder) -> None:
    for seed in range(5):
        folder.save(state(seed))
    assert [path.stem for path in folder.files()] == ["000000000005", "000000000004"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "table"])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(folder: CheckpointFolder, harm: str) -> None:
    folder.save(state(1))
    path = folder.save(state(2))
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
    if harm == "table":
        data[len(MAGIC) + 5] ^= 1
    path.write_bytes(data[:-1] if harm == "cut" else b"" if harm == "empty" else data)

    loaded, troubles = folder.load()

    assert same(loaded, state(1))
    [trouble] = troubles
    assert str(path) in trouble


def test_when_none_can_be_read_it_says_so_and_does_not_begin_anew(folder: CheckpointFolder) -> None:
    folder.save(state(1)).write_bytes(b"rubbish")
    with pytest.raises(UnreadableError, match="no checkpoint"):
        folder.load()


def test_a_newer_format_is_refused_and_not_fallen_back_from(folder: CheckpointFolder) -> None:
    folder.save(state(1))
    path = folder.save(state(2))
    path.write_bytes(path.read_bytes().replace(MAGIC + b"2", MAGIC + b"3", 1))
    with pytest.raises(TooNewError, match="newer version"):
        folder.load()


def test_what_was_being_written_when_the_process_died_is_cleaned_up(tmp_path: Path) -> None:
    with CheckpointFolder(tmp_path) as folder:
        folder.save(state(1))
    (tmp_path / "000000000002.writing").write_bytes(b"half")

    with CheckpointFolder(tmp_path) as again:
        assert same(again.load()[0], state(1))
    assert not list(tmp_path.glob("*.writing"))


def test_only_one_process_may_use_it(tmp_path: Path) -> None:
    with CheckpointFolder(tmp_path), pytest.raises(InUseError):
        CheckpointFolder(tmp_path)
    with CheckpointFolder(tmp_path):
        pass


def test_objects_are_refused(folder: CheckpointFolder) -> None:
    with pytest.raises(ValueError, match="objects cannot be saved"):
        folder.save({"objects": np.array([{}])})
    assert list(folder.folder.glob("0*")) == []
