"""Whether records are in the partition that Kafka's default partitioner gives their key (murmur2, as in the Java client).

A producer with another partitioner (librdkafka's default is CRC32) would spread a customer over partitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.packed import Records

IN_PLACE: Final = -1


@compiled
def murmur2(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Austin Appleby's MurmurHash2, 32 bits, seed 0x9747b28c, of data[start:end]."""
    length = end - start
    m = np.uint32(0x5BD1E995)
    h = np.uint32(0x9747B28C) ^ np.uint32(length)
    at = start
    for _ in range(length // 4):
        k = (
            np.uint32(data[at])
            | np.uint32(data[at + 1]) << np.uint32(8)
            | np.uint32(data[at + 2]) << np.uint32(16)
            | np.uint32(data[at + 3]) << np.uint32(24)
        )
        k = np.uint32(k * m)
        k ^= k >> np.uint32(24)
        k = np.uint32(k * m)
        h = np.uint32(np.uint32(h * m) ^ k)
        at += 4
    left = end - at
    if left >= 3:
        h ^= np.uint32(data[at + 2]) << np.uint32(16)
    if left >= 2:
        h ^= np.uint32(data[at + 1]) << np.uint32(8)
    if left >= 1:
        h ^= np.uint32(data[at])
        h = np.uint32(h * m)
    h ^= h >> np.uint32(13)
    h = np.uint32(h * m)
    h ^= h >> np.uint32(15)
    return np.int64(h)


@compiled
def _partitions(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    count: int,
    out: NDArray[np.int64],
) -> None:
    for index in range(len(starts)):
        out[index] = (murmur2(text, starts[index], starts[index] + lengths[index]) & 0x7FFFFFFF) % count


def partitions_in(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The partition, of `count`, of each key that lies in `text` (a batch's customers)."""
    out = np.empty(len(starts), np.int64)
    _partitions(text, starts, lengths, count, out)
    return out


def partitions_of(keys: Sequence[bytes], count: int) -> NDArray[np.int64]:
    """The partition of each key, of `count`."""
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    text = np.frombuffer(b"".join(keys) + b"\0", np.uint8)
    return partitions_in(text, np.cumsum(lengths) - lengths, lengths, count)


def misplaced(records: Records, partition: int, count: int) -> NDArray[np.int64]:
    """The partition each record belongs in that is in another by its key; −1 for those in their own, and without a key."""
    rows = records.rows
    wanted = partitions_in(records.text, rows["key_at"], np.maximum(rows["key_len"], 0), count)
    return np.where((wanted != partition) & (rows["key_len"] > 0), wanted, IN_PLACE)
