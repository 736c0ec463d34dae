"""Every simulated event has the names, types and units of contract section 1."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

NUMBER, SIGNED, WHOLE, TEXT, YES_NO, TIME, LIST, MAP = (
    "number",
    "signed",
    "whole",
    "text",
    "yes_no",
    "time",
    "list",
    "map",
)
COMMON = {"type", "event_id", "customer_id", "occurred_at", "source", "account_id", "line_id"}

# type -> (required fields, optional fields), a field being a type or the set of words it may hold
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "usage.recorded": (
        {
            "service": {
                "voice",
                "data",
                "sms",
                "mms",
                "voicemail",
                "international",
                "roaming",
                "broadband",
                "fixed",
                "tv",
                "iot",
                "other",
            }
        },
        {
            "count": WHOLE,
            "seconds": NUMBER,
            "mb": NUMBER,
            "charge": NUMBER,
            "failed": WHOLE,
            "dropped": WHOLE,
            "mbps": NUMBER,
            "direction": {"in", "out"},
            "network": {"2g", "3g", "4g", "5g", "fixed"},
            "peer_network": {"own", "other", "fixed", "foreign"},
            "country": TEXT,
            "cell_id": TEXT,
            "peer": TEXT,
        },
    ),
    "network.incident": ({"cell_id": TEXT, "status": {"opened", "resolved"}}, {"kind": TEXT}),
    "bill.issued": (
        {"bill_id": TEXT, "amount": NUMBER},
        {"currency": TEXT, "plan_fee": NUMBER, "overage": NUMBER, "due_at": TIME},
    ),
    "bill.adjusted": ({"bill_id": TEXT, "amount": SIGNED}, {"reason": TEXT}),
    "payment.received": ({"amount": NUMBER}, {"bill_id": TEXT, "method": TEXT}),
    "payment.reversed": ({"amount": NUMBER}, {"bill_id": TEXT, "method": TEXT}),
    "balance.topped_up": ({"amount": NUMBER}, {"balance": SIGNED}),
    "balance.reported": ({"balance": SIGNED}, {"expires_at": TIME}),
    "plan.changed": (
        {"to_plan": TEXT},
        {"from_plan": TEXT, "fee_before": NUMBER, "fee_after": NUMBER, "initiated_by": {"customer", "operator"}},
    ),
    "contract.signed": (
        {},
        {
            "contract_id": TEXT,
            "kind": {"plan", "device", "broadband", "discount"},
            "plan": TEXT,
            "monthly_fee": NUMBER,
            "term_months": WHOLE,
            "ends_at": TIME,
            "device": TEXT,
            "penalty": NUMBER,
        },
    ),
    "contract.ended": ({}, {"contract_id": TEXT}),
    "line.changed": (
        {
            "status": {
                "active",
                "suspended_arrears",
                "suspended_request",
                "suspended_fraud",
                "suspended_lost",
                "transferred",
                "closed",
            }
        },
        {"product": {"mobile", "broadband", "tv", "fixed", "iot"}},
    ),
    "device.changed": ({}, {"model": TEXT, "supports_5g": YES_NO, "dual_sim": YES_NO}),
    "customer.profiled": (
        {},
        {
            "since": TEXT,
            "region": TEXT,
            "segment": TEXT,
            "kind": {"person", "family", "enterprise"},
            "pay_mode": {"prepaid", "postpaid"},
            "plan": TEXT,
            "monthly_fee": NUMBER,
            "products": LIST,
            "language": TEXT,
            "age_band": TEXT,
            "manager": TEXT,
            "consent": MAP,
            "do_not_contact": (YES_NO, LIST),
            "profiling_objected": YES_NO,
            "attributes": MAP,
        },
    ),
    "complaint.opened": (
        {"complaint_id": TEXT},
        {"channel": TEXT, "category": TEXT, "severity": WHOLE, "text": TEXT, "language": TEXT},
    ),
    "complaint.updated": (
        {"complaint_id": TEXT, "status": {"handled", "reopened", "escalated", "regulator"}},
        {"severity": WHOLE, "category": TEXT, "due_at": TIME},
    ),
    "complaint.resolved": ({"complaint_id": TEXT}, {"satisfied": YES_NO}),
    "survey.answered": (
        {"survey": {"csat", "nps", "ces"}, "score": NUMBER},
        {
            "scale_max": WHOLE,
            "topic": {"network", "price", "service", "process", "competitor"},
            "complaint_id": TEXT,
            "text": TEXT,
        },
    ),
    "contact.recorded": (
        {"channel": TEXT, "direction": {"in", "out"}},
        {"purpose": TEXT, "wait_seconds": NUMBER, "transfers": WHOLE, "steps": WHOLE, "resolved": YES_NO},
    ),
    "porting.queried": ({}, {"eligible": YES_NO, "blockers": LIST}),
    "porting.requested": ({}, {"expires_at": TIME}),
    "porting.ended": ({"result": {"completed", "expired", "withdrawn"}}, {}),
    "cancellation.requested": ({}, {"reason": TEXT}),
    "market.noted": (
        {"kind": {"competitor_offer", "regulation", "tariff", "season"}},
        {"region": TEXT, "plan": TEXT, "starts_at": TIME, "ends_at": TIME},
    ),
    "customer.churned": (
        {},
        {
            "reason": TEXT,
            "voluntary": YES_NO,
            "manner": {"ported", "cancelled", "arrears", "silent"},
            "to_competitor": TEXT,
        },
    ),
    "customer.returned": ({}, {}),
}


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


CHECKS: dict[str, Callable[[Any], bool]] = {
    SIGNED: is_number,
    NUMBER: lambda value: is_number(value) and value >= 0,
    WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    TEXT: lambda value: isinstance(value, str) and value != "",
    YES_NO: lambda value: isinstance(value, bool),
    LIST: lambda value: isinstance(value, list),
    MAP: lambda value: isinstance(value, dict),
    TIME: lambda value: isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None,
}


def fits(value: object, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(fits(value, one) for one in kind)
    return value in kind if isinstance(kind, set) else CHECKS[kind](value)


def faults_of(event: dict[str, Any]) -> list[str]:
    required, optional = TABLE[event["type"]]
    own = {name: value for name, value in event.items() if name not in COMMON}
    missing = [f"{name} is missing" for name in required if name not in own]
    known = required | optional
    return missing + [
        f"{name}={value!r}" for name, value in own.items() if name not in known or not fits(value, known[name])
    ]


def test_every_event_has_the_fields_of_its_type(run: Any) -> None:
    faults = {(event["type"], fault) for event in run.events for fault in faults_of(event)}
    assert not faults


def test_every_event_has_the_common_fields(run: Any) -> None:
    for event in run.events:
        assert 0 < len(event["event_id"]) <= 128
        assert 0 < len(event["customer_id"]) <= 128
    assert all(datetime.fromisoformat(event["occurred_at"]).utcoffset() is not None for event in run.events[::50])


def test_all_four_streams_and_nearly_every_type_occur(run: Any) -> None:
    assert set(TABLE) == {event["type"] for event in run.events}


def test_event_ids_are_unique_and_times_never_fall(run: Any) -> None:
    assert len({event["event_id"] for event in run.events}) == len(run.events)
    times = [event["occurred_at"] for event in run.events]
    assert times == sorted(times)


def test_subjects_that_are_no_customers_are_named_by_the_contract(run: Any) -> None:
    for event in run.of("network.incident"):
        assert event["customer_id"] == f"cell:{event['cell_id']}"
    for event in run.of("market.noted"):
        assert event["customer_id"] == f"market:{event.get('region', 'all')}"
