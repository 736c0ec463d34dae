"""Every type of the contract: what it needs, what it refuses, and where its fields go."""

import json
import math

import msgspec
import pytest

from events import codes
from events.codes import Kind
from events.columns import ACCOUNT_GIVEN, COUNTRY_GIVEN, LINE_GIVEN, TIE
from events.contract import EVENT_TYPES, TYPE_NAMES
from events.hashing import hash64
from events.times import time_of

KINDS = {name: kind for kind, name in enumerate(TYPE_NAMES)}


def test_kinds_are_the_types_in_order():
    assert [kind.name.lower().replace("_", ".", 1) for kind in Kind] == list(TYPE_NAMES)


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_the_fewest_fields_are_enough(read_one, kind):
    record = read_one(kind)
    assert record["kind"] == KINDS[kind]
    assert record["at"] == time_of("2024-03-01T04:00:00Z", "")
    assert record["hour"] == 12


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_unknown_fields_are_ignored(read_one, kind):
    assert read_one(kind, operator_field={"deep": [1, None, "x"]}, other=3)["kind"] == KINDS[kind]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (name, field.name)
        for name, struct in zip(TYPE_NAMES, EVENT_TYPES, strict=True)
        for field in msgspec.structs.fields(struct)
        if field.required
    ],
)
def test_a_required_field_that_is_missing_is_named(event, refused, kind, field):
    whole = event(kind)
    del whole[field]
    assert refused(json.dumps(whole).encode()) == ("missing_field", field)


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_every_optional_field_may_be_null(read, event, kind):
    struct = EVENT_TYPES[KINDS[kind]]
    given = event(kind)
    nulls = dict.fromkeys(name for name in struct.__struct_fields__ if name not in given)
    assert not read(json.dumps(given | nulls).encode()).dead


@pytest.mark.parametrize("field", ["event_id", "customer_id"])
@pytest.mark.parametrize(("text", "fits"), [("", False), ("x", True), ("客" * 128, True), ("客" * 129, False)])
def test_ids_have_1_to_128_characters(read, line, field, text, fits):
    batch = read(line(**{field: text}))
    assert len(batch) == fits
    assert fits or (batch.dead[0].reason == "out_of_range" and field in batch.dead[0].detail)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("usage.recorded", "count"),
        ("usage.recorded", "seconds"),
        ("usage.recorded", "mb"),
        ("usage.recorded", "charge"),
        ("usage.recorded", "failed"),
        ("usage.recorded", "dropped"),
        ("usage.recorded", "mbps"),
        ("bill.issued", "plan_fee"),
        ("bill.issued", "overage"),
        ("payment.received", "amount"),
        ("payment.reversed", "amount"),
        ("balance.topped_up", "amount"),
        ("plan.changed", "fee_after"),
        ("contract.signed", "monthly_fee"),
        ("contract.signed", "term_months"),
        ("contract.signed", "penalty"),
        ("customer.profiled", "monthly_fee"),
        ("survey.answered", "score"),
        ("contact.recorded", "wait_seconds"),
        ("contact.recorded", "transfers"),
        ("contact.recorded", "steps"),
        ("care.resolved", "offer_cost"),
    ],
)
def test_nothing_negative_where_none_can_be(refused, read, line, kind, field):
    reason, detail = refused(line(kind, **{field: -0.01}))
    assert (reason, detail.split(":")[0]) == ("out_of_range", field)
    assert refused(line(kind, **{field: "1"}))[0] == "wrong_type"
    assert refused(line(kind, **{field: True}))[0] == "wrong_type"
    assert not read(line(kind, **{field: 0})).dead


@pytest.mark.parametrize(("kind", "field"), [("bill.issued", "amount"), ("bill.adjusted", "amount")])
def test_credits_and_debts_are_no_faults(read_one, kind, field):
    assert read_one(kind, **{field: -12.5})["x"][0] == -12.5


@pytest.mark.parametrize("severity", [0, 5, 2.5, "high", True])
def test_severity_is_1_to_4(read, line, severity):
    assert read(line("complaint.opened", severity=severity)).dead


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("usage.recorded", {"service": "tv", "direction": "out", "network": "fixed"}, {"a": 9, "c": 2, "d": 5, "e": 0}),
        ("usage.recorded", {"peer_network": "foreign", "period": "night"}, {"e": 4, "b": 2}),
        ("usage.recorded", {"cell_id": "c7", "peer": "p"}, {"ref": hash64("c7"), "aux": hash64("p")}),
        ("usage.recorded", {"country": "FR"}, {"flags": COUNTRY_GIVEN}),
        ("usage.recorded", {"account_id": "a", "line_id": "l"}, {"flags": ACCOUNT_GIVEN | LINE_GIVEN}),
        ("usage.recorded", {}, {"ref": 0, "aux": 0, "flags": 0, "b": 0}),
        (
            "network.incident",
            {"status": "resolved", "kind": "power"},
            {"a": 1, "ref": hash64("7"), "aux": hash64("power")},
        ),
        ("line.changed", {"status": "closed", "product": "iot"}, {"a": 6, "b": 5}),
        ("device.changed", {"supports_5g": False, "dual_sim": True}, {"a": 1, "b": 2}),
        ("complaint.opened", {"severity": 4, "category": "billing"}, {"a": 4, "b": codes.CAUSE["plan_price"]}),
        ("complaint.opened", {"category": "other", "text": "经常掉线"}, {"b": codes.CAUSE["network"]}),
        ("complaint.updated", {"status": "regulator", "severity": 2}, {"a": 3, "b": 2, "c": 0}),
        ("complaint.resolved", {"satisfied": False}, {"a": 1}),
        ("survey.answered", {"topic": "competitor", "text": "信号差"}, {"a": 1, "b": 5, "c": codes.CAUSE["network"]}),
        ("contact.recorded", {"direction": "out", "resolved": True}, {"a": 2, "b": 2}),
        ("porting.queried", {"eligible": True}, {"a": 2}),
        ("porting.ended", {"result": "expired"}, {"a": 1}),
        ("cancellation.requested", {"reason": "moving abroad"}, {"b": codes.CAUSE["personal"]}),
        ("market.noted", {"kind": "season"}, {"a": 3}),
        ("customer.churned", {}, {"a": 0, "b": 1, "c": 0, "d": 0}),
        ("customer.churned", {"voluntary": False, "manner": "arrears"}, {"b": 0, "c": 3}),
        ("customer.churned", {"reason": "care", "to_competitor": "x"}, {"a": codes.CAUSE["care"], "d": 1}),
        ("care.contacted", {"purpose": "survey", "warning_id": "w"}, {"a": 4, "aux": hash64("w")}),
        ("care.resolved", {"outcome": "already_left", "cause": "network"}, {"a": 6, "b": 1, "aux": hash64("w1")}),
        ("plan.changed", {"initiated_by": "operator"}, {"a": 2, "ref": hash64("gold"), "aux": 0}),
        ("contract.signed", {"kind": "discount"}, {"a": 4}),
    ],
)
def test_words_become_codes(read_one, kind, fields, expected):
    record = read_one(kind, **fields)
    assert {name: record[name] for name in expected} == expected


DAY = 86_400_000_000.0


@pytest.mark.parametrize(
    ("kind", "fields", "numbers"),
    [
        ("usage.recorded", {}, [1, 0, 0, 0, 0, 0, math.nan]),
        ("usage.recorded", {"count": 0, "seconds": 1.5, "mb": 2, "charge": 0.1}, [0, 1.5, 2, 0.1, 0, 0, math.nan]),
        ("usage.recorded", {"failed": 3, "dropped": 4, "mbps": 5.5}, [1, 0, 0, 0, 3, 4, 5.5]),
        ("bill.issued", {"plan_fee": 5, "due_at": "1970-01-02T00:00:00Z"}, [10, 5, math.nan, DAY]),
        ("payment.received", {}, [10]),
        ("balance.topped_up", {"balance": -2}, [20, -2]),
        ("balance.reported", {"expires_at": "1970-01-02T01:00:00+01:00"}, [-1, DAY]),
        ("plan.changed", {"fee_before": 1, "fee_after": 2}, [1, 2]),
        ("contract.signed", {"monthly_fee": 1, "term_months": 24, "penalty": 9}, [1, 24, math.nan, 9]),
        ("complaint.updated", {"due_at": "1970-01-02T00:00:00Z"}, [DAY]),
        ("survey.answered", {}, [3, 10]),
        ("survey.answered", {"survey": "csat"}, [3, 5]),
        ("survey.answered", {"survey": "ces", "scale_max": 4}, [3, 4]),
        ("contact.recorded", {"wait_seconds": 60, "steps": 3}, [60, math.nan, 3]),
        ("porting.queried", {"blockers": ["debt", "contract"]}, [2]),
        ("porting.queried", {}, [math.nan]),
        ("porting.requested", {"expires_at": "1970-01-02T00:00:00Z"}, [DAY]),
        ("market.noted", {"starts_at": "1970-01-02T00:00:00Z"}, [DAY, math.nan]),
        ("customer.noted", {"value": True, "ends_at": "1970-01-02T00:00:00Z"}, [1, DAY]),
        ("customer.noted", {"value": 2.5}, [2.5]),
        ("customer.noted", {"value": "gold"}, [math.nan]),
        ("care.resolved", {"offer_cost": 7}, [7]),
    ],
)
def test_numbers_go_to_their_slots(read_one, kind, fields, numbers):
    expected = numbers + [math.nan] * (TIE - len(numbers))
    found = read_one(kind, **fields)["x"].tolist()[: len(expected)]
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("hour", "period"), [("00", 2), ("07", 2), ("08", 0), ("17", 0), ("18", 1), ("22", 1), ("23", 2)]
)
@pytest.mark.parametrize("plain", [True, False])
def test_without_a_period_the_local_hour_decides(read_one, hour, period, plain):
    extra = {} if plain else {"extra": []}  # the scanner leaves the second one alone
    assert read_one(occurred_at=f"2024-03-01T{hour}:30:00+08:00", **extra)["b"] == period


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("bill.issued", {"due_at": "9999-12-31T00:00:00Z"}, "due_at"),
        ("contract.signed", {"ends_at": "0001-01-01T00:00:00Z"}, "ends_at"),
        ("network.incident", {"customer_id": "c1"}, "customer_id"),
        ("market.noted", {"customer_id": "c1"}, "customer_id"),
        ("survey.answered", {"survey": "csat", "score": 6}, "score"),
        ("customer.profiled", {"since": "1801-01-01"}, "since"),
    ],
)
def test_values_no_one_can_mean_are_out_of_range(refused, line, kind, fields, field):
    reason, detail = refused(line(kind, **fields))
    assert reason == "out_of_range"
    assert detail.startswith(field)


def test_a_profile_tells_null_from_absent(read, line):
    fact = read(line("customer.profiled", region=None, attributes={"a": 1, "b": None})).facts[0]
    assert fact.region is None
    assert fact.plan is not None
    assert fact.attributes == {"a": 1.0, "b": None}
