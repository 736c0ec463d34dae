"""Events to begin a test with, and short ways to read them: the functions below are handed out as fixtures."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from events.columns import Batch
from events.contract import TYPE_NAMES
from events.decode import decode

COMMON = {"event_id": "e1", "customer_id": "c1", "occurred_at": "2024-03-01T12:00:00+08:00"}

REQUIRED: dict[str, dict[str, Any]] = {
    "usage.recorded": {"service": "voice"},
    "network.incident": {"customer_id": "cell:7", "cell_id": "7", "status": "opened"},
    "bill.issued": {"bill_id": "b1", "amount": 10},
    "bill.adjusted": {"bill_id": "b1", "amount": -3.5},
    "payment.received": {"amount": 10},
    "payment.reversed": {"amount": 10},
    "balance.topped_up": {"amount": 20},
    "balance.reported": {"balance": -1},
    "plan.changed": {"to_plan": "gold"},
    "contract.signed": {},
    "contract.ended": {},
    "line.changed": {"status": "suspended_fraud"},
    "device.changed": {},
    "customer.profiled": {},
    "complaint.opened": {"complaint_id": "k1"},
    "complaint.updated": {"complaint_id": "k1", "status": "escalated"},
    "complaint.resolved": {"complaint_id": "k1"},
    "survey.answered": {"survey": "nps", "score": 3},
    "contact.recorded": {"channel": "hotline", "direction": "in"},
    "porting.queried": {},
    "porting.requested": {},
    "porting.ended": {"result": "withdrawn"},
    "cancellation.requested": {},
    "market.noted": {"customer_id": "market:all", "kind": "tariff"},
    "customer.noted": {"code": "vip_call"},
    "customer.churned": {},
    "customer.returned": {},
    "care.contacted": {"channel": "call"},
    "care.resolved": {"warning_id": "w1", "outcome": "callback"},
}
"""The fewest fields of each type."""

assert tuple(REQUIRED) == TYPE_NAMES


def make_event(kind: str = "usage.recorded", /, **fields: Any) -> dict[str, Any]:
    return {"type": kind} | COMMON | REQUIRED[kind] | fields


def make_line(kind: str = "usage.recorded", /, **fields: Any) -> bytes:
    return json.dumps(make_event(kind, **fields), ensure_ascii=False).encode()


def read_lines(*lines: bytes) -> Batch:
    return decode(b"\n".join(lines), "f.jsonl", received_at="2024-03-02T00:00:00Z")


def read_one_event(kind: str = "usage.recorded", /, **fields: Any) -> Any:
    """The EVENT record of one event."""
    batch = read_lines(make_line(kind, **fields))
    assert not batch.dead, batch.dead
    return batch.events[0]


def refusal_of(raw: bytes) -> tuple[str, str]:
    """Reason and detail of the one dead letter that these bytes make."""
    batch = read_lines(raw)
    assert len(batch) == 0
    assert len(batch.dead) == 1
    return batch.dead[0].reason, batch.dead[0].detail


@pytest.fixture
def event() -> Callable[..., Any]:
    return make_event


@pytest.fixture
def line() -> Callable[..., Any]:
    return make_line


@pytest.fixture
def read() -> Callable[..., Any]:
    return read_lines


@pytest.fixture
def read_one() -> Callable[..., Any]:
    return read_one_event


@pytest.fixture
def refused() -> Callable[..., Any]:
    return refusal_of
