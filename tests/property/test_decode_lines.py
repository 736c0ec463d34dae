"""Nothing that comes in is lost, stops the stream, or depends on how a file was cut into chunks."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from events.columns import concat
from events.contract import TYPE_NAMES
from events.deadletters import Reason
from events.decode import decode
from events.packed import Record, packed
from events.records import decode_records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [
    "amount",
    "status",
    "service",
    "bill_id",
    "complaint_id",
    "cell_id",
    "since",
    "consent",
    "data",
    "specversion",
]
OBJECTS = st.builds(
    lambda kind, common, other: json.dumps({"type": kind} | common | other).encode(),
    st.sampled_from([*TYPE_NAMES, "nothing"]),
    st.sampled_from([{}, {"event_id": "e", "customer_id": "c", "occurred_at": "2024-03-01T00:00:00Z"}]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
)
LINES = st.lists(
    st.one_of(OBJECTS, st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())), max_size=12
)
REASONS = {str(reason) for reason in Reason} - {"too_late", "in_future"}


@settings(deadline=None)
@given(LINES, st.sampled_from([b"\n", b"\r\n"]))
def test_every_line_is_an_event_a_dead_letter_or_blank(lines, line_end):
    raw = line_end.join(lines)
    batch = decode(raw, "f", received_at="now")
    places = [batch.place(index) for index in range(len(batch))] + [letter.source for letter in batch.dead]
    expected = {f"f:{number}" for number, line in enumerate(raw.split(b"\n"), start=1) if line.strip(b" \t\r")}
    assert len(places) == len(set(places))
    assert set(places) == expected
    assert {letter.reason for letter in batch.dead} <= REASONS
    assert {index for index in range(len(batch)) if batch.events["kind"][index] != 0} == batch.facts.keys()


@settings(deadline=None)
@given(LINES, st.sets(st.integers(1, 11)))
def test_where_a_file_is_cut_makes_no_difference(lines, cuts):
    lines = [line for text in lines for line in text.split(b"\n")]
    whole = decode(b"\n".join(lines), "f", received_at="now")
    edges = [0, *sorted(cut for cut in cuts if cut < len(lines)), len(lines)]
    parts = concat(
        [
            decode(b"".join(line + b"\n" for line in lines[start:end]), "f", start + 1, received_at="now")
            for start, end in pairwise(edges)
        ]
    )
    assert [parts.place(index) for index in range(len(parts))] == [whole.place(index) for index in range(len(whole))]
    for name in ("at", "key", "ref", "aux", "line", "kind", "a", "b", "c", "d", "e", "hour", "flags", "x"):
        assert parts.events[name].tobytes() == whole.events[name].tobytes()
    assert parts.facts == whole.facts
    assert parts.dead == whole.dead


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | OBJECTS | st.binary(max_size=60), st.booleans(), st.none() | st.just(b"c")), max_size=8
    )
)
def test_every_record_is_an_event_or_a_dead_letter(contents):
    headers = [
        ("ce_id", b"h"),
        ("ce_type", b"customer.returned"),
        ("ce_subject", b"c"),
        ("ce_time", b"2024-03-01T00:00:00Z"),
    ]
    records = [
        Record(value, headers if binary else (), key, 0, offset) for offset, (value, binary, key) in enumerate(contents)
    ]
    batch = decode_records(packed(records), "t/0", received_at="now")
    places = [batch.place(index) for index in range(len(batch))] + [letter.source for letter in batch.dead]
    assert sorted(places) == sorted(f"t/0/{offset}" for offset in range(len(records)))
    assert all(records[int(line)].key == b"c" for line in batch.events["line"])
