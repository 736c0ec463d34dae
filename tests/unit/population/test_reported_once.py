"""What is reported of the network or the market and comes again counts once."""

from __future__ import annotations

import json
from datetime import timedelta

from support.engines import batch, engine
from support.small_streams import START, text_of


def report(number: int, name: str, hours: float, **fields: str) -> bytes:
    at = text_of(START + timedelta(hours=hours))
    return json.dumps({"type": name, "event_id": f"n{number}", "occurred_at": at} | fields).encode()


def test_an_incident_and_a_note_that_come_again_are_duplicates_and_change_nothing():
    cell = {"customer_id": "cell:9", "cell_id": "9"}
    opened = report(1, "network.incident", 0, **cell, status="opened")
    resolved = report(2, "network.incident", 2, **cell, status="resolved")
    note = report(3, "market.noted", 3, customer_id="market:all", kind="season")
    once, twice = engine(), engine()
    step = once.step(batch([opened, resolved, note]), 0)
    assert (step.applied, step.duplicates) == (3, 0)
    first = twice.step(batch([opened, resolved, note, opened]), 0)
    again = twice.step(batch([opened, resolved, note]), 0)
    assert (first.applied, first.duplicates) == (3, 1)
    assert (again.applied, again.duplicates, again.incidents) == (0, 3, [])
    assert [one.status for one in first.incidents] == [one.status for one in step.incidents]
    assert bytes(once.watches.snapshot()["state"]) == bytes(twice.watches.snapshot()["state"])
