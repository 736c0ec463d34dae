"""RFC 3339 times to microseconds UTC: one compiled reader for whole columns, single fields and the byte scanner.

Read as RFC 3339 (section 5.6) says: any number of fraction digits (cut to microseconds), `t`, `z` and a space for
`T`, `-00:00`, and the leap second 60, which counts as the first second of the next minute.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.deadletters import Reason, RefusedError
from events.hashing import pack
from events.memory import byte_at

SLOT_US = 900_000_000
"""A quarter of an hour: the step in which all customers together are looked at, and every offset of local time is a multiple of."""

OK = 0
MALFORMED = 1
NO_ZONE = 2
IMPOSSIBLE = 3

FIRST_YEAR, LAST_YEAR = 1970, 2200
FIRST_DATE_YEAR = 1900
"""Dates may be older than times: a fixed line can be older than Unix."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
END_OF_TIME = 84_371 * DAY
"""2201-01-01."""

FAULTS = {
    MALFORMED: (Reason.WRONG_TYPE, "is no RFC 3339 time"),
    NO_ZONE: (Reason.WRONG_TYPE, "has no time zone"),
    IMPOSSIBLE: (Reason.OUT_OF_RANGE, f"is no time between {FIRST_YEAR} and {LAST_YEAR}"),
}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@compiled(inline=True, borrows=True)
def digits(data: NDArray[np.uint8], start: int, count: int) -> int:
    """The number that `count` ASCII digits make, or -1."""
    value = 0
    for position in range(start, start + count):
        digit = int(byte_at(data, position)) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@compiled(inline=True, borrows=True)
def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms)."""
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@compiled(inline=True, borrows=True)
def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@compiled(inline=True, borrows=True)
def read_date(data: NDArray[np.uint8], start: int, end: int, first_year: int) -> tuple[int, int]:
    """(fault or OK, days from 1970-01-01) of the YYYY-MM-DD that fills data[start:end]."""
    if end - start != 10 or byte_at(data, start + 4) != 45 or byte_at(data, start + 7) != 45:
        return MALFORMED, 0
    year, month, day = digits(data, start, 4), digits(data, start + 5, 2), digits(data, start + 8, 2)
    if year < 0 or month < 0 or day < 0:
        return MALFORMED, 0
    if year < first_year or year > LAST_YEAR or month < 1 or month > 12 or day < 1 or day > days_in_month(year, month):
        return IMPOSSIBLE, 0
    return OK, days_from_civil(year, month, day)


@compiled(inline=True, borrows=True)
def read_offset(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """(fault or OK, seconds east of UTC) of the zone that fills data[start:end]."""
    if start == end:
        return NO_ZONE, 0
    if end - start == 1 and (byte_at(data, start) == 90 or byte_at(data, start) == 122):
        return OK, 0
    if (
        end - start != 6
        or (byte_at(data, start) != 43 and byte_at(data, start) != 45)
        or byte_at(data, start + 3) != 58
    ):
        return MALFORMED, 0
    hours, minutes = digits(data, start + 1, 2), digits(data, start + 4, 2)
    if hours < 0 or minutes < 0:
        return MALFORMED, 0
    if hours > 23 or minutes > 59:
        return IMPOSSIBLE, 0
    seconds = hours * 3600 + minutes * 60
    return OK, -seconds if byte_at(data, start) == 45 else seconds


@compiled(inline=True, borrows=True)
def read_fraction(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """(first byte after the fraction, microseconds); the fraction begins with its point."""
    position, micros, place = start + 1, 0, 100_000
    while position < end and 48 <= byte_at(data, position) <= 57:
        micros += (int(byte_at(data, position)) - 48) * place
        place //= 10
        position += 1
    return position, micros


@compiled(borrows=True)
def read_time(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
    """(fault or OK, microseconds UTC, hour as written) of the RFC 3339 time that fills data[start:end]."""
    if end - start < 19 or byte_at(data, start + 13) != 58 or byte_at(data, start + 16) != 58:
        fault, _ = read_date(data, start, end, FIRST_YEAR)
        return (NO_ZONE if fault != MALFORMED else MALFORMED), 0, 0
    if byte_at(data, start + 10) != 84 and byte_at(data, start + 10) != 116 and byte_at(data, start + 10) != 32:
        return MALFORMED, 0, 0
    date_fault, days = read_date(data, start, start + 10, FIRST_YEAR)
    hour, minute, second = digits(data, start + 11, 2), digits(data, start + 14, 2), digits(data, start + 17, 2)
    if date_fault == MALFORMED or hour < 0 or minute < 0 or second < 0:
        return MALFORMED, 0, 0
    zone_at, micros = start + 19, 0
    if zone_at < end and byte_at(data, zone_at) == 46:
        zone_at, micros = read_fraction(data, zone_at, end)
        if zone_at == start + 20:
            return MALFORMED, 0, 0
    zone_fault, offset = read_offset(data, zone_at, end)
    if zone_fault in (MALFORMED, NO_ZONE):
        return zone_fault, 0, 0
    if date_fault != OK or zone_fault != OK or hour > 23 or minute > 59 or second > 60:
        return IMPOSSIBLE, 0, 0
    at = (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * SECOND + micros
    return (OK if 0 <= at < END_OF_TIME else IMPOSSIBLE), at, hour


@compiled
def read_times(
    data: NDArray[np.uint8], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
    """`read_time` of each of the slices that follow one another in `data`: faults, microseconds, hours."""
    faults, ats, hours = np.empty(len(ends), np.uint8), np.empty(len(ends), np.int64), np.empty(len(ends), np.uint8)
    start = 0
    for index in range(len(ends)):
        faults[index], ats[index], hours[index] = read_time(data, start, ends[index])
        start = ends[index]
    return faults, ats, hours


def times_of(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
    """A column of times: fault codes (u1), microseconds UTC (i8), hours as written (u1)."""
    return read_times(*pack(texts))


def refusal(fault: int, field: str) -> RefusedError:
    """The exception for a fault code other than OK, naming the field."""
    reason, meaning = FAULTS[fault]
    return RefusedError(reason, f"{field} {meaning}")


def time_of(text: str, field: str) -> int:
    """Microseconds UTC of one time; raises RefusedError."""
    data = np.frombuffer(text.encode(), np.uint8)
    fault, at, _ = read_time(data, 0, len(data))
    if fault != OK:
        raise refusal(fault, field)
    return int(at)


def date_of(text: str, field: str) -> int:
    """Days since 1970-01-01 of a date such as 2024-02-29; raises RefusedError."""
    data = np.frombuffer(text.encode(), np.uint8)
    fault, days = read_date(data, 0, len(data), FIRST_DATE_YEAR)
    if fault == MALFORMED:
        raise RefusedError(Reason.WRONG_TYPE, f"{field} is no date such as 2024-02-29")
    if fault != OK:
        raise RefusedError(Reason.OUT_OF_RANGE, f"{field} is no date between {FIRST_DATE_YEAR} and {LAST_YEAR}")
    return int(days)


def rfc3339(at: int) -> str:
    """Microseconds UTC as text; always with six digits, so that texts sort like times."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
