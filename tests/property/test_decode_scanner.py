"""The compiled scanner reads what it takes exactly as msgspec does, and leaves the rest to it.

msgspec is the oracle: every chunk is read twice, with the scanner and without, and must come out the same, dead
letters included.
"""

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events import codes
from events.columns import Batch
from events.decode import decode_objects, read_struct, scan, unscanned
from events.lines import objects_of_lines

TEXTS = st.sampled_from(
    ["a", "", "x" * 128, "x" * 129, "客" * 43, "客" * 128, "\x7f", "a\tb", '"', "\\", "é", "\u2028"]
)
TIMES = st.sampled_from(
    [
        "2024-03-01T12:00:00Z",
        "2024-02-29t23:59:60.123456789+08:00",
        "2024-03-01 00:00:00-00:00",
        "2024-03-01T12:00:00",
        "9999-01-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "",
    ]
)
RAW_NUMBERS = st.sampled_from(
    [
        "0",
        "1",
        "12",
        "1.5",
        "0.1",
        "0.30000000000000004",
        "123456789012345",
        "1234567890123456",
        "12345678.9012345",
        "123456789.0123456",
        "-0",
        "-0.0",
        "-1",
        "1e3",
        "1E-3",
        "1e999",
        "01",
        "1.",
        ".5",
        "-",
        "+",
        "1e",
        "1e+",
        "0x1",
        "9007199254740993",
        "0.000000000000001",
        "0.0000000000000001",
        "99999999999999.9",
        "1_0",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        "nul",
        "nullx",
        "[]",
        "{}",
        '"1"',
        "1,",
    ]
) | st.floats(0, 1e15).map(repr)
RAW_VALUES = st.one_of(
    RAW_NUMBERS,
    TEXTS.map(json.dumps),
    st.sampled_from(['"\\u0041"', '"\\ud800"', '"', "[1]", '{"a": 1}', "", " ", "tru", '"a" "b"']),
)


def word(table: Any) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(each) for each in table if each] + ['"fax"', '""', "null", "3", '"VOICE"'])


FIELDS: dict[str, st.SearchStrategy[str]] = {
    "type": st.sampled_from(
        ['"usage.recorded"'] * 20 + ['"customer.returned"', '"usage.recorde"', "null", '"u\\u0073age.recorded"']
    ),
    "event_id": st.just('"e1"') | TEXTS.map(json.dumps),
    "customer_id": st.just('"c1"') | TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False)),
    "occurred_at": st.just('"2024-03-01T12:00:00Z"') | TIMES.map(json.dumps),
    "service": word(codes.SERVICE),
    "source": TEXTS.map(json.dumps) | st.just("null"),
    "account_id": TEXTS.map(json.dumps) | st.just("null"),
    "line_id": TEXTS.map(json.dumps),
    "period": word(codes.PERIOD),
    "direction": word(codes.DIRECTION),
    "network": word(codes.NETWORK),
    "peer_network": word(codes.PEER_NETWORK),
    "country": TEXTS.map(json.dumps),
    "cell_id": TEXTS.map(json.dumps),
    "peer": TEXTS.map(json.dumps),
    **dict.fromkeys(("count", "seconds", "mb", "charge", "failed", "dropped", "mbps"), RAW_NUMBERS),
    "extra": RAW_VALUES,
    "specversion": st.just('"1.0"'),
    "seconds_": RAW_VALUES,
    "coun": RAW_VALUES,
}
NEEDED = ("type", "event_id", "customer_id", "occurred_at", "service")
PLAIN = {
    "type": '"usage.recorded"',
    "event_id": '"e1"',
    "customer_id": '"c1"',
    "occurred_at": '"2024-03-01T12:00:00Z"',
    "service": '"voice"',
}
SPACE = st.sampled_from(["", "", "", " ", "\t", "\r", "  \t\r ", "\x0b", "\xa0"])


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object that is nearly plain usage: a few fields are strange, doubled or missing."""
    values = dict(PLAIN)
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=6)):
        values[name] = draw(FIELDS[name])
    names = draw(st.permutations(sorted(values)))
    if draw(st.integers(0, 9)) == 0:
        names = [*names, draw(st.sampled_from(sorted(values)))][draw(st.integers(0, 1)) :]
    pairs = [f"{draw(SPACE)}{json.dumps(name)}{draw(SPACE)}:{draw(SPACE)}{values[name]}{draw(SPACE)}" for name in names]
    return f"{draw(SPACE)}{{{','.join(pairs)}}}{draw(SPACE)}".encode()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An object with some of its bytes deleted, doubled or replaced."""
    raw = bytearray(draw(objects()))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, max(0, len(raw) - 1)))
        end = min(len(raw), start + draw(st.sampled_from([1, 1, 1, 2, 9])))
        strange = draw(
            st.sampled_from([b"", b'"', b"\\", b"{", b"}", b",", b":", b"\x00", b"\xff", b"\xe4", b"0", b" ", b"\n"])
        )
        raw[start:end] = draw(st.sampled_from([strange, bytes(raw[start:end]) * 2]))
    return bytes(raw)


def read_twice(raw: bytes) -> tuple[Batch, Batch, int]:
    """With the scanner, without it, and how many objects the scanner took."""
    found = objects_of_lines(raw, "f", 1)
    scanned = scan(found)
    taken = int(scanned.sure.sum())
    return (
        decode_objects(found, scanned, read_struct, "now"),
        decode_objects(found, unscanned(found), read_struct, "now"),
        taken,
    )


def assert_same(left: Batch, right: Batch) -> None:
    for name in left.events.dtype.names or ():
        if name != "id_at":  # the ids may lie in another order
            assert left.events[name].tobytes() == right.events[name].tobytes(), name
    for index in range(len(left)):
        assert left.customer_id(index) == right.customer_id(index)
    assert left.facts == right.facts
    assert left.dead == right.dead


@settings(deadline=None)
@given(st.lists(objects() | mutated(), min_size=1, max_size=8))
@example([b'{"type":"usage.recorded","type":"customer.returned","event_id":"1","customer_id":"c"}'])
@example([b"", b"{}", b"{", b"\xef\xbb\xbf{}"])
def test_the_scanner_reads_as_msgspec_does(lines):
    left, right, _ = read_twice(b"\n".join(lines))
    assert_same(left, right)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["count", "seconds", "mb", "charge", "failed", "dropped", "mbps"]),
        st.floats(0, 1e9).map(lambda value: round(value, 4)) | st.integers(0, 10**15 - 1),
    ),
    st.permutations(sorted(PLAIN)),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]),
    st.text(
        st.characters(min_codepoint=32, exclude_characters='"\\', exclude_categories=["Cs"]), min_size=1, max_size=30
    ),
)
def test_the_scanner_takes_what_is_plain(numbers, order, separators, name):
    values = (
        {key: json.loads(PLAIN[key]) for key in order} | numbers | {"customer_id": name, "region": "北京", "vip": True}
    )
    raw = json.dumps(values, separators=separators, ensure_ascii=False).encode()
    left, right, taken = read_twice(raw)
    assert taken == 1
    assert_same(left, right)
    for slot, field in enumerate(["count", "seconds", "mb", "charge", "failed", "dropped"]):
        assert left.events["x"][0, slot] == numbers.get(field, 1.0 if slot == 0 else 0.0)


def rows(seed: int, count: int) -> list[bytes]:
    source = random.Random(seed)
    return [
        json.dumps(
            {
                "type": "usage.recorded" if source.random() < 0.8 else "customer.returned",
                "event_id": f"e{source.randrange(10**6)}",
                "customer_id": f"c{source.randrange(100)}",
                "occurred_at": f"2024-03-{source.randrange(1, 32):02}T{source.randrange(24):02}:00:00+08:00",
                "service": source.choice(list(codes.SERVICE)),
                "mb": source.choice([1, 2.25, 0.1 + 0.2]),
            }
        ).encode()
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_bytes_turned_at_random_make_no_difference(seed):
    source = random.Random(seed)
    whole = bytearray(b"\n".join(rows(seed, 400)))
    for _ in range(300):
        whole[source.randrange(len(whole))] = source.randrange(256)
    left, right, taken = read_twice(bytes(whole))
    assert_same(left, right)
    assert taken > 50  # turned bytes do not hide that the scanner was asked
    assert len(left.dead) > 50


def test_a_chunk_that_is_no_utf8_is_still_scanned_where_it_is_plain():
    raw = b"\n".join([*rows(1, 50), b"\xff", *rows(2, 50)])
    left, right, taken = read_twice(raw)
    assert_same(left, right)
    assert taken > 40
    assert np.unique(left.events["kind"]).tolist() == [0, 26]
