"""Kafka records to a Batch. Pure: no client is imported."""

import numpy as np
from numpy.typing import NDArray

from events.cloudevents import attributes_of, read_binary
from events.columns import Batch, Origin
from events.compiled import compiled
from events.contract import Event
from events.deadletters import Reason, RefusedError
from events.decode import decode_objects, read_struct, scan
from events.lines import LINE_FEED, Objects
from events.packed import Records

MAX_STEP = 2**31 - 1
MICROSECONDS = 1000


def decode_records(records: Records, place: str, *, received_at: str) -> Batch:
    """Read records of one partition (`place`: `topic/partition`), in their order.

    A record whose key is not its customer_id in UTF-8 is out of range. An event's `clock` is the record's timestamp
    in microseconds, its `line` counts from the offset that its origin begins with.
    """
    objects = objects_of_records(records, place)
    scanned = scan(objects)
    scanned.sure[:] &= records.rows["binary"] == 0
    same_texts(records.text, records.rows, scanned.text, scanned.events, scanned.sure)

    def read(position: int, text: bytes) -> Event:
        return read_record(records, position, text)

    batch = decode_objects(objects, scanned, read, received_at)
    timestamps = records.rows["timestamp"]
    batch.events["clock"] = timestamps[np.searchsorted(objects.starts, batch.events["start"])] * MICROSECONDS
    return batch


def objects_of_records(records: Records, place: str) -> Objects:
    """One object per record; a line feed between them keeps two halves of a character from making a whole one."""
    lengths = np.maximum(records.rows["value_len"], 0).astype(np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    raw = np.empty(int((lengths + 1).sum()), np.uint8)
    join_values(records.text, records.rows["value_at"], lengths, starts, raw)
    offsets = records.rows["offset"]
    origins: list[Origin] = []
    lines = np.empty(records.count, np.int64)
    begin = 0
    while begin < records.count:
        steps = offsets[begin:] - offsets[begin]
        beyond = np.flatnonzero((steps < 0) | (steps > MAX_STEP))
        end = begin + int(beyond[0]) if len(beyond) else records.count
        origins.append(Origin(int(starts[begin]), place, "/", int(offsets[begin])))
        lines[begin:end] = steps[: end - begin]
        begin = end
    return Objects(raw[:-1].tobytes(), starts, starts + lengths, lines, origins, records.count)


def read_record(records: Records, position: int, text: bytes) -> Event:
    """The event of a record; raises RefusedError, or what `diagnose` understands."""
    binary = records.rows["binary"][position]
    event = read_binary(attributes_of(records.headers(position)), text) if binary else read_struct(0, text)
    if records.key(position) != event.customer_id.encode():
        raise RefusedError(Reason.OUT_OF_RANGE, "record key is not customer_id")
    return event


@compiled
def join_values(
    text: NDArray[np.uint8],
    ats: NDArray[np.int32],
    lengths: NDArray[np.int64],
    starts: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> None:
    """Put values one after another, a line feed behind each."""
    for index in range(len(ats)):
        start, length = starts[index], lengths[index]
        out[start : start + length] = text[ats[index] : ats[index] + length]
        out[start + length] = LINE_FEED


@compiled
def same_texts(
    keys: NDArray[np.uint8],
    rows: NDArray[np.void],
    text: NDArray[np.uint8],
    events: NDArray[np.void],
    sure: NDArray[np.bool_],
) -> None:
    """Be sure only of those whose key is the customer id of their event."""
    for index in range(len(rows)):
        if sure[index]:
            key_at, length, id_at = rows[index]["key_at"], rows[index]["key_len"], events[index]["id_at"]
            same = length == events[index]["id_len"]
            for offset in range(length if same else 0):
                same &= keys[key_at + offset] == text[id_at + offset]
            sure[index] = same
