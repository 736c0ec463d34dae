"""Records of a Kafka partition in columns: what a fetch brought stays one piece of bytes, with where each record's parts lie.

An object for each record costs several microseconds, more than all the rest of reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from events.cloudevents import HEADER_PREFIX
from events.compiled import compiled

MOST_BYTES = 1 << 30
"""Of one piece: places in it are numbers of 32 bits."""
NONE = -1
"""The length of a key or a value that is null, and the place of headers that there are none of."""
RECORD = np.dtype(
    [
        ("offset", "i8"),
        ("timestamp", "i8"),  # ms since 1970, as Kafka has it
        ("key_at", "i4"),  # where its bytes are in Records.raw
        ("key_len", "i4"),
        ("value_at", "i4"),
        ("value_len", "i4"),
        ("headers_at", "i4"),  # in the form of Kafka's protocol, beginning with their number
        ("binary", "u1"),  # whether a header is one of CloudEvents
    ]
)
BINARY_PREFIX = np.frombuffer(HEADER_PREFIX.encode(), np.uint8)


class Read(Protocol):
    """What is needed of a record that some client read; `timestamp` is in milliseconds since 1970."""

    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def offset(self) -> int: ...


class Record(NamedTuple):
    """One record."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None
    timestamp: int
    offset: int


@dataclass(frozen=True)
class Records:
    """Records of one partition in their order: RECORD[records], and the bytes that they point into."""

    raw: bytes
    rows: NDArray[np.void]

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.rows)

    @property
    def first(self) -> int:
        """The first record's offset."""
        return int(self.rows["offset"][0])

    @property
    def last(self) -> int:
        """The last record's offset."""
        return int(self.rows["offset"][-1])

    @property
    def text(self) -> NDArray[np.uint8]:
        """`raw`, never empty."""
        return np.frombuffer(self.raw or b"\0", np.uint8)

    def those(self, chosen: Any) -> Records:
        """Some of the records, by a slice or a mask."""
        return Records(self.raw, self.rows[chosen])

    def since(self, offset: int) -> Records:
        """The records from an offset on."""
        return self if self.count and self.first >= offset else self.those(self.rows["offset"] >= offset)

    def before(self, offset: int) -> Records:
        """The records before an offset."""
        return self if self.count and self.last < offset else self.those(self.rows["offset"] < offset)

    def at(self, index: int) -> Record:
        """One of them."""
        row = self.rows[index]
        value = self._bytes(row["value_at"], row["value_len"])
        return Record(value, self.headers(index), self.key(index), int(row["timestamp"]), int(row["offset"]))

    def key(self, index: int) -> bytes | None:
        """The key of one of them."""
        row = self.rows[index]
        return self._bytes(row["key_at"], row["key_len"])

    def headers(self, index: int) -> list[tuple[str, bytes | None]]:
        """The headers of one of them."""
        return read_headers(self.raw, int(self.rows["headers_at"][index]))

    def _bytes(self, at: int, length: int) -> bytes | None:
        return None if length < 0 else self.raw[at : at + length]


def joined(pieces: Sequence[Records]) -> Records:
    """One piece of several, in their order; raises ValueError for more than MOST_BYTES."""
    if len(pieces) == 1:
        return pieces[0]
    rows = np.concatenate([np.empty(0, RECORD), *(piece.rows for piece in pieces)])
    lengths = np.array([len(piece.raw) for piece in pieces], np.int64)
    if lengths.sum() > MOST_BYTES:
        raise ValueError(f"{lengths.sum()} bytes of records are too many for one piece")
    moved = np.repeat(np.cumsum(lengths) - lengths, [piece.count for piece in pieces]).astype(np.int32)
    for name in ("key_at", "value_at"):
        rows[name] += moved
    rows["headers_at"] = np.where(rows["headers_at"] >= 0, rows["headers_at"] + moved, NONE)
    return Records(b"".join(piece.raw for piece in pieces), rows)


def packed(records: Iterable[Read]) -> Records:
    """Records that a client made objects of."""
    raw = bytearray()
    rows = []
    for record in records:
        parts: list[int] = []
        for part in (record.key, record.value):
            parts += [len(raw), NONE if part is None else len(part)]
            raw += part or b""
        binary = any(name.startswith(HEADER_PREFIX) for name, _ in record.headers)
        rows.append((record.offset, record.timestamp, *parts, len(raw) if record.headers else NONE, binary))
        raw += written_headers(record.headers) if record.headers else b""
    return Records(bytes(raw), np.array(rows, RECORD))


# --- Kafka's protocol: numbers of varying length, and headers


@compiled
def read_number(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """A zigzag varint (Protocol Buffers encoding) and where it ends; (0, a place behind the end) where it does not end."""
    value, shift = np.uint64(0), np.uint64(0)
    while at < len(text) and shift < 64:
        byte = text[at]
        value |= np.uint64(byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return int(np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))), at
        shift += np.uint64(7)
    return 0, len(text) + 1


def written_number(value: int) -> bytes:
    """The zigzag varint of a number of at most 64 bits."""
    left, out = (value << 1) ^ (value >> 63), bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def written_headers(headers: Sequence[tuple[str, bytes | None]]) -> bytes:
    """Headers as they are in a record."""
    out = [written_number(len(headers))]
    for name, value in headers:
        encoded = name.encode("utf-8", "surrogateescape")
        out += [
            written_number(len(encoded)),
            encoded,
            written_number(NONE if value is None else len(value)),
            value or b"",
        ]
    return b"".join(out)


def read_headers(raw: bytes, at: int) -> list[tuple[str, bytes | None]]:
    """The headers that begin at a place; none at NONE."""
    if at < 0:
        return []
    text, found = np.frombuffer(raw, np.uint8), []
    count, at = read_number(text, at)
    for _ in range(count):
        length, at = read_number(text, at)
        name, at = raw[at : at + length].decode("utf-8", "surrogateescape"), at + length
        length, at = read_number(text, at)
        found.append((name, None if length < 0 else raw[at : at + length]))
        at += max(0, length)
    return found
