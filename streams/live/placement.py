"""Whether records are in the partition that Kafka's default partitioner gives their key (murmur2, as in the Java client).

A producer with another partitioner (librdkafka's default is CRC32) would spread a customer over partitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.records import Read


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


def misplaced(records: Sequence[Read], partition: int, count: int) -> list[tuple[int, int]]:
    """(position, the partition it belongs in) of records of a partition with a key that belongs in another."""
    keys = [record.key or b"" for record in records]
    wanted = partitions_of(keys, count)
    return [(index, int(wanted[index])) for index in np.flatnonzero(wanted != partition).tolist() if keys[index]]
