"""A compiled reader for plain usage lines, the bulk of all events: from bytes to EVENT records in one pass.

It knows one thing only, a flat object of type `usage.recorded` without escapes, with its keys in any order, and reads
it exactly as the struct of the contract would; every object it is not sure of it leaves to msgspec, faults included.
Numbers of up to 15 digits are exact: an integer below 2^53 divided by a power of ten below 10^22 is one correctly
rounded operation (Clinger, How to Read Floating Point Numbers Accurately, PLDI 1990).
"""

from collections.abc import Iterable
from math import nan

import numpy as np
from numpy.typing import NDArray

from events import codes
from events.columns import ACCOUNT_GIVEN, COUNTRY_GIVEN, LINE_GIVEN
from events.compiled import compiled
from events.contract import CHARGE_MOST, COUNT_MOST, VOLUME_MOST
from events.deadletters import MAX_OBJECT_BYTES
from events.hashing import event_key, hash_bytes
from events.memory import byte_at, short_word_at, word_at
from events.periods import period_of_hour
from events.times import OK, read_time

TEXT_FIELDS = (
    "type",
    "event_id",
    "customer_id",
    "occurred_at",
    "service",
    "source",
    "account_id",
    "line_id",
    "period",
    "direction",
    "network",
    "peer_network",
    "country",
    "cell_id",
    "peer",
)
NUMBER_FIELDS = ("count", "seconds", "mb", "charge", "failed", "dropped", "mbps")
"""In the order of their slots in EVENT.x."""
MOST = np.array([COUNT_MOST, COUNT_MOST, VOLUME_MOST, CHARGE_MOST, COUNT_MOST, COUNT_MOST, COUNT_MOST])
"""What is beyond it is out of range; msgspec says so."""

(TYPE, EVENT_ID, CUSTOMER_ID, OCCURRED_AT, SERVICE, SOURCE, ACCOUNT_ID, LINE_ID) = range(8)
(PERIOD, DIRECTION, NETWORK, PEER_NETWORK, COUNTRY, CELL_ID, PEER) = range(8, 15)
FIRST_NUMBER = len(TEXT_FIELDS)
NUMBERS = len(NUMBER_FIELDS)
FIELDS = FIRST_NUMBER + NUMBERS
REQUIRED = (1 << TYPE) | (1 << EVENT_ID) | (1 << CUSTOMER_ID) | (1 << OCCURRED_AT) | (1 << SERVICE)
MAX_ID = 128
MAX_DIGITS = 15
NOT_SURE = -1

QUOTE, BACKSLASH, COMMA, COLON, OPENING, CLOSING, MINUS, POINT = 34, 92, 44, 58, 123, 125, 45, 46
ONES, TOPS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
SPACES, QUOTES, BACKSLASHES = ONES * np.uint64(32), ONES * np.uint64(QUOTE), ONES * np.uint64(BACKSLASH)
TENS = np.array([10.0**power for power in range(MAX_DIGITS + 1)])


def word_table(words: Iterable[str]) -> NDArray[np.uint64]:
    """Each word (up to 16 bytes, padded with zeros) as two numbers: u8[words, 2]."""
    padded = [word.encode().ljust(16, b"\0") for word in words]
    rows = [(int.from_bytes(word[:8], "little"), int.from_bytes(word[8:], "little")) for word in padded]
    return np.array(rows, np.uint64)


KEYS = word_table(TEXT_FIELDS + NUMBER_FIELDS)
USAGE_TYPE = word_table(["usage.recorded"])
SERVICES = word_table(codes.SERVICE)
PERIODS = word_table(codes.PERIOD)
DIRECTIONS = word_table(word for word in codes.DIRECTION if word)
NETWORKS = word_table(word for word in codes.NETWORK if word)
PEER_NETWORKS = word_table(word for word in codes.PEER_NETWORK if word)
LITERALS = word_table(["true", "false", "null"])
USAGE_KIND = int(codes.Kind.USAGE_RECORDED)


@compiled(inline=True, borrows=True)
def find_word(table: NDArray[np.uint64], data: NDArray[np.uint8], start: int, end: int) -> int:
    """The position of data[start:end] in a word table, or -1."""
    if end - start > 16:
        return -1
    first, second = short_word_at(data, start, end - start), short_word_at(data, start + 8, end - start - 8)
    for index in range(len(table)):
        if table[index, 0] == first and table[index, 1] == second:
            return index
    return -1


@compiled(inline=True, borrows=True)
def skip_space(data: NDArray[np.uint8], position: int, end: int) -> int:
    """The next byte that is no JSON white space."""
    while position < end and byte_at(data, position) <= 32:
        if byte_at(data, position) not in (32, 9, 10, 13):
            return position
        position += 1
    return position


@compiled(inline=True, borrows=True)
def string_end(data: NDArray[np.uint8], position: int, end: int, ascii_only: bool) -> int:
    """Where the string that begins at `position` (after its quote) has its closing quote, or NOT_SURE.

    Eight bytes at a time: each term below has the top bit set in the bytes it looks for, and above them at most
    (Mycroft's trick: a byte less one borrows), so the lowest bit set is the first of them.
    """
    strange = TOPS if ascii_only else np.uint64(0)
    while position < end:
        word = word_at(data, position)
        quotes, backslashes = word ^ QUOTES, word ^ BACKSLASHES
        found = (quotes - ONES) & ~quotes | (backslashes - ONES) & ~backslashes | (word - SPACES) & ~word
        found = found & TOPS | word & strange
        if found:
            below = ((found & (~found + np.uint64(1))) - np.uint64(1)) & ONES
            position += int((below * ONES) >> np.uint64(56)) - 1
            return position if position < end and byte_at(data, position) == QUOTE else NOT_SURE
        position += 8
    return NOT_SURE


@compiled(inline=True, borrows=True)
def digits_end(data: NDArray[np.uint8], position: int, end: int) -> int:
    """The first byte from `position` that is no digit."""
    while position < end and 48 <= byte_at(data, position) <= 57:
        position += 1
    return position


@compiled(inline=True, borrows=True)
def read_number(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, float]:
    """(where a plain non-negative number of up to 15 digits ends, or NOT_SURE; its value)."""
    position, mantissa, decimals = start, 0, 0
    while position < end and 48 <= byte_at(data, position) <= 57:
        mantissa = mantissa * 10 + (int(byte_at(data, position)) - 48)
        position += 1
        if position - start > MAX_DIGITS:
            return NOT_SURE, nan
    if position == start or (byte_at(data, start) == 48 and position > start + 1):
        return NOT_SURE, nan
    if position < end and byte_at(data, position) == POINT:
        point = position
        position += 1
        while position < end and 48 <= byte_at(data, position) <= 57:
            mantissa = mantissa * 10 + (int(byte_at(data, position)) - 48)
            position += 1
            if position - start > MAX_DIGITS + 1:
                return NOT_SURE, nan
        decimals = position - point - 1
        if decimals == 0:
            return NOT_SURE, nan
    return position, mantissa / TENS[decimals]


@compiled(borrows=True)
def skip_number(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Where the JSON number at `start` ends, or NOT_SURE."""
    first = start + 1 if byte_at(data, start) == MINUS else start
    position = digits_end(data, first, end)
    if position == first or (byte_at(data, first) == 48 and position > first + 1):
        return NOT_SURE
    if position < end and byte_at(data, position) == POINT:
        fraction = position + 1
        position = digits_end(data, fraction, end)
        if position == fraction:
            return NOT_SURE
    if position < end and byte_at(data, position) in (69, 101):
        exponent = position + 1
        if exponent < end and byte_at(data, exponent) in (43, MINUS):
            exponent += 1
        position = digits_end(data, exponent, end)
        if position == exponent:
            return NOT_SURE
    return position


@compiled(borrows=True)
def skip_literal(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Where the `true`, `false` or `null` at `start` ends, or NOT_SURE."""
    position = start
    while position < end and 97 <= byte_at(data, position) <= 122:
        position += 1
    return position if find_word(LITERALS, data, start, position) >= 0 else NOT_SURE


@compiled(inline=True, borrows=True)
def skip_value(data: NDArray[np.uint8], start: int, end: int, ascii_only: bool) -> int:
    """Where a string, number or literal that nobody reads ends, or NOT_SURE."""
    if start >= end:
        return NOT_SURE
    if byte_at(data, start) == QUOTE:
        closing = string_end(data, start + 1, end, ascii_only)
        return NOT_SURE if closing == NOT_SURE else closing + 1
    if 97 <= byte_at(data, start) <= 122:
        return skip_literal(data, start, end)
    return skip_number(data, start, end)


@compiled(inline=True, borrows=True)
def is_null(data: NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether the value at `start` is null."""
    return end - start > 4 and short_word_at(data, start, 4) == LITERALS[2, 0]


@compiled(inline=True, borrows=True)
def find_key(data: NDArray[np.uint8], start: int, end: int, previous: int, followers: NDArray[np.int64]) -> int:
    """The field named data[start:end], or -1.

    Producers write their keys in one order, so `followers` remembers for each field the one that came after it.
    """
    if end - start > 16:
        return -1
    first, second = short_word_at(data, start, end - start), short_word_at(data, start + 8, end - start - 8)
    guess = int(followers[previous])
    if KEYS[guess, 0] == first and KEYS[guess, 1] == second:
        return guess
    for index in range(FIELDS):
        if KEYS[index, 0] == first and KEYS[index, 1] == second:
            followers[previous] = index
            return index
    return -1


@compiled(inline=True, borrows=True)
def read_field(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    ascii_only: bool,
    field: int,
    spans: NDArray[np.int64],
    numbers: NDArray[np.float64],
) -> int:
    """Where the value of a known field ends, or NOT_SURE; the value goes into `spans` or `numbers`."""
    if field >= FIRST_NUMBER:
        position, numbers[field - FIRST_NUMBER] = read_number(data, start, end)
        return position
    if start >= end or byte_at(data, start) != QUOTE:
        return NOT_SURE
    closing = string_end(data, start + 1, end, ascii_only)
    if closing == NOT_SURE or (field == TYPE and find_word(USAGE_TYPE, data, start + 1, closing) < 0):
        return NOT_SURE
    spans[field, 0], spans[field, 1] = start + 1, closing
    return closing + 1


@compiled(inline=True, borrows=True)
def key_at(data: NDArray[np.uint8], start: int, end: int, ascii_only: bool) -> tuple[int, int, int]:
    """(first byte of the key that is next, its end, first byte of its value); the last is NOT_SURE when there is none."""
    key = skip_space(data, start, end)
    if key >= end or byte_at(data, key) != QUOTE:
        return key, key, NOT_SURE
    closing = string_end(data, key + 1, end, ascii_only)
    if closing == NOT_SURE:
        return key, key, NOT_SURE
    colon = skip_space(data, closing + 1, end)
    if colon >= end or byte_at(data, colon) != COLON:
        return key, key, NOT_SURE
    return key + 1, closing, skip_space(data, colon + 1, end)


@compiled(inline=True, borrows=True)
def scan_object(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    ascii_only: bool,
    spans: NDArray[np.int64],
    numbers: NDArray[np.float64],
    followers: NDArray[np.int64],
) -> int:
    """Find the fields of one flat object: bits of those given, or NOT_SURE.

    Writes where the strings are into `spans` (i8[fields, 2]) and the numbers into `numbers` (f8[7]).
    """
    position = skip_space(data, start, end)
    if position >= end or byte_at(data, position) != OPENING:
        return NOT_SURE
    given, previous, separator = 0, FIELDS, COMMA
    while separator == COMMA:
        key, key_end, value = key_at(data, position + 1, end, ascii_only)
        if value == NOT_SURE:
            return NOT_SURE
        field = find_key(data, key, key_end, previous, followers)
        if field < 0 or is_null(data, value, end):
            if field >= 0 and ((REQUIRED | given) >> field) & 1:
                return NOT_SURE
            position = skip_value(data, value, end, ascii_only)
        elif (given >> field) & 1:
            return NOT_SURE
        else:
            position = read_field(data, value, end, ascii_only, field, spans, numbers)
            given |= 1 << field
            previous = field
        position = NOT_SURE if position == NOT_SURE else skip_space(data, position, end)
        if position == NOT_SURE or position >= end:
            return NOT_SURE
        separator = byte_at(data, position)
    return given if separator == CLOSING and skip_space(data, position + 1, end) == end else NOT_SURE


@compiled(inline=True, borrows=True)
def id_fits(spans: NDArray[np.int64], given: int, field: int, shortest: int) -> bool:
    """Whether an id is absent or surely within its length (bytes are never fewer than characters)."""
    length = spans[field, 1] - spans[field, 0]
    return not (given >> field) & 1 or shortest <= length <= MAX_ID


@compiled(inline=True, borrows=True)
def hash_of(data: NDArray[np.uint8], spans: NDArray[np.int64], given: int, field: int) -> np.uint64:
    """The hash of a text field, 0 when absent."""
    return hash_bytes(data, spans[field, 0], spans[field, 1]) if (given >> field) & 1 else np.uint64(0)


@compiled(inline=True, borrows=True)
def code_of(
    table: NDArray[np.uint64], data: NDArray[np.uint8], spans: NDArray[np.int64], given: int, field: int
) -> int:
    """The code of an optional word counted from 1: 0 when absent, -1 when it is no word of the table."""
    if not (given >> field) & 1:
        return 0
    index = find_word(table, data, spans[field, 0], spans[field, 1])
    return index + 1 if index >= 0 else -1


@compiled(inline=True, borrows=True)
def fill_record(
    record: np.void, data: NDArray[np.uint8], spans: NDArray[np.int64], numbers: NDArray[np.float64], given: int
) -> bool:
    """Write the fields found into an EVENT record; False when one is not surely right."""
    if given & REQUIRED != REQUIRED:
        return False
    if not (id_fits(spans, given, EVENT_ID, 1) and id_fits(spans, given, CUSTOMER_ID, 1)):
        return False
    if not (id_fits(spans, given, ACCOUNT_ID, 1) and id_fits(spans, given, LINE_ID, 1)):
        return False
    if not (id_fits(spans, given, CELL_ID, 1) and id_fits(spans, given, SOURCE, 0)):
        return False
    fault, at, hour = read_time(data, spans[OCCURRED_AT, 0], spans[OCCURRED_AT, 1])
    service = find_word(SERVICES, data, spans[SERVICE, 0], spans[SERVICE, 1])
    period = code_of(PERIODS, data, spans, given, PERIOD)
    direction = code_of(DIRECTIONS, data, spans, given, DIRECTION)
    network = code_of(NETWORKS, data, spans, given, NETWORK)
    peer_network = code_of(PEER_NETWORKS, data, spans, given, PEER_NETWORK)
    if fault != OK or min(service, period, direction, network, peer_network) < 0:
        return False
    record["at"], record["hour"], record["kind"] = at, hour, USAGE_KIND
    source = hash_of(data, spans, given, SOURCE)
    record["key"] = event_key(USAGE_KIND, source, hash_of(data, spans, given, EVENT_ID))
    record["ref"], record["aux"] = hash_of(data, spans, given, CELL_ID), hash_of(data, spans, given, PEER)
    record["a"], record["b"] = service, period - 1 if period > 0 else period_of_hour(hour)
    record["c"], record["d"], record["e"] = direction, network, peer_network
    record["flags"] = (
        ((given >> COUNTRY) & 1) * COUNTRY_GIVEN
        | ((given >> ACCOUNT_ID) & 1) * ACCOUNT_GIVEN
        | ((given >> LINE_ID) & 1) * LINE_GIVEN
    )
    for slot in range(NUMBERS):
        absent = 1.0 if slot == 0 else (nan if slot == 6 else 0.0)
        record["x"][slot] = numbers[slot] if (given >> (FIRST_NUMBER + slot)) & 1 else absent
        if record["x"][slot] > MOST[slot]:
            return False
    return True


@compiled(nogil=True)
def scan_usage(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    ascii_only: bool,
    events: NDArray[np.void],
    sure: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Fill the EVENT records of all objects that are plain usage, and say which; gives their customer ids' bytes.

    PADDING follows the data. With `ascii_only` objects with other characters are left alone (say so unless the bytes
    are known to be valid UTF-8). The records' `start`, `end` and `line` are not touched.
    """
    text = np.empty(len(data), np.uint8)
    used = 0
    spans, numbers = np.empty((FIELDS, 2), np.int64), np.empty(NUMBERS, np.float64)
    followers = np.zeros(FIELDS + 1, np.int64)
    for index in range(len(starts)):
        sure[index] = False
        if ends[index] - starts[index] > MAX_OBJECT_BYTES:
            continue
        given = scan_object(data, starts[index], ends[index], ascii_only, spans, numbers, followers)
        if given == NOT_SURE or not fill_record(events[index], data, spans, numbers, given):
            continue
        sure[index] = True
        start, length = spans[CUSTOMER_ID, 0], spans[CUSTOMER_ID, 1] - spans[CUSTOMER_ID, 0]
        events[index]["id_at"], events[index]["id_len"] = used, length
        for offset in range(length):
            text[used + offset] = byte_at(data, start + offset)
        used += length
    return text[:used].copy()
