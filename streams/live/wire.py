"""What a fetch brought, to records in columns: Kafka's record batches (magic 2), without an object for each record.

What they are is in Kafka's documentation, "Message Format". Records of aborted transactions are left out, as the markers
that end transactions are. Batches of older formats, and damaged ones, go through the client's own parser, which knows what
to leave out and what to raise.
"""

from __future__ import annotations

import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from aiokafka import TopicPartition, codec
from aiokafka.consumer import fetcher
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords
from numpy.typing import NDArray

from events.compiled import compiled
from events.packed import BINARY_PREFIX, NONE, RECORD, Records, packed, read_number

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


class Kept(MemoryRecords):
    """The client's record batches, which would otherwise not give out the bytes that they are of."""

    raw = b""


def kept(raw: bytes) -> Kept:
    """What the client makes of the bytes of a partition, and the bytes."""
    records = Kept(raw)
    records.raw = raw
    return records


def in_columns(consumer: Any) -> Any:
    """Have a consumer that has been started, and has no partitions yet, give one `Given` for all that a fetch brought; gives
    its fetcher.
    """
    fetcher.MemoryRecords = kept  # whoever does not ask for the bytes finds what was there before
    consumer._fetcher._records = Fetched()  # noqa: SLF001 - the client has no other door for it
    return consumer._fetcher  # noqa: SLF001


class Head(NamedTuple):
    """The beginning of a batch of so many `records` that lies at raw[at:end]."""

    at: int
    end: int
    attributes: int
    records: int


class Fetched(OrderedDict[TopicPartition, Any]):
    """What fetches brought, by partition; each gives all of its records as one piece."""

    def __setitem__(self, where: TopicPartition, result: Any) -> None:
        records = getattr(result, "_partition_records", None)
        if records is not None:
            result._partition_records = Piece(records)  # noqa: SLF001 - the client has no other door for it
        super().__setitem__(where, result)


class Given(NamedTuple):
    """All that a partition has from the offset `since` on and before `until`. Fewer records than that are all there are: the
    others are of aborted transactions, markers of transactions, or were compacted away; there may be none. `came`: when the
    broker's answer was here (monotonic, s), which is not before the broker had them.
    """

    records: Records
    since: int
    until: int
    came: float


class Piece(Iterator[Given]):
    """Stands for the client's `PartitionRecords`: `next_fetch_offset` is what follows what was given."""

    def __init__(self, records: Any) -> None:
        self.records = records
        self.came = time.monotonic()
        self.next_fetch_offset: int = records.next_fetch_offset

    def __next__(self) -> Given:
        client, self.records = self.records, None
        if client is None:
            raise StopIteration
        found = plain_records(client, self.came) or packed_by(client, self.came)
        if found.until <= found.since:
            raise StopIteration
        self.next_fetch_offset = found.until
        return found


def as_parsed(_where: TopicPartition, record: Any) -> Any:
    """A record as the client's parser makes it, and not copied into another."""
    return record


def packed_by(client: Any, came: float) -> Given:
    """What the client's own parser finds."""
    since, client._consumer_record = client.next_fetch_offset, as_parsed  # noqa: SLF001
    records = packed(client)
    return Given(records, since, client.next_fetch_offset, came)


def plain_records(client: Any, came: float) -> Given | None:
    """What there is where all batches are plain; None where one is not. Raises CorruptRecordException for a wrong checksum."""
    raw: bytes = client._records.raw  # noqa: SLF001 - and not taken from, for the client's parser may have to begin
    heads, since = heads_of(raw), client.next_fetch_offset
    if heads is None:
        return None
    batches, until, aborted, counting = MemoryRecords(raw), since, Aborted(client), []
    for head in heads:
        batch = batches.next_batch()
        if not batch.validate_crc():
            raise fetcher.Errors.CorruptRecordException(f"wrong checksum: {client._tp}")  # noqa: SLF001
        until = batch.next_offset
        if not head.attributes & SPECIAL or aborted.counts(batch):
            counting.append(head)
    records = unpacked(raw, counting)
    return None if records is None else Given(records.since(since), since, until, came)


class Aborted:
    """The aborted transactions that a fetch met, as its answer lists them: each of a producer, from its first offset to the
    next marker of this producer that says so.
    """

    def __init__(self, client: Any) -> None:
        self.coming: deque[tuple[int, int]] = deque(client._aborted_transactions)  # noqa: SLF001 - by first offset
        self.now: set[int] = set()  # producers

    def counts(self, batch: Any) -> bool:
        """Whether a batch, the next that is part of a transaction or a marker, has events."""
        while self.coming and self.coming[0][1] <= batch.base_offset:
            self.now.add(self.coming.popleft()[0])
        if batch.is_control_batch:
            marker = next(batch, None)
            if marker is not None and ControlRecord.parse(marker.key).type_ == ABORT_MARKER.type_:
                self.now.discard(batch.producer_id)
            return False
        return batch.producer_id not in self.now


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


def unpacked(raw: bytes, heads: list[Head]) -> Records | None:
    """The records of plain batches; None where one is not as it should be."""
    pieces = [plain(raw, head) for head in heads]
    whole = b"".join(pieces)
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
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
