"""Kafka records: keys, envelopes, places."""

import json

import pytest

from events.packed import Record, packed
from events.records import decode_records

HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"h1"),
    ("ce_type", b"customer.returned"),
    ("ce_source", b"/crm"),
    ("ce_subject", b"c1"),
    ("ce_time", b"2024-03-01T12:00:00Z"),
]


def record(value, key=b"c1", headers=(), offset=0, timestamp=1_709_294_400_000):
    return Record(value, headers, key, timestamp, offset)


def read(*records):
    return decode_records(packed(records), "churn.usage.v1/0", received_at="now")


@pytest.mark.parametrize("kind", ["usage.recorded", "customer.returned"])
@pytest.mark.parametrize("key", [b"c2", b"c", b"c12", b"", b"\xff", None])
def test_a_key_that_is_not_the_customer_is_out_of_range(line, kind, key):
    batch = read(record(line(kind), offset=4), record(line(kind), key, offset=5), record(line(kind), offset=6))
    assert [batch.place(index) for index in range(2)] == ["churn.usage.v1/0/4", "churn.usage.v1/0/6"]
    (letter,) = batch.dead
    assert (letter.reason, letter.source) == ("out_of_range", "churn.usage.v1/0/5")
    assert "key" in letter.detail


def test_places_of_large_offsets_and_offsets_that_fall(line):
    places = [5_000_000_000, 5_000_000_009, 3, 9_000_000_000, 12_000_000_000, 1]
    batch = read(*(record(line(), offset=offset) for offset in places))
    assert [batch.place(index) for index in range(len(batch))] == [f"churn.usage.v1/0/{offset}" for offset in places]


def test_arrival_is_the_record_s_timestamp_also_after_a_bad_one(line):
    batch = read(
        record(b"x", timestamp=1), record(line(), timestamp=2), record(b"", timestamp=3), record(line(), timestamp=4)
    )
    assert batch.events["clock"].tolist() == [2000, 4000]


def test_binary_mode(line):
    batch = read(record(b"{}", headers=HEADERS), record(b"", headers=HEADERS), record(line(), headers=HEADERS))
    assert not batch.dead
    fact = batch.facts[0]
    assert (fact.event_id, fact.customer_id, fact.source) == ("h1", "c1", "/crm")
    assert batch.events["key"][0] == batch.events["key"][1]
    # the source of the headers stands in for the one that the usage record lacks
    assert batch.events["key"][2] == read(record(line(source="/crm"))).events["key"][0]


def test_other_headers_are_nobody_s_business(line):
    assert len(read(record(line(), headers=[("traceparent", b"\xff"), ("x", None)]))) == 1


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, (), "not_json"),
        (b" ", (), "not_json"),
        (b"\xff", HEADERS, "not_json"),
        (b"[]", HEADERS, "not_an_object"),
        (b"{}", HEADERS[:-1], "missing_field"),
        (b"{}", [*HEADERS[:-1], ("ce_time", b"now")], "wrong_type"),
        (b"{}", [*HEADERS, ("ce_specversion", b"0.3")], "out_of_range"),
        (b"{}", [*HEADERS, ("ce_extra", b"\xff")], "not_json"),
        (b'{"customer_id": "c2"}', HEADERS, "out_of_range"),
    ],
)
def test_faults(line, value, headers, reason):
    batch = read(record(line(), offset=1), record(value, headers=headers, offset=2))
    assert len(batch) == 1
    assert (batch.dead[0].reason, batch.dead[0].source) == (reason, "churn.usage.v1/0/2")


def test_two_halves_of_a_character_do_not_make_a_whole_one(line):
    left, right = line().replace(b"}", b', "z": "\xe4\xba') + b'"}', b"\xac" + line()
    assert [letter.reason for letter in read(record(left), record(right)).dead] == ["not_json", "not_json"]
    assert len(read(record(left.removesuffix(b'"}')), record(b'\xac"}'))) == 0


def test_an_object_may_have_line_feeds_in_a_record(event):
    batch = read(record(json.dumps(event(), indent=2).encode()), record(json.dumps(event(extra=[]), indent=1).encode()))
    assert len(batch) == 2


def test_no_records():
    assert len(read()) == 0
