"""A folder of checkpoints: everything that a run knows, on disk, so that it can go on after any end.

One file per checkpoint, numbered upwards: a line that names the format, a table of entries, their bytes (arrays behind
numpy's own .npy heads, never pickles; both in compressed pieces), and a SHA-256 of it all. A new one is written beside the
old ones, flushed to the disk and only then given its name; the one before stays, for the day the newest cannot be read.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, Protocol, Self, TypeAlias

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from sinks.named import named
from streams.memory import growable

MAGIC = b"churn-checkpoint "
VERSION = 3
"""2: a customer's blocks lie side by side, as in memory (customers/state.py); 3: in compressed pieces; 1 and 2 are read too."""
COMPRESSED = 3
"""The first format in pieces."""
SUFFIX = ".checkpoint"
KEEP = 2
COPY_BYTES = 1 << 22
"""Of a piece before it is compressed; the last one of a value is shorter."""
LENGTH_BYTES = 4
"""Before each piece; one that is as long as it is uncompressed stands as it is."""
WORTH_IT, LEFT_BYTES = 0.9, 32 << 20
"""What shrinks less is left as it is, and so much of the value with it: keys do not shrink, and trying takes time."""
LEVEL = -3
"""Of zstd: takes no longer than hashing and writing what it spares. Customers' records shrink to an eighth, keys not at all."""

State: TypeAlias = Mapping[str, NDArray[Any] | bytes]


class UnreadableError(Exception):
    """A checkpoint file is damaged or cut off."""


class TooNewError(Exception):
    """A checkpoint was written by a newer version of this program."""


class InUseError(Exception):
    """Another process works with the folder."""


class Entry(msgspec.Struct, frozen=True):
    """One named value in the file."""

    name: str
    kind: Literal["array", "bytes"]


class Writable(Protocol):
    """Something that takes bytes."""

    def write(self, data: Any, /) -> int: ...


class Digested:
    """A binary file that computes the SHA-256 of what goes through it."""

    def __init__(self, file: Writable) -> None:
        self.file = file
        self.digest = hashlib.sha256()
        self.compressor = zstandard.ZstdCompressor(LEVEL)

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self.file.write(data)

    def write_pieces(self, data: Any) -> None:
        """Bytes that lie side by side, compressed."""
        left_until = 0
        for start in range(0, len(data), COPY_BYTES):
            kept = piece = data[start : start + COPY_BYTES]
            if start >= left_until:
                kept = self.compressor.compress(piece)
                if len(kept) > len(piece) * WORTH_IT:
                    kept, left_until = piece, start + LEFT_BYTES
            self.write(len(kept).to_bytes(LENGTH_BYTES, "little"))
            self.write(kept)

    def close_with_digest(self) -> None:
        self.file.write(self.digest.digest())


class CheckpointFolder:
    """The checkpoints of one run after another. One process at a time: raises InUseError, OSError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lock: IO[bytes] = (folder / "lock").open("ab")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.lock.close()
            raise InUseError(f"{folder} is in use by another process") from error
        for leftover in folder.glob("*.writing"):
            leftover.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.close()

    def files(self) -> list[Path]:
        """The checkpoints there are, the newest first."""
        return sorted(self.folder.glob(f"*{SUFFIX}"), reverse=True)

    def save(self, state: State) -> Path:
        """Make a new checkpoint durable, then delete the older ones but one; raises OSError (the old ones stay)."""
        newest = next(iter(self.files()), None)
        number = int(newest.stem) + 1 if newest else 1
        path = self.folder / f"{number:012d}{SUFFIX}"
        writing = path.with_suffix(".writing")
        try:
            with named(writing), writing.open("wb") as file:
                write_state(file, state)
                file.flush()
                os.fsync(file.fileno())
            writing.rename(path)
        except (OSError, ValueError):
            writing.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)
        for old in self.files()[KEEP:]:
            old.unlink()
        return path

    def load(self) -> tuple[dict[str, NDArray[Any] | bytes] | None, list[str]]:
        """The newest checkpoint that can be read (none when there is none), and what was wrong with newer ones.

        Raises TooNewError, and UnreadableError when there are checkpoints but none can be read.
        """
        troubles: list[str] = []
        for path in self.files():
            try:
                return read_state(path), troubles
            except UnreadableError as error:
                troubles.append(str(error))
        if troubles:
            raise UnreadableError("; ".join(troubles))
        return None, troubles


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_state(file: Writable, state: State) -> None:
    """The whole format, to a file that is open for writing."""
    out = Digested(file)
    out.write(MAGIC + f"{VERSION}\n".encode())
    entries = [Entry(name, "bytes" if isinstance(value, bytes) else "array") for name, value in state.items()]
    out.write(msgspec.json.encode(entries) + b"\n")
    for value in state.values():
        if isinstance(value, bytes):
            out.write(len(value).to_bytes(8, "little"))
            out.write_pieces(value)
        else:
            write_array(out, value)
    out.close_with_digest()


def write_array(out: Digested, array: NDArray[Any]) -> None:
    """Behind numpy's .npy head, without a copy of the whole; raises ValueError for objects."""
    if array.dtype.hasobject:
        raise ValueError("objects cannot be saved (allow_pickle=False)")
    head = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(out, head)
    flat = np.ascontiguousarray(array.T if head["fortran_order"] else array).reshape(-1)
    out.write_pieces(flat.view(np.uint8) if flat.nbytes else b"")


class Digesting:
    """A binary file of so many bytes that is read once: what goes through it is hashed on the way."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.left = file, size
        self.digest = hashlib.sha256()
        self.decompressor = zstandard.ZstdDecompressor()

    def read(self, size: int = 0, /) -> bytes:
        """Exactly so many bytes; raises ValueError where there are fewer."""
        if size > self.left:
            raise ValueError("damaged or cut off (it ends too early)")
        data = self.file.read(size)
        self._took(data)
        return data

    def readline(self) -> bytes:
        data = self.file.readline(self.left)
        self._took(data)
        return data

    def read_plain(self, into: Any) -> None:
        """Fill `into`, in pieces that are still in the processor's cache when they are hashed."""
        for start in range(0, len(into), COPY_BYTES):
            piece = into[start : start + COPY_BYTES]
            if self.file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
                raise ValueError("damaged or cut off (it ends too early)")
            self._took(piece)

    def read_pieces(self, into: Any) -> None:
        """Fill `into` with what was compressed."""
        for start in range(0, len(into), COPY_BYTES):
            size = min(COPY_BYTES, len(into) - start)
            kept = self.read(int.from_bytes(self.read(LENGTH_BYTES), "little"))
            piece = kept if len(kept) == size else self.decompressor.decompress(kept, max_output_size=size)
            if len(piece) != size:
                raise ValueError("damaged or cut off (a piece has another length)")
            into[start : start + size] = memoryview(piece)

    def _took(self, data: Any) -> None:
        self.left -= len(data)
        self.digest.update(data)


def read_state(path: Path) -> dict[str, NDArray[Any] | bytes]:
    """Read one file, once, into arrays of its own; raises UnreadableError, TooNewError."""
    try:
        with path.open("rb") as file:
            digested = Digesting(file, path.stat().st_size - hashlib.sha256().digest_size)
            compressed = check_version(path, digested.readline()) >= COMPRESSED
            fill = digested.read_pieces if compressed else digested.read_plain
            entries = msgspec.json.decode(digested.readline(), type=list[Entry])
            state = {entry.name: read_value(digested, entry, fill) for entry in entries}
            if digested.left or file.read() != digested.digest.digest():
                raise ValueError("damaged or cut off (its checksum differs)")
            return state
    except (TooNewError, UnreadableError):
        raise
    except Exception as error:  # whatever numpy's parser makes of a damaged head
        raise UnreadableError(f"{path}: {error}") from error


def read_value(file: Digesting, entry: Entry, fill: Callable[[Any], None]) -> NDArray[Any] | bytes:
    """The value that begins here, its bytes as `fill` reads them. Raises ValueError and what else a damaged head may cause."""
    if entry.kind == "bytes":
        data = np.empty(room(file, int.from_bytes(file.read(8), "little")), np.uint8)
        fill(data)
        return data.tobytes()
    array, transposed = empty_array(file)
    fill(array.reshape(-1).view(np.uint8) if array.nbytes else b"")
    return array.T if transposed else array


def empty_array(file: Digesting) -> tuple[NDArray[Any], bool]:
    """What the head that comes next describes, and whether it has to be transposed when it is filled."""
    version = np.lib.format.read_magic(file)
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = head(file)
    if dtype.hasobject:
        raise ValueError("damaged or cut off (an array of objects)")
    room(file, math.prod(shape) * dtype.itemsize)
    return growable(shape[::-1] if fortran else shape, dtype), fortran


def room(file: Digesting, size: int) -> int:
    """`size` (bytes) where what is left of the file can tell of so many; a damaged head may say any number."""
    if size > max(file.left, file.left // (LENGTH_BYTES + 1) * COPY_BYTES):
        raise ValueError("damaged or cut off (a value is larger than the file)")
    return size


def check_version(path: Path, line: bytes) -> int:
    """The format, which the first line says."""
    version = line.removeprefix(MAGIC).strip()
    if not line.startswith(MAGIC) or not version.isdigit():
        raise UnreadableError(f"{path}: no checkpoint")
    if int(version) > VERSION:
        raise TooNewError(
            f"{path} was written by a newer version of churn (format {int(version)}, this one reads {VERSION})"
        )
    return int(version)
