"""Kafka's record batches (magic 2) to records in columns, without an object for each record.

What they are is in Kafka's documentation, "Message Format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from aiokafka import codec
from numpy.typing import NDArray

from events.compiled import compiled
from events.packed import BINARY_PREFIX, NONE, RECORD, Records, read_number

HEAD: Final = struct.Struct(">qi i b I h i q q q h i i")
HEAD_BYTES: Final = 61
FRAME_BYTES: Final = 12
"""The offset and the length that a batch begins with, which are not counted by the length."""
MAGIC_AT: Final = 16
MAGIC: Final = 2
COMPRESSION, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x07, 0x08, 0x10, 0x20
"""Bits of a batch's attributes; a control batch is the marker that ends a transaction."""
SPECIAL: Final = TRANSACTIONAL | CONTROL
UNPACK: Final[Mapping[int, Callable[[bytes], bytes]]] = MappingProxyType(
    {1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode}
)


class Head(NamedTuple):
    """The beginning of a batch of so many `records` that lies at raw[at:end]."""

    at: int
    end: int
    attributes: int
    records: int


def heads_of(raw: bytes) -> list[Head] | None:
    """All whole batches, the last may be cut off; None where there is one that is not plain."""
    heads, at = [], 0
    while at + MAGIC_AT < len(raw):
        if raw[at + MAGIC_AT] != MAGIC:
            return None
        if at + HEAD_BYTES > len(raw):
            break
        _, length, _, _, _, attributes, *_, count = HEAD.unpack_from(raw, at)
        end, compression = at + FRAME_BYTES + length, attributes & COMPRESSION
        if length < HEAD_BYTES - FRAME_BYTES or (compression and compression not in UNPACK):
            return None
        if end > len(raw):
            break
        heads.append(Head(at, end, attributes, count))
        at = end
    return heads


def unpacked(heads: list[Head], texts: list[bytes]) -> Records | None:
    """The records of plain batches, of which `texts` are no longer compressed; None where one is not as it should be."""
    whole = b"".join(texts)
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    rows = np.empty(max(0, sum(head.records for head in heads)), RECORD)
    read = read_batches(np.frombuffer(whole or b"\0", np.uint8), ends, BINARY_PREFIX, rows)
    return Records(whole, rows) if read == len(rows) else None


def plain(raw: bytes, head: Head) -> bytes:
    """A batch, its records no longer compressed."""
    compression = head.attributes & COMPRESSION
    if not compression:
        return raw[head.at : head.end]
    return raw[head.at : head.at + HEAD_BYTES] + UNPACK[compression](raw[head.at + HEAD_BYTES : head.end])


@compiled(nogil=True)
def read_batches(
    text: NDArray[np.uint8], ends: NDArray[np.int64], prefix: NDArray[np.uint8], out: NDArray[np.void]
) -> int:
    """Read batches that follow one another, each up to its end, into `out` (RECORD); gives how many records were read,
    less than there are where a batch contradicts itself.
    """
    at, index = 0, 0
    for end in ends:
        base, first = big_endian(text, at, 8), big_endian(text, at + 27, 8)
        newest, count = big_endian(text, at + 35, 8), big_endian(text, at + 57, 4)
        appended = text[at + 22] & LOG_APPEND_TIME
        at += HEAD_BYTES
        for _ in range(count):
            if index >= len(out):
                return -1
            row = out[index]
            length, at = read_number(text, at)
            following = at + length
            delta, at = read_number(text, at + 1)  # behind the record's attributes
            step, at = read_number(text, at)
            row["offset"], row["timestamp"] = base + step, newest if appended else first + delta
            row["key_len"], row["key_at"] = read_number(text, at)
            row["value_len"], row["value_at"] = read_number(text, row["key_at"] + max(0, row["key_len"]))
            at = row["value_at"] + max(0, row["value_len"])
            headers, behind = read_number(text, at)
            row["headers_at"], row["binary"] = at if headers > 0 else NONE, 0
            for _ in range(headers):
                name, at_name = read_number(text, behind)
                row["binary"] |= begins(text, at_name, name, prefix)
                value, behind = read_number(text, at_name + max(0, name))
                behind += max(0, value)
                if behind > end:
                    return -1
            if behind != following or following > end:
                return -1
            at, index = following, index + 1
        if at != end:
            return -1
    return index


@compiled
def big_endian(text: NDArray[np.uint8], at: int, length: int) -> int:
    """The number in the next bytes."""
    value = np.uint64(0)
    for place in range(at, at + length):
        value = value << np.uint64(8) | np.uint64(text[place])
    return int(np.int64(value))


@compiled
def begins(text: NDArray[np.uint8], at: int, length: int, prefix: NDArray[np.uint8]) -> bool:
    """Whether text[at:at + length] begins so."""
    if length < len(prefix) or at + length > len(text):
        return False
    same = True
    for place in range(len(prefix)):
        same &= text[at + place] == prefix[place]
    return same
