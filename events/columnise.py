"""Structs to EVENT records, column by column: what msgspec read on the way into a Batch."""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from events.columns import EVENT, SLOTS, TIE
from events.contract import Event
from events.fill import HOUR_DECIDES, USAGE, Slots, flags_of
from events.hashing import event_keys, hash_texts, pack
from events.periods import period_of_hour

PERIODS = np.array([period_of_hour(hour) for hour in range(24)], np.uint8)


class Read(Struct, frozen=True, gc=False):
    """An object that was read: its position among the objects, its kind, struct and slots."""

    position: int
    kind: int
    event: Event
    slots: Slots


def columnise(
    read: Sequence[Read], ats: NDArray[np.int64], hours: NDArray[np.uint8]
) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
    """EVENT records of what was read (with their times), but for `start`, `end` and `line`; and the customer ids."""
    events = np.zeros(len(read), EVENT)
    text, text_ends = pack([item.event.customer_id for item in read])
    kinds = np.fromiter((item.kind for item in read), np.uint8, len(read))
    events["at"], events["hour"], events["kind"] = ats, hours, kinds
    events["id_len"] = np.diff(text_ends, prepend=0)
    events["id_at"] = text_ends - events["id_len"]
    events["flags"] = [flags_of(item.event) for item in read]
    sources, event_ids = [item.event.source for item in read], [item.event.event_id for item in read]
    events["key"] = event_keys(kinds, hash_texts(sources), hash_texts(event_ids))
    fill_slots(events, [item.slots for item in read])
    facts = kinds != USAGE
    events["x"][facts, TIE] = [beginning(event_id) for event_id, fact in zip(event_ids, facts, strict=True) if fact]
    return events, text[: text_ends[-1] if len(text_ends) else 0]


def beginning(event_id: str) -> float:
    """The first four bytes of an id as a number, exact and ordered as the ids are."""
    return float(int.from_bytes(event_id.encode("utf-8", "surrogatepass")[:4].ljust(4, b"\0"), "big"))


def fill_slots(events: NDArray[np.void], slots: Sequence[Slots]) -> None:
    """Write what the fillers said into the records."""
    for name in "abcde":
        events[name] = list(map(attrgetter(name), slots))
    for slot in range(SLOTS):
        events["x"][:, slot] = list(map(attrgetter(f"x{slot}"), slots))
    events["ref"] = hash_texts([each.ref for each in slots])
    events["aux"] = hash_texts([each.aux for each in slots])
    undecided = (events["kind"] == USAGE) & (events["b"] == HOUR_DECIDES)
    events["b"][undecided] = PERIODS[events["hour"][undecided]]
