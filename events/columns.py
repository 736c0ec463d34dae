"""Events in columns: the EVENT record that the engine folds, and the Batch that carries many of them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from msgspec import Raw, Struct, json
from numpy.typing import NDArray

from events.contract import Event
from events.deadletters import DeadLetter

SLOTS = 7
TIE = 6
"""The slot in which a fact (not usage) has the beginning of its event_id: four bytes as a number, in the order of texts."""

EVENT = np.dtype(
    [
        ("at", "i8"),  # occurred_at, microseconds UTC
        ("clock", "i8"),  # arrival where a record tells it, else 0; then the engine's
        ("key", "u8"),  # hash of type, source and event_id: what a duplicate shares
        ("ref", "u8"),  # hashes of ids, 0 for none; which ids depends on the kind
        ("aux", "u8"),
        ("id_at", "i4"),  # customer_id: where its UTF-8 bytes are in Batch.text
        ("id_len", "i4"),
        ("customer", "i4"),  # row, filled by the engine
        ("start", "i4"),  # the object's bytes in Batch.raw
        ("end", "i4"),
        ("line", "i4"),  # line number in the file, or position in the partition
        ("kind", "u1"),  # codes.Kind
        ("a", "u1"),  # small codes; which ones depends on the kind (fill.py)
        ("b", "u1"),
        ("c", "u1"),
        ("d", "u1"),
        ("e", "u1"),
        ("hour", "u1"),  # local hour as written in occurred_at
        ("flags", "u1"),
        ("x", "f8", (SLOTS,)),  # numbers; NaN where absent unless a default is said
    ]
)
"""One event, 128 bytes: two cache lines."""

COUNTRY_GIVEN = 1
ACCOUNT_GIVEN = 2
LINE_GIVEN = 4
"""Bits of `flags`: the optional text fields that a usage record leaves in `Batch.raw`."""
EXPLAINED = 8
"""Bit of `flags`, set by the engine: used while an incident of the cell was open, which explains what went wrong."""


class Origin(NamedTuple):
    """Where a stretch of `Batch.raw` came from."""

    at: int
    """First byte of the stretch in `Batch.raw`."""
    name: str
    """File name, or `topic/partition`."""
    separator: str
    """Between the name and the number: `:` for lines, `/` for offsets."""
    first: int
    """Added to an event's `line` (an offset may not fit there)."""


class AccountNamed(Struct):
    """What is read of an object to find its account; `data` is ours when the object is an envelope."""

    account_id: str | None = None
    data: Raw = Raw()


ACCOUNT = json.Decoder(AccountNamed)


def account_in(payload: bytes) -> str | None:
    """The account_id of an object that was read before, in an envelope or without."""
    named = ACCOUNT.decode(payload)
    inner = bytes(named.data)
    return account_in(inner) if named.account_id is None and inner.startswith(b"{") else named.account_id


def origin_of(origins: Sequence[Origin], start: int) -> Origin:
    """The origin that holds this byte of `raw`."""
    return origins[bisect_right(origins, start, key=lambda each: each.at) - 1]


def place(origins: Sequence[Origin], start: int, line: int) -> str:
    """The name of the origin that holds this byte of `raw`, and the line (or offset) within it."""
    origin = origin_of(origins, start)
    return f"{origin.name}{origin.separator}{origin.first + line}"


@dataclass(slots=True)
class Batch:
    """Events in stream order, and what came in but is none.

    `events` is EVENT[n]; `text` holds the customer ids, `raw` the objects as they came; `facts` has the whole struct
    of every event that is not `usage.recorded`, by its position in `events`; `dead` the inputs that were refused;
    `lines` counts the lines (or records) read, blank ones included.
    """

    events: NDArray[np.void]
    text: NDArray[np.uint8]
    raw: bytes
    origins: list[Origin]
    facts: dict[int, Event] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    lines: int = 0

    def __len__(self) -> int:
        return len(self.events)

    @property
    def source(self) -> str:
        """The name of the first origin."""
        return self.origins[0].name if self.origins else ""

    def payload(self, index: int) -> bytes:
        """The event's object as it came."""
        record = self.events[index]
        return self.raw[int(record["start"]) : int(record["end"])]

    def place(self, index: int) -> str:
        """`file:line` or `topic/partition/offset` of an event."""
        record = self.events[index]
        return place(self.origins, int(record["start"]), int(record["line"]))

    def number(self, index: int) -> int:
        """The line or offset of an event within its origin."""
        record = self.events[index]
        return origin_of(self.origins, int(record["start"])).first + int(record["line"])

    def customer_id(self, index: int) -> str:
        """The customer (or `cell:`, `market:`) of an event."""
        record = self.events[index]
        start = int(record["id_at"])
        return self.text[start : start + int(record["id_len"])].tobytes().decode()

    def account_id(self, index: int) -> str | None:
        """The account that an event names, read again from its bytes: few usage records name one."""
        if not self.events[index]["flags"] & ACCOUNT_GIVEN:
            return None
        fact = self.facts.get(index)
        return account_in(self.payload(index)) if fact is None else fact.account_id

    def take(self, order: NDArray[Any]) -> "Batch":
        """The events at these positions, in this order; dead letters and the line count stay with the result."""
        facts: dict[int, Event] = {}
        if self.facts:
            known = self.facts
            facts = {new: known[old] for new, old in enumerate(order.tolist()) if old in known}
        return Batch(self.events[order], self.text, self.raw, self.origins, facts, self.dead, self.lines)


def empty_batch() -> Batch:
    """Nothing read."""
    return Batch(np.zeros(0, EVENT), np.zeros(0, np.uint8), b"", [])


def concat(batches: Sequence[Batch]) -> Batch:
    """One batch after another; the result's raw bytes must stay under 2 GB."""
    if len(batches) == 1:
        return batches[0]
    events = np.concatenate([batch.events for batch in batches]) if batches else np.zeros(0, EVENT)
    whole = Batch(events, np.zeros(0, np.uint8), b"".join(batch.raw for batch in batches), [])
    first = text_at = raw_at = 0
    for batch in batches:
        part = events[first : first + len(batch)]
        part["id_at"] += text_at
        part["start"] += raw_at
        part["end"] += raw_at
        whole.origins.extend(origin._replace(at=origin.at + raw_at) for origin in batch.origins)
        whole.facts.update((first + index, fact) for index, fact in batch.facts.items())
        whole.dead.extend(batch.dead)
        whole.lines += batch.lines
        first, text_at, raw_at = first + len(batch), text_at + len(batch.text), raw_at + len(batch.raw)
    whole.text = np.concatenate([batch.text for batch in batches]) if batches else whole.text
    return whole
