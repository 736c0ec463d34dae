"""Checkpoints come back as they were, or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.checkpoint import (
    COPY_BYTES,
    MAGIC,
    CheckpointFolder,
    InUseError,
    TooNewError,
    UnreadableError,
    read_state,
)
from streams.memory import growable

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


def test_whatever_byte_is_wrong_it_is_found_out(folder: CheckpointFolder) -> None:
    random = np.random.default_rng(3)
    path = folder.save(state(2) | {"sparse": np.zeros((3 * COPY_BYTES) // 8 + 5)})
    data = path.read_bytes()
    for place in (*range(40), *random.integers(40, len(data), 300).tolist()):
        harmed = bytearray(data)
        harmed[place] ^= 1 << int(random.integers(0, 8))
        path.write_bytes(harmed)
        with pytest.raises((UnreadableError, TooNewError)):
            folder.load()


def test_what_is_mostly_nothing_takes_little_room_and_noise_no_more_than_it_is(folder: CheckpointFolder) -> None:
    random = np.random.default_rng(4)
    sparse = np.where(random.random(COPY_BYTES // 4) < 0.01, 1.5, 0.0)
    assert folder.save({"records": sparse}).stat().st_size < sparse.nbytes / 8
    noise = random.integers(0, 2**63, 3 * COPY_BYTES // 16)
    assert folder.save({"keys": noise}).stat().st_size < noise.nbytes + 500


@pytest.mark.parametrize("last", [np.arange(3), np.array([True, False]), np.array(7, np.int32)])
@pytest.mark.parametrize("version", [1, 2])
def test_formats_before_pieces_are_read(tmp_path: Path, version: int, last: NDArray[np.generic]) -> None:
    old = state(5) | {"last": last}
    entries = [{"name": name, "kind": "bytes" if isinstance(one, bytes) else "array"} for name, one in old.items()]
    out = io.BytesIO(MAGIC + b"%d\n" % version + msgspec.json.encode(entries) + b"\n")
    out.seek(0, io.SEEK_END)
    for one in old.values():
        if isinstance(one, bytes):
            out.write(len(one).to_bytes(8, "little") + one)
        else:
            np.lib.format.write_array(out, one, version=(1, 0), allow_pickle=False)
    path = tmp_path / "old.checkpoint"
    path.write_bytes(out.getvalue() + hashlib.sha256(out.getvalue()).digest())
    assert same(read_state(path), old)


def test_when_none_can_be_read_it_says_so_and_does_not_begin_anew(folder: CheckpointFolder) -> None:
    folder.save(state(1)).write_bytes(b"rubbish")
    with pytest.raises(UnreadableError, match="no checkpoint"):
        folder.load()


def test_a_newer_format_is_refused_and_not_fallen_back_from(folder: CheckpointFolder) -> None:
    folder.save(state(1))
    path = folder.save(state(2))
    path.write_bytes(path.read_bytes().replace(MAGIC + b"3", MAGIC + b"4", 1))
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


def mapping(address: int) -> str:
    """The stretch of this process's memory that an address is in."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, end = (int(place, 16) for place in line.split()[0].split("-"))
        if first <= address < end:
            return line
    return ""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="not Linux")
@pytest.mark.parametrize("shape", [(64 << 20,), ((64 << 20) + 1_234,), (50_000, 1344)])
def test_what_is_read_lies_in_memory_that_can_grow_in_place(shape: tuple[int, ...]) -> None:
    array = growable(shape, np.uint8)
    first = array.ctypes.data
    assert mapping(first) == mapping(first + array.nbytes - 1) != ""  # what lies in two the system does not move
    array[:] = 7
    array.resize((shape[0] + 1_000, *shape[1:]), refcheck=False)
    assert (array[: shape[0]] == 7).all()
    assert not array[shape[0] :].any()
