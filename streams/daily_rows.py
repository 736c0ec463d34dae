"""Files of daily feature rows: what is known of each customer at the end of a local day, ids replaced by a keyed hash.

A file is one day of one recording (`streams/day_files.py` has their names): MessagePack messages, each behind its length (u4,
little endian), compressed together; first a Head, then Blocks of customers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from rules.leaves import NOW
from streams.problems import UsageError

VERSION: Final = 1
MOST_BYTES: Final = 2**28
"""No message is longer."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Which partition of how many, and by which owner (streams/live/store.py); as it stands: all customers, by no worker."""

    partition: int = 0
    partitions: int = 1
    epoch: int = 0


EVERYBODY: Final = Whose()


class Gone(msgspec.Struct, frozen=True, array_like=True):
    """A leaver: pseudonym, the end of the day they left on (µs), whether seen in the 90 days before, of their own will."""

    customer: int
    at: int
    counted: bool
    voluntary: bool


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Of which day (ISO, local) and moment (µs UTC) the rows are, what they know, and who left lately.

    Of which partition of how many, recorded by which owner of it (0: no worker), and the day on which its first customer came;
    `key` tells keys apart.
    """

    version: int
    day: str
    at: int
    features: list[str]
    gone: list[Gone]
    partition: int = 0
    partitions: int = 1
    epoch: int = 0
    since: str = ""
    key: str = ""


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


def key_mark(key: bytes) -> str:
    """What tells a key from others, and nothing else of it."""
    return hashlib.blake2b(b"", digest_size=4, key=key, person=b"key mark").hexdigest()


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
