"""Files of daily feature rows: what is known of each customer at the end of a local day, ids replaced by a keyed hash.

A file is one day of one recording, `<day>.rows.zst`: MessagePack messages, each behind its length (u4, little endian), compressed
together; first a Head, then Blocks of customers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from rules.leaves import NOW
from streams.problems import UsageError

ENDING: Final = ".rows.zst"
VERSION: Final = 1
MOST_BYTES: Final = 2**28
"""No message is longer."""


class Gone(msgspec.Struct, frozen=True, array_like=True):
    """A leaver: pseudonym, the end of the day they left on (µs), whether seen in the 90 days before, of their own will."""

    customer: int
    at: int
    counted: bool
    voluntary: bool


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Of which day (ISO, local) and moment (µs UTC) the rows are, what they know, and who left lately."""

    version: int
    day: str
    at: int
    features: list[str]
    gone: list[Gone]


class Block(msgspec.Struct, frozen=True):
    """Rows of some customers: pseudonyms u8[n], flags u1[n], columns f8[n] without those that are unknown of everybody.

    A category is a place in its `texts`.
    """

    customers: bytes
    asleep: bytes
    explained: bytes
    columns: dict[str, bytes]
    texts: dict[str, list[str]]


def pseudonym(customer_id: str, key: bytes) -> int:
    """What stands for a customer: without the key nobody can tell whose it is, or try ids until one fits."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=8, key=key).digest(), "little")


class DayFile:
    """Writes a day; only a whole one gets its name. Raises OSError."""

    def __init__(self, folder: Path, head: Head) -> None:
        self.path = folder / f"{head.day}{ENDING}"
        self._writing = self.path.with_suffix(".writing")
        self._raw: BinaryIO = self._writing.open("wb")
        self._out = zstandard.ZstdCompressor(level=3).stream_writer(self._raw)
        self._write(head)

    def _write(self, message: Head | Block) -> None:
        data = msgspec.msgpack.encode(message)
        self._out.write(struct.pack("<I", len(data)) + data)

    def add(self, block: Block) -> None:
        """Some more customers."""
        self._write(block)

    def close(self) -> None:
        """The day is whole."""
        self._out.close()  # type: ignore[no-untyped-call]  # zstandard's stubs do not say
        self._raw.close()
        self._writing.replace(self.path)


def day_files(names: tuple[str, ...]) -> list[Path] | None:
    """The days that these folders and files hold, in order; None where none of the names is of daily rows.

    Raises UsageError where daily rows and others are mixed, or a folder holds none.
    """
    found: list[Path] = []
    others = [name for name in names if not Path(name).is_dir() and not name.endswith(ENDING)]
    for name in names:
        path = Path(name)
        if path.is_dir():
            days = sorted(path.rglob(f"*{ENDING}"))
            if not days:
                raise UsageError(f"{name}: is a folder without daily rows (*{ENDING})")
            found += days
        elif name.endswith(ENDING):
            found.append(path)
    if found and others:
        raise UsageError(f"{others[0]}: events and daily rows cannot be mixed")
    return sorted(found, key=lambda path: (path.name, str(path))) or None


def read_head(path: Path) -> Head:
    """What a file says of itself. Raises UsageError for another file, OSError."""
    return read(path)[0]


def read(path: Path) -> tuple[Head, Iterator[Block]]:
    """A day. Raises UsageError, at the damaged place, for a file that is no such thing or is cut off; OSError."""
    messages = _messages(path)
    try:
        head = msgspec.msgpack.decode(next(messages, b""), type=Head)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: no daily rows ({error})") from error
    if head.version != VERSION:
        raise UsageError(f"{path}: daily rows of version {head.version}; this program reads {VERSION}")
    return head, (_block(path, message) for message in messages)


def _block(path: Path, message: bytes) -> Block:
    try:
        return msgspec.msgpack.decode(message, type=Block)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: damaged ({error})") from error


def _messages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw, closefd=False) as stream:
        while True:
            try:
                size = stream.read(4)
                if not size:
                    return
                length = struct.unpack("<I", size)[0] if len(size) == 4 else MOST_BYTES + 1
                message = stream.read(length) if length <= MOST_BYTES else b""
            except zstandard.ZstdError as error:
                raise UsageError(f"{path}: damaged ({error})") from error
            if len(message) != length:
                raise UsageError(f"{path}: damaged or cut off")
            yield message


class RowColumns:
    """The columns of some rows of a block; categories as places in `codes`, which are the same for all blocks."""

    def __init__(self, block: Block, rows: npt.NDArray[np.int64], codes: dict[str, dict[str, float]]) -> None:
        self._block = block
        self._rows = rows
        self._codes = codes
        self._now = np.full(len(rows), np.nan)

    def put_now(self, at: int) -> None:
        """The moment of all rows (µs UTC)."""
        self._now[:] = at

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        """A column; unknown of everybody where it was not recorded."""
        if name == NOW:
            return self._now
        data = self._block.columns.get(name)
        if data is None:
            return np.full(len(self._rows), np.nan)
        column = np.frombuffer(data, np.float64)[self._rows]
        texts = self._block.texts.get(name)
        if texts is None:
            return column
        codes = np.array([*(self.code(name, text) for text in texts), np.nan])
        return codes[np.where(np.isnan(column), len(texts), column).astype(np.int64)]

    def code(self, name: str, text: str) -> float:
        """The code of a category's text."""
        known = self._codes.setdefault(name, {})
        return known.setdefault(text, float(len(known)))

    def text(self, name: str, code: float) -> str | None:
        """The text of a category's code; None where it is unknown."""
        return None if code != code else next(text for text, at in self._codes[name].items() if at == code)

    def is_category(self, name: str) -> bool:
        """Whether a feature's values are texts."""
        return name in self._block.texts


def packed(columns: Mapping[str, npt.NDArray[np.float64]]) -> dict[str, bytes]:
    """Columns as bytes, those left out that are unknown of everybody."""
    return {name: column.tobytes() for name, column in columns.items() if not np.isnan(column).all()}
