"""A few made-up events go the whole way of a partition's: what that takes from numba's cache is there when the first real ones come."""

from __future__ import annotations

from typing import Any, Final

from events.packed import Record, packed
from streams.live.journal import Covered
from streams.live.lane import Lane, LaneSettings
from streams.live.topics import BILLING, COMPLAINTS, EVENTS, USAGE

CUSTOMER: Final = b"rehearsal"
WALL_US: Final = 1_750_000_000_000_000
"""The wall clock of the rehearsal; its events are older."""
MADE_UP: Final = (
    (BILLING, b'"type":"customer.profiled","occurred_at":"2025-01-01T08:00:00Z","region":"r","plan":"p"'),
    (USAGE, b'"type":"usage.recorded","occurred_at":"2025-01-01T09:00:00Z","service":"data","mb":1.5'),
    (BILLING, b'"type":"bill.issued","occurred_at":"2025-01-02T08:00:00Z","bill_id":"b","amount":10'),
    (COMPLAINTS, b'"type":"complaint.opened","occurred_at":"2025-01-03T08:00:00Z","complaint_id":"c"'),
    # So much later that what waited for a silence has had its turn.
    (USAGE, b'"type":"usage.recorded","occurred_at":"2025-03-01T09:00:00Z","service":"voice","seconds":60'),
)


def rehearse(engine: Any) -> int:
    """Give a new engine, which is used for nothing else, the made-up events; how many it applied."""
    lane = Lane(0, 1, engine, Covered({}, {}), [], LaneSettings(0.0, 0))
    for topic in EVENTS:
        found = [
            Record(b'{"event_id":"%d","customer_id":"%b",%b}' % (n, CUSTOMER, rest), (), CUSTOMER, WALL_US // 1_000, n)
            for n, (where, rest) in enumerate(MADE_UP)
            if where == topic
        ]
        if found:
            lane.accept(topic, packed(found), 0.0)
        lane.drained(topic, 1.0)
    applied = 0
    while (output := lane.work(1.0, WALL_US)) is not None:
        applied += output.applied
    engine.snapshot()
    return applied
