"""Bytes to a Batch: every object of a chunk becomes an event or a dead letter.

Each line is judged alone, so an object spread over two lines, or two on one, are faults just as if the lines had come
one by one. What is common to all events is then read in columns.
"""

from collections.abc import Callable, Sequence
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.codes import Kind
from events.columns import EVENT, SLOTS, Batch, Origin
from events.compiled import compiled
from events.contract import DECODER, Event
from events.deadletters import MAX_OBJECT_BYTES, DeadLetter, Reason, RefusedError, dead_letter
from events.faults import diagnose
from events.fill import FILLERS, HOUR_DECIDES, Slots, flags_of
from events.hashing import event_keys, hash_texts, pack
from events.times import OK, refusal, times_of

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DAY_HOURS = (8, 18)
EVENING_HOURS = (18, 23)
EMPTY = (nan,) * SLOTS


class Objects(NamedTuple):
    """Where the objects of `raw` are: i8[objects] each, `lines` as it goes into EVENT.line."""

    raw: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    origins: list[Origin]


class Read(NamedTuple):
    """An object that was read: its position among the objects, its struct and its slots."""

    position: int
    event: Event
    slots: Slots


Reader = Callable[[int, bytes], Event]
"""Makes the struct of the object at a position; raises what `diagnose` understands, or RefusedError."""


def decode(raw: bytes, source: str, first_line: int = 1, *, received_at: str) -> Batch:
    """Read whole lines of JSON.

    `source` names the file and `first_line` is the number of the first line within it; `received_at` (RFC 3339) goes
    into the dead letters. Blank lines are skipped, and so is a byte order mark at the beginning of a file.
    """
    starts, ends, numbers = split_lines(np.frombuffer(raw, np.uint8), first_line)
    if first_line == 1 and raw.startswith(BYTE_ORDER_MARK) and len(starts) and starts[0] == 0:
        starts[0] = len(BYTE_ORDER_MARK)
    objects = Objects(raw, starts, ends, numbers, [Origin(0, source, ":", 0)])
    batch = decode_objects(objects, lambda _, text: DECODER.decode(text), received_at)
    batch.lines = raw.count(b"\n") + (not raw.endswith(b"\n") and len(raw) > 0)
    return batch


@compiled
def split_lines(
    data: NDArray[np.uint8], first_line: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, end and number of every line that is not blank; a carriage return before the newline is not part of it."""
    size = 1
    for byte in data:
        size += byte == 10
    starts, ends, numbers = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    count, start, line, blank = 0, 0, first_line, True
    for position in range(len(data) + 1):
        if position < len(data) and data[position] != 10:
            blank = blank and data[position] in (9, 13, 32)
            continue
        if not blank:
            starts[count] = start
            ends[count] = position - 1 if data[position - 1] == 13 else position
            numbers[count] = line
            count += 1
        start, line, blank = position + 1, line + 1, True
    return starts[:count], ends[:count], numbers[:count]


def decode_objects(objects: Objects, reader: Reader, received_at: str) -> Batch:
    """Events and dead letters of the objects, in their order."""
    read: list[Read] = []
    dead: dict[int, DeadLetter] = {}
    starts, ends = objects.starts.tolist(), objects.ends.tolist()

    def refuse(position: int, reason: Reason, detail: str) -> None:
        dead[position] = dead_letter(
            reason, detail, place_of(objects, position), received_at, objects.raw[starts[position] : ends[position]]
        )

    for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end - start > MAX_OBJECT_BYTES:
            refuse(position, Reason.TOO_LARGE, f"{end - start} bytes")
            continue
        text = objects.raw[start:end]
        try:
            text.decode()  # msgspec does not look into strings that it skips
            event = reader(position, text)
            read.append(Read(position, event, FILLERS[type(event)][1](event)))
        except RefusedError as refused:
            refuse(position, refused.reason, refused.detail)
        except (ValueError, RecursionError) as error:  # msgspec's and the UTF-8 decoder's errors are ValueErrors
            refuse(position, *diagnose(text, error))
    faults, ats, hours = times_of([item.event.occurred_at for item in read])
    for index in np.flatnonzero(faults != OK).tolist():
        fault = refusal(int(faults[index]), "occurred_at")
        refuse(read[index].position, fault.reason, fault.detail)
    good = np.flatnonzero(faults == OK)
    read = [read[index] for index in good.tolist()]
    events, text_bytes = columns(objects, read, ats[good], hours[good])
    facts = {index: item.event for index, item in enumerate(read) if events["kind"][index] != Kind.USAGE_RECORDED}
    letters = [dead[position] for position in sorted(dead)]
    return Batch(events, text_bytes, objects.raw, objects.origins, facts, letters, len(starts))


def place_of(objects: Objects, position: int) -> str:
    """`file:line` or `topic/partition/offset` of an object."""
    start = int(objects.starts[position])
    origin = max((origin for origin in objects.origins if origin.at <= start), key=lambda origin: origin.at)
    return f"{origin.name}{origin.separator}{origin.first + int(objects.lines[position])}"


def columns(
    objects: Objects, read: Sequence[Read], ats: NDArray[np.int64], hours: NDArray[np.uint8]
) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
    """EVENT records of what was read (times already checked), and the bytes of their customer ids."""
    events = np.zeros(len(read), EVENT)
    text, text_ends = pack([item.event.customer_id for item in read])
    positions = np.fromiter((item.position for item in read), np.int64, len(read))
    events["at"], events["hour"] = ats, hours
    events["id_len"] = np.diff(text_ends, prepend=0)
    events["id_at"] = text_ends - events["id_len"]
    events["start"], events["end"] = objects.starts[positions], objects.ends[positions]
    events["line"] = objects.lines[positions]
    events["kind"] = [FILLERS[type(item.event)][0] for item in read]
    events["flags"] = [flags_of(item.event) for item in read]
    events["key"] = event_keys(
        np.ascontiguousarray(events["kind"]),
        hash_texts([item.event.source for item in read]),
        hash_texts([item.event.event_id for item in read]),
    )
    fill_slots(events, [item.slots for item in read])
    return events, text


def fill_slots(events: NDArray[np.void], slots: Sequence[Slots]) -> None:
    """Write what the fillers said into the records."""
    for name in "abcde":
        events[name] = [getattr(each, name) for each in slots]
    events["ref"] = hash_texts([each.ref for each in slots])
    events["aux"] = hash_texts([each.aux for each in slots])
    if slots:
        events["x"] = [each.x + EMPTY[len(each.x) :] for each in slots]
    undecided = (events["kind"] == Kind.USAGE_RECORDED) & (events["b"] == HOUR_DECIDES)
    events["b"][undecided] = period_of_hour(events["hour"][undecided])


def period_of_hour(hours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes of `period` for local hours: day 8-18, evening 18-23, night."""
    day = (hours >= DAY_HOURS[0]) & (hours < DAY_HOURS[1])
    evening = (hours >= EVENING_HOURS[0]) & (hours < EVENING_HOURS[1])
    return np.where(day, 0, np.where(evening, 1, 2)).astype(np.uint8)
