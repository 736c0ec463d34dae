"""A number beyond what the sums can hold is refused by name, whoever reads it."""

import json

import pytest

TOO_MUCH = [
    ("usage.recorded", "count", 2.1e9),
    ("usage.recorded", "seconds", 1e300),
    ("usage.recorded", "seconds", 3_000_000_000),
    ("usage.recorded", "mb", 1e12),
    ("usage.recorded", "charge", 900_000_000_001),
    ("usage.recorded", "failed", 1e300),
    ("usage.recorded", "mbps", 1e300),
    ("bill.issued", "amount", 1e300),
    ("bill.issued", "amount", -1e300),
    ("bill.issued", "amount", 900_000_000_000_001),
    ("bill.issued", "overage", 1e300),
    ("bill.adjusted", "amount", -1e15),
    ("payment.received", "amount", 1e300),
    ("payment.reversed", "amount", 10**400),
    ("balance.topped_up", "balance", 1e300),
    ("balance.reported", "balance", -1e300),
    ("plan.changed", "fee_after", 1e300),
    ("contract.signed", "term_months", 1e300),
    ("contract.signed", "penalty", 1e300),
    ("customer.profiled", "monthly_fee", 1e300),
    ("contact.recorded", "wait_seconds", 1e300),
    ("care.resolved", "offer_cost", 1e300),
    ("customer.noted", "value", 1e300),
]


@pytest.mark.parametrize(("kind", "field", "value"), TOO_MUCH)
def test_what_no_sum_can_hold_is_refused_by_name(refused, line, kind, field, value):
    reason, detail = refused(line(kind, **{field: value}))
    assert (reason, detail.partition(":")[0]) == ("out_of_range", field)


def test_an_attribute_beyond_single_precision_is_refused(refused, line):
    reason, detail = refused(line("customer.profiled", attributes={"score": 1e300}))
    assert (reason, detail.partition(":")[0]) == ("out_of_range", "attributes[...]")


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("usage.recorded", "seconds", 2e9),
        ("usage.recorded", "mb", 9e9),
        ("usage.recorded", "charge", 9e11),
        ("bill.issued", "amount", -9e14),
        ("bill.issued", "amount", 9e14),
    ],
)
def test_the_most_is_still_taken(read, line, kind, field, value):
    assert not read(line(kind, **{field: value})).dead


ENVELOPE = {"specversion": "1.0", "id": "e1", "source": "s", "subject": "c1", "time": "2024-03-01T12:00:00+08:00"}


def test_an_envelope_without_data_lacks_its_data(refused):
    assert refused(json.dumps(ENVELOPE | {"type": "usage.recorded"}).encode()) == ("missing_field", "data")


def test_of_an_envelope_without_data_an_unknown_type_is_said(refused):
    assert refused(json.dumps(ENVELOPE | {"type": "other"}).encode())[0] == "unknown_type"


def test_the_attributes_of_an_envelope_may_say_it_all(read):
    batch = read(json.dumps(ENVELOPE | {"type": "customer.returned"}).encode())
    assert batch.facts[0].customer_id == "c1"


def test_a_field_named_specversion_makes_no_envelope(refused, line):
    assert refused(line("bill.issued", amount="x", specversion="1.0"))[1].startswith("amount")


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"}", b'{"a":"]]' + b"[" * 100_000]
)
def test_brackets_that_do_not_pair_are_no_json(refused, raw):
    assert refused(raw)[0] == "not_json"
