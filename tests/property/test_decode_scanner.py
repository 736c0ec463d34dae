"""The compiled scanner reads what it takes exactly as msgspec does, and leaves the rest to it.

msgspec is the oracle: every chunk is read twice, with the scanner and without, and must come out the same, dead
letters included.
"""

import json
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events import codes
from events.columns import Batch
from events.decode import decode_objects, read_struct, scan, unscanned
from events.lines import objects_of_lines
from events.scan import NUMBER_FIELDS, TEXT_FIELDS

TEXTS = [
    "a",
    "",
    "x" * 128,
    "x" * 129,
    "客" * 43,
    "客" * 128,
    "\x7f",
    "a\tb",
    '"',
    "\\",
    "é",
    "\u2028",
    "usage.recorded",
]
TIMES = [
    "2024-03-01T12:00:00Z",
    "2024-02-29t23:59:60.123456789+08:00",
    "2024-03-01 00:00:00-00:00",
    "2024-03-01T12:00:00",
    "9999-01-01T00:00:00Z",
    "2023-02-29T00:00:00Z",
]
NUMBERS = [
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
    "90071992547.40993",
    "7205759403792.7935",
    "2000000000",
    "2000000000.0001",
    "9000000000",
    "9000000000.001",
    "900000000000",
    "900000000001",
    "1e300",
    "1e3",
    "1E-3",
    "-1.5e+3",
    "1e999",
    "01",
    "00",
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
    "1,",
    "1.5.5",
]
WORDS = [*codes.SERVICE, *codes.PERIOD, "in", "out", "2g", "5g", "own", "foreign", "fax", "VOICE", "voic", "voicee"]
OTHERS = [
    "true",
    "false",
    "null",
    "nul",
    "nullx",
    "tru",
    "[]",
    "{}",
    "[1]",
    '{"a":1}',
    "[null]",
    '{"a":{}}',
    '"\\u0041"',
    '"\\ud800"',
    '"\\x"',
    '"',
    '"a""b"',
    '"\x01"',
    '"a\\"',
]
VALUES = [
    *NUMBERS,
    *OTHERS,
    "",
    *(json.dumps(text, ensure_ascii=ascii_only) for text in TEXTS for ascii_only in (True, False)),
    *(json.dumps(text) for text in [*TIMES, *WORDS]),
]
"""JSON values, and what is none."""

PLAIN = {
    "type": '"usage.recorded"',
    "event_id": '"e1"',
    "customer_id": '"c1"',
    "occurred_at": '"2024-03-01T12:00:00Z"',
    "service": '"voice"',
}
SPACE = st.sampled_from(["", "", "", " ", "\t", "\r", "  \t\r ", "\x0b", "\xa0"])


FIELDS = [*TEXT_FIELDS, *NUMBER_FIELDS, "extra", "coun", "counts", "specversion", "data"]


def written(pairs: list[tuple[str, str]]) -> bytes:
    return ("{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}").encode()


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object that is nearly plain usage: a few fields are strange, doubled or missing, and spaces anywhere."""
    strange = st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.floats(0, 1e12).map(repr))
    pairs = draw(st.permutations([*PLAIN.items(), *draw(st.lists(strange, max_size=2))]))
    pairs = pairs[draw(st.sampled_from([0] * 9 + [1])) :]
    spaced = [f'{draw(SPACE)}"{name}"{draw(SPACE)}:{draw(SPACE)}{value}{draw(SPACE)}' for name, value in pairs]
    return f"{draw(SPACE)}{{{','.join(spaced)}}}{draw(SPACE)}".encode()


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


def test_one_strange_value_at_a_time():
    lines = [written([*(PLAIN | {name: value}).items()]) for name in FIELDS for value in VALUES]
    left, right, taken = read_twice(b"\n".join(lines))
    assert_same(left, right)
    assert taken > len(lines) // 8


def test_one_doubled_field_at_a_time():
    lines = []
    for name in FIELDS:
        plain = PLAIN.get(name, "7" if name in NUMBER_FIELDS else '"in"')
        others = [pair for pair in PLAIN.items() if pair[0] != name]
        for value in VALUES:
            lines += [
                written([(name, value), *others, (name, plain)]),
                written([(name, plain), *others, (name, value)]),
            ]
    left, right, _ = read_twice(b"\n".join(lines))
    assert_same(left, right)


def test_long_numbers_are_rounded_once():
    source = random.Random(5)
    digits = [str(source.randrange(10 ** (count - 1), 10**count)) for count in range(12, 20) for _ in range(60)]
    numbers = [f"{text[:5]}.{text[5:]}" for text in digits] + [f"0.{text}" for text in digits]
    left, right, _ = read_twice(b"\n".join(written([*PLAIN.items(), ("mb", number)]) for number in numbers))
    assert_same(left, right)
    assert left.events["x"][:, 2].tolist() == [float(number) for number in numbers]


def test_fields_in_the_way_of_the_braces():
    whole = written([*PLAIN.items(), ("mb", "1.25"), ("extra", "null")])
    lines = [whole[:end] for end in range(len(whole))] + [whole[start:] for start in range(len(whole))]
    lines += [
        whole[:at] + byte + whole[at:] for at in range(len(whole)) for byte in (b",", b" ", b'"', b"\\", b"}", b"\x00")
    ]
    left, right, _ = read_twice(b"\n".join(lines))
    assert_same(left, right)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["count", "seconds", "mb", "charge", "failed", "dropped", "mbps"]),
        st.floats(0, 1e9).map(lambda value: round(value, 4)) | st.integers(0, 2 * 10**9),
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
