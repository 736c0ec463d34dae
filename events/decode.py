"""Bytes to a Batch: every object of a chunk becomes an event or a dead letter.

Each object is judged alone, so one spread over two lines, or two on one line, are faults, wherever a chunk was cut.
Plain usage is read by the compiled scanner; the rest by msgspec, which is also the judge of every fault.
"""

from collections.abc import Callable
from typing import NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from events.cloudevents import open_envelope
from events.columnise import Read, columnise
from events.columns import EVENT, Batch
from events.contract import DECODER, Event
from events.deadletters import MAX_OBJECT_BYTES, DeadLetter, Reason, RefusedError, dead_letter
from events.faults import diagnose
from events.fill import FILLERS, USAGE
from events.lines import Objects, objects_of_lines
from events.memory import padded, valid_utf8
from events.scan import scan_usage
from events.times import OK, refusal, times_of

Reader = Callable[[int, bytes], Event]
"""Makes the struct of the object at a position; raises RefusedError, or what `diagnose` understands."""


class Scanned(NamedTuple):
    """What the scanner made of the objects: EVENT[objects], which of them are right, and their customer ids."""

    events: NDArray[np.void]
    sure: NDArray[np.bool_]
    text: NDArray[np.uint8]


def decode(raw: bytes, source: str, first_line: int = 1, *, received_at: str) -> Batch:
    """Read whole lines of JSON (or of CloudEvents in structured mode).

    `source` names the file and `first_line` is the number of the first line within it; `received_at` (RFC 3339) goes
    into the dead letters. Blank lines are skipped, and so is a byte order mark at the beginning of a file.
    """
    objects = objects_of_lines(raw, source, first_line)
    batch = decode_objects(objects, scan(objects), read_struct, received_at)
    batch.lines = objects.total
    return batch


def read_struct(_: int, text: bytes) -> Event:
    """One object, ours or a CloudEvent in structured mode around it."""
    try:
        event: Event | None = DECODER.decode(text)
    except msgspec.ValidationError:
        event = open_envelope(text)
        if event is None:
            raise
    return cast(Event, event)


def scan(objects: Objects) -> Scanned:
    """The plain usage among the objects."""
    events, sure = np.zeros(len(objects.starts), EVENT), np.zeros(len(objects.starts), np.bool_)
    data = padded(objects.raw)
    ascii_only = not valid_utf8(data, len(objects.raw))
    text = scan_usage(data, objects.starts, objects.ends, ascii_only, events, sure)
    return Scanned(events, sure, text)


def unscanned(objects: Objects) -> Scanned:
    """Nothing is read by the scanner."""
    count = len(objects.starts)
    return Scanned(np.zeros(count, EVENT), np.zeros(count, np.bool_), np.zeros(0, np.uint8))


def decode_objects(objects: Objects, scanned: Scanned, reader: Reader, received_at: str) -> Batch:
    """Events and dead letters of the objects, in their order."""
    read, dead = read_objects(objects, np.flatnonzero(~scanned.sure).tolist(), reader, received_at)
    faults, ats, hours = times_of([item.event.occurred_at for item in read])
    for index in np.flatnonzero(faults != OK).tolist():
        fault, position = refusal(int(faults[index]), "occurred_at"), read[index].position
        dead[position] = refuse(objects, position, fault.reason, fault.detail, received_at)
    good = np.flatnonzero(faults == OK)
    read = [read[index] for index in good.tolist()]
    rest, rest_text = columnise(read, ats[good], hours[good])
    rest["id_at"] += len(scanned.text)
    positions = np.fromiter((item.position for item in read), np.int64, len(read))
    events, kept = scanned.events, scanned.sure
    events[positions] = rest
    events["start"], events["end"], events["line"] = objects.starts, objects.ends, objects.lines
    kept[positions] = True
    text = np.concatenate([scanned.text, rest_text])
    letters = [dead[position] for position in sorted(dead)]
    new_index = np.cumsum(kept)[positions] - 1
    facts = {index: item.event for index, item in zip(new_index.tolist(), read, strict=True) if item.kind != USAGE}
    whole = events if kept.all() else events[kept]
    return Batch(whole, text, objects.raw, objects.origins, facts, letters, len(kept))


def read_objects(
    objects: Objects, positions: list[int], reader: Reader, received_at: str
) -> tuple[list[Read], dict[int, DeadLetter]]:
    """What these objects say, and what is wrong with the others, by position."""
    read: list[Read] = []
    dead: dict[int, DeadLetter] = {}
    for position in positions:
        text = objects.text(position)
        try:
            read.append(read_object(position, text, reader))
        except RefusedError as refused:
            dead[position] = refuse(objects, position, refused.reason, refused.detail, received_at)
        except (ValueError, RecursionError) as error:  # msgspec's and the UTF-8 decoder's errors are ValueErrors
            reason, detail = diagnose(text, error)
            dead[position] = refuse(objects, position, reason, detail, received_at)
    return read, dead


def read_object(position: int, text: bytes, reader: Reader) -> Read:
    """One object; raises RefusedError, or what `diagnose` understands."""
    if len(text) > MAX_OBJECT_BYTES:
        raise RefusedError(Reason.TOO_LARGE, f"{len(text)} bytes")
    if not text.isascii():
        text.decode()  # msgspec does not look into strings that it skips
    event = reader(position, text)
    kind, fill = FILLERS[type(event)]
    return Read(position, kind, event, fill(event))


def refuse(objects: Objects, position: int, reason: Reason, detail: str, received_at: str) -> DeadLetter:
    """The dead letter of an object."""
    return dead_letter(reason, detail, objects.place(position), received_at, objects.text(position))
