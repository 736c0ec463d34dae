"""Lines in, events and dead letters out: every line is one or the other, or blank."""

import json

import pytest

from events.deadletters import MAX_OBJECT_BYTES, MAX_PAYLOAD_BYTES
from events.decode import decode


def test_order_places_and_payloads(read, line):
    one, two, three = line(customer_id="c1"), line("customer.returned", customer_id="客"), line(customer_id="c3")
    batch = read(one, b"", two, b"{}", three)
    assert [batch.customer_id(index) for index in range(3)] == ["c1", "客", "c3"]
    assert [batch.place(index) for index in range(3)] == ["f.jsonl:1", "f.jsonl:3", "f.jsonl:5"]
    assert [batch.payload(index) for index in range(3)] == [one, two, three]
    assert list(batch.facts) == [1]
    assert batch.facts[1].customer_id == "客"
    assert [letter.source for letter in batch.dead] == ["f.jsonl:4"]
    assert batch.lines == 5
    assert batch.source == "f.jsonl"


@pytest.mark.parametrize("raw", [b"", b"\n", b"\n\n", b" \t\r\n\r\n", b"\r", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_nothing_in_nothing_out(raw):
    batch = decode(raw, "f", received_at="now")
    assert len(batch) == 0
    # a byte order mark alone is no white space, so it is not lost but told
    assert len(batch.dead) == raw.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(("raw", "lines"), [(b"", 0), (b"\n", 1), (b"x", 1), (b"x\n", 1), (b"x\n\ny", 3)])
def test_lines_are_counted(raw, lines):
    assert decode(raw, "f", received_at="now").lines == lines


def test_line_ends_and_a_byte_order_mark_are_no_part_of_an_object(line):
    one = line()
    batch = decode(b"\xef\xbb\xbf" + one + b"\r\n" + one + b"\n  " + one + b"\t", "f", received_at="now")
    assert not batch.dead
    assert batch.payload(0) == batch.payload(1) == one


def test_a_byte_order_mark_in_the_middle_is_a_fault(line):
    batch = decode(b"\xef\xbb\xbf" + line(), "f", first_line=2, received_at="now")
    assert (batch.dead[0].reason, batch.dead[0].source) == ("not_json", "f:2")


@pytest.mark.parametrize("kind", ["usage.recorded", "customer.returned"])
def test_an_object_over_two_lines_is_two_faults_and_two_on_a_line_are_one(read, line, kind):
    whole = line(kind)
    middle = whole.index(b",") + 1
    batch = read(whole, whole[:middle], whole[middle:], whole + whole, whole + b" " + whole, whole)
    assert len(batch) == 2
    assert [letter.reason for letter in batch.dead] == ["not_json"] * 4


@pytest.mark.parametrize(
    ("raw", "reason", "named"),
    [
        (b"hello", "not_json", ""),
        (b"{", "not_json", ""),
        (b'{"type": "usage.recorded",}', "not_json", ""),
        (b"{'type': 1}", "not_json", ""),
        (b'{"a": NaN}', "not_json", ""),
        (b'{"a": Infinity}', "not_json", ""),
        (b'{"a": -Infinity}', "not_json", ""),
        (b'{"a": "\xff"}', "not_json", ""),
        (b"\x00", "not_json", ""),
        (b'{"type": "nothing", "a": tru}', "not_json", ""),
        (b"[]", "not_an_object", ""),
        (b'"text"', "not_an_object", ""),
        (b"12", "not_an_object", ""),
        (b"null", "not_an_object", ""),
        (b"{}", "missing_field", "type"),
        (b'{"type": null}', "wrong_type", "type"),
        (b'{"type": 4}', "wrong_type", "type"),
        (b'{"type": "usage.deleted"}', "unknown_type", "type"),
        (b'{"type": ""}', "unknown_type", "type"),
    ],
)
def test_reasons(refused, raw, reason, named):
    found, detail = refused(raw)
    assert found == reason
    assert detail.startswith(named)


@pytest.mark.parametrize("kind", ["usage.recorded", "bill.issued"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"occurred_at": "2024-03-01T12:00:00"}, "wrong_type"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "out_of_range"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "out_of_range"),
        ({"occurred_at": "2024-02-30T00:00:00Z"}, "out_of_range"),
        ({"occurred_at": 1709265600}, "wrong_type"),
        ({"occurred_at": None}, "wrong_type"),
        ({"event_id": 7}, "wrong_type"),
        ({"event_id": None}, "wrong_type"),
        ({"event_id": "x" * 129}, "out_of_range"),
        ({"customer_id": ["c1"]}, "wrong_type"),
        ({"source": 1}, "wrong_type"),
    ],
)
def test_faults_of_common_fields_name_them(refused, line, kind, fields, reason):
    found, detail = refused(line(kind, **fields))
    assert found == reason
    assert detail.startswith(next(iter(fields)))


@pytest.mark.parametrize("text", [b"1e999", b"-1e999", b"9" * 400])
def test_a_number_that_no_double_holds_is_out_of_range(refused, line, text):
    reason, detail = refused(line("bill.issued", amount=0).replace(b'"amount": 0', b'"amount": ' + text))
    assert (reason, detail.split(":")[0]) == ("out_of_range", "amount")


@pytest.mark.parametrize("kind", ["usage.recorded", "customer.returned"])
def test_bad_utf8_is_a_fault_even_in_a_field_that_nobody_reads(read, line, kind):
    good, bad = line(kind, note="北京"), line(kind, note="NOTE").replace(b"NOTE", b"\xe4\xba")
    batch = read(good, bad, good)
    assert len(batch) == 2
    assert batch.dead[0].reason == "not_json"
    assert set(batch.dead[0].payload) == {"base64"}


@pytest.mark.parametrize("kind", ["usage.recorded", "customer.returned"])
def test_depth_is_no_way_to_stop_the_stream(read, line, kind):
    deep = line(kind, extra="HERE").replace(b'"HERE"', b"[" * 100_000 + b"]" * 100_000)
    batch = read(deep, line(kind))
    assert len(batch) == 1
    assert batch.dead[0].reason == "failed"


def test_what_is_too_large_is_cut(read, line):
    batch = read(line(), line(note="x" * MAX_OBJECT_BYTES), line(note="x" * (MAX_OBJECT_BYTES - 300)))
    (letter,) = batch.dead
    assert len(batch) == 2
    assert letter.reason == "too_large"
    assert len(letter.payload) == MAX_PAYLOAD_BYTES
    assert letter.truncated_from == len(line(note="x" * MAX_OBJECT_BYTES))


def test_a_line_of_50_mb_is_one_dead_letter(line):
    batch = decode(line() + b"\n" + b"a" * 50_000_000 + b"\n" + line(), "f", received_at="now")
    assert len(batch) == 2
    assert (batch.dead[0].reason, batch.dead[0].truncated_from) == ("too_large", 50_000_000)


@pytest.mark.parametrize("structured", [{"data": {"service": "sms"}}, {"data_base64": "eyJzZXJ2aWNlIjogInNtcyJ9"}])
def test_a_cloud_event_in_a_file(read, line, structured):
    envelope = {
        "specversion": "1.0",
        "id": "e1",
        "type": "usage.recorded",
        "source": "/mediation",
        "subject": "c1",
        "time": "2024-03-01T12:00:00+08:00",
    }
    batch = read(json.dumps(envelope | structured).encode(), line(service="sms", source="/mediation"))
    assert not batch.dead
    same = [name for name in batch.events.dtype.names if name not in ("id_at", "start", "end", "line", "x")]
    assert batch.events[same][0] == batch.events[same][1]


def test_an_envelope_does_not_win_over_its_data(read, event):
    data = event("customer.returned", customer_id="inner", source="crm")
    envelope = {"specversion": "1.0", "id": "outer", "type": "x", "source": "outer", "subject": "outer", "data": data}
    batch = read(json.dumps(envelope).encode())
    assert (batch.facts[0].customer_id, batch.facts[0].event_id, batch.facts[0].source) == ("inner", "e1", "crm")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"data": []}, "not_an_object"),
        ({"data": {"type": "usage.recorded"}}, "missing_field"),
        ({"data": {}, "type": "other"}, "unknown_type"),
        ({"data": {}, "specversion": "2.0"}, "out_of_range"),
        ({"data": {}, "specversion": 1}, "wrong_type"),
        ({"data_base64": 5}, "wrong_type"),
        ({"data_base64": "!"}, "not_json"),
        ({"data_base64": "aGVsbG8="}, "not_json"),
    ],
)
def test_faults_in_envelopes(refused, fields, reason):
    envelope = {"specversion": "1.0", "id": "e1", "type": "customer.returned", "source": "s", "subject": "c1"}
    assert refused(json.dumps(envelope | fields).encode())[0] == reason


def test_letters_carry_what_the_contract_says(read):
    (letter,) = read(b"[]").dead
    assert (letter.source, letter.received_at, letter.payload) == ("f.jsonl:1", "2024-03-02T00:00:00Z", "[]")
