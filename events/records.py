"""Kafka records to a Batch. Pure: no client is imported, a record is whatever has a record's fields."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from events.cloudevents import HEADER_PREFIX, attributes_of, read_binary
from events.columns import Batch, Origin
from events.compiled import compiled
from events.contract import Event
from events.deadletters import Reason, RefusedError
from events.decode import Scanned, decode_objects, read_struct, scan
from events.lines import Objects

MAX_STEP = 2**31 - 1
MICROSECONDS = 1000


class Read(Protocol):
    """What is needed of a record; `timestamp` is in milliseconds since 1970, as Kafka has it."""

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
    """A record that no consumer gave."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None
    timestamp: int
    offset: int


def decode_records(records: Sequence[Read], place: str, *, received_at: str) -> Batch:
    """Read records of one partition (`place`: `topic/partition`), in their order.

    A record whose key is not its customer_id in UTF-8 is out of range. An event's `clock` is the record's timestamp
    in microseconds, its `line` counts from the offset that its origin begins with.
    """
    objects = objects_of_records(records, place)
    scanned = scan(objects)
    if any([record.headers for record in records]):  # noqa: C419 - a list is read three times as fast
        scanned.sure[:] &= np.fromiter((not is_binary(record) for record in records), np.bool_, len(records))
    scanned.sure[:] &= keys_fit(records, scanned)

    def read(position: int, text: bytes) -> Event:
        return read_record(records[position], text)

    batch = decode_objects(objects, scanned, read, received_at)
    timestamps = np.array([record.timestamp for record in records], np.int64)
    batch.events["clock"] = timestamps[np.searchsorted(objects.starts, batch.events["start"])] * MICROSECONDS
    return batch


def objects_of_records(records: Sequence[Read], place: str) -> Objects:
    """One object per record; a line feed between them keeps two halves of a character from making a whole one."""
    values = [record.value or b"" for record in records]
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    starts = np.cumsum(lengths + 1) - lengths - 1
    offsets = np.array([record.offset for record in records], np.int64)
    origins: list[Origin] = []
    lines = np.empty(len(records), np.int64)
    begin = 0
    while begin < len(records):
        steps = offsets[begin:] - offsets[begin]
        beyond = np.flatnonzero((steps < 0) | (steps > MAX_STEP))
        end = begin + int(beyond[0]) if len(beyond) else len(records)
        origins.append(Origin(int(starts[begin]), place, "/", int(offsets[begin])))
        lines[begin:end] = steps[: end - begin]
        begin = end
    return Objects(b"\n".join(values), starts, starts + lengths, lines, origins, len(values))


def is_binary(record: Read) -> bool:
    """Whether the record is a CloudEvent in binary mode."""
    return bool(record.headers) and any(name.startswith(HEADER_PREFIX) for name, _ in record.headers)


def read_record(record: Read, text: bytes) -> Event:
    """The event of a record; raises RefusedError, or what `diagnose` understands."""
    event = read_binary(attributes_of(record.headers), text) if is_binary(record) else read_struct(0, text)
    if record.key is None or record.key != event.customer_id.encode():
        raise RefusedError(Reason.OUT_OF_RANGE, "record key is not customer_id")
    return event


def keys_fit(records: Sequence[Read], scanned: Scanned) -> NDArray[np.bool_]:
    """Which of the scanned records have their customer for their key."""
    keys = [record.key or b"" for record in records]
    ends = np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)))
    return same_texts(np.frombuffer(b"".join(keys), np.uint8), ends, scanned.text, scanned.events, scanned.sure)


@compiled
def same_texts(
    keys: NDArray[np.uint8],
    ends: NDArray[np.int64],
    text: NDArray[np.uint8],
    events: NDArray[np.void],
    sure: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether each key (they follow one another in `keys`) is the customer id of its event; True for those not sure."""
    same = np.ones(len(ends), np.bool_)
    start = 0
    for index in range(len(ends)):
        length, id_at = ends[index] - start, events[index]["id_at"]
        if sure[index]:
            same[index] = length == events[index]["id_len"]
            for offset in range(length if same[index] else 0):
                same[index] &= keys[start + offset] == text[id_at + offset]
        start = ends[index]
    return same
