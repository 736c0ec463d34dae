"""One customer's facts, folded one by one; and what is then known of the customer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from support.engines import batch, engine, frozen

from customers.layout import TEXTS
from customers.measures import MEASURE
from engine.engine import Engine

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
Fact = Mapping[str, Any]


def dated(days: float, type_: str, /, **fields: Any) -> dict[str, Any]:
    """A fact of the customer `c`, so many days before NOW."""
    at = (NOW - timedelta(days=days)).isoformat()
    own = {
        "type": type_,
        "customer_id": "c",
        "occurred_at": at,
        "event_id": f"{type_}-{days}-{sorted(fields.items())}"[:128],
    }
    return own | fields


def folded(facts: Iterable[Fact], *, start: bool = True) -> Engine:
    """An engine that was given the facts one by one; with `start` the clock stands at NOW from the beginning."""
    made = engine(model=frozen())
    first = [dated(0.2, "payment.received", amount=0, customer_id="other"), dated(0, "usage.recorded", service="sms")]
    for fact in [*(first if start else ()), *facts]:
        step = made.step(batch([json.dumps(fact).encode()]), 0)
        assert not step.dead
    return made


def known(made: Engine, customer: str = "c") -> dict[str, Any]:
    """The customer's measures as of the clock; labels as texts, what is unknown left out."""
    partition = made.partition
    row = partition.ids.find(customer)
    rows, _ = next(iter(partition.look(np.array([row]), partition.clock)))
    found: dict[str, Any] = {name: float(rows.measures[0, k]) for name, k in MEASURE.items()}
    for name in TEXTS:
        if found[name] == found[name]:
            found[name] = partition.profiles.labels[name].text(int(found[name]))
    found |= {
        f"attribute.{name}": float(partition.customers.attributes[row, column])
        for name, (column, _) in partition.profiles.attributes.columns.items()
    }
    return {name: value for name, value in found.items() if value == value}


@pytest.fixture
def fact() -> Callable[..., dict[str, Any]]:
    return dated


@pytest.fixture
def fold() -> Callable[..., Engine]:
    return folded


@pytest.fixture
def state() -> Callable[..., dict[str, Any]]:
    """What is known after these facts."""
    return lambda facts, **how: known(folded(facts, **how))


@pytest.fixture
def known_of() -> Callable[..., dict[str, Any]]:
    return known
