"""Where the line is mostly used, and what contacts are about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from support.engines import batch, engine, frozen

from customers.measures import MEASURE
from engine.engine import Engine
from events.codes import CAUSE

START = datetime(2024, 3, 1, tzinfo=UTC)


def fold(*facts: tuple[float, str, dict[str, Any]]) -> Engine:
    made = engine(model=frozen())
    lines = [
        {"type": kind, "event_id": f"{k}", "customer_id": "c", "occurred_at": (START + timedelta(hours=at)).isoformat()}
        | fields
        for k, (at, kind, fields) in enumerate(facts)
    ]
    assert not made.step(batch([json.dumps(line).encode() for line in lines]), 0).dead
    return made


def measure(made: Engine, name: str) -> float:
    rows, _ = next(iter(made.partition.look(np.array([0]), made.partition.clock)))
    return float(rows.measures[0, MEASURE[name]])


def used(first: float, count: int, *cells: str) -> list[tuple[float, str, dict[str, Any]]]:
    """Use every hour, in these cells in turn."""
    return [
        (first + k, "usage.recorded", {"service": "voice", "seconds": 60, "cell_id": cells[k % len(cells)]})
        for k in range(count)
    ]


def test_a_customer_at_one_place_has_not_moved():
    assert np.isnan(measure(fold(*used(0, 100, "home")), "days_since_move"))


def test_use_that_goes_elsewhere_for_good_is_a_move():
    made = fold(*used(0, 100, "home"), *used(100, 100, "away"))
    assert measure(made, "days_since_move") * 24 == 199 - 160  # the old lead of 60 is used up


def test_a_trip_is_no_move():
    assert np.isnan(measure(fold(*used(0, 100, "home"), *used(100, 40, "away")), "days_since_move"))


def test_who_is_here_and_there_never_moves():
    assert np.isnan(measure(fold(*used(0, 300, "home", "work", "road")), "days_since_move"))


def contact(at: float, purpose: str | None = None, direction: str = "in") -> tuple[float, str, dict[str, Any]]:
    said = {} if purpose is None else {"purpose": purpose}
    return at, "contact.recorded", {"channel": "hotline", "direction": direction, **said}


def test_what_the_newest_contact_with_a_known_purpose_was_about():
    assert np.isnan(measure(fold(contact(0, "hello")), "contact_cause"))
    made = fold(contact(0, "repair"), contact(1, "实名认证"), contact(2, "hello"), contact(3))
    assert measure(made, "contact_cause") == CAUSE["regulation"]


def test_what_we_called_about_is_not_the_customer_s_concern():
    assert np.isnan(measure(fold(contact(0, "repair", "out")), "contact_cause"))
