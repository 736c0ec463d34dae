"""RFC 3339, against the standard library where it can be asked."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.deadletters import Reason, RefusedError
from events.times import date_of, time_of, times_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.fromisoformat("1970-01-03"), datetime.fromisoformat("2200-12-29")
ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(deadline=None)
@given(st.datetimes(FIRST, LAST, timezones=ZONES), st.sampled_from("Tt "))
def test_every_time_reads_as_the_standard_library_reads_it(when, separator):
    text = when.isoformat(separator)
    faults, ats, hours = times_of([text])
    assert faults[0] == 0
    assert ats[0] == (when - EPOCH) // timedelta(microseconds=1)
    assert hours[0] == when.hour


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.1234567891234Z", 123_456),
        ("1970-01-01T00:00:00.000000999Z", 0),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000),
    ],
)
def test_forms_that_the_standard_library_has_not(text, micros):
    assert time_of(text, "occurred_at") == micros


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.WRONG_TYPE, ""),
        (Reason.WRONG_TYPE, "yesterday"),
        (Reason.WRONG_TYPE, "1700000000"),
        (Reason.WRONG_TYPE, "2024-03-01"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00.5"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00.Z"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00Z"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00+0800"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00+08"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00ZZ"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00 Z"),
        (Reason.WRONG_TYPE, "2024-03-01T12:00:00Z "),
        (Reason.WRONG_TYPE, "2024-03-01T1２:00:00Z"),
        (Reason.WRONG_TYPE, "24-03-01T12:00:00Z"),
        (Reason.WRONG_TYPE, "2024-03-01X12:00:00Z"),
        (Reason.OUT_OF_RANGE, "0001-01-01T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "9999-12-31T23:59:59Z"),
        (Reason.OUT_OF_RANGE, "1969-12-31T23:59:59Z"),
        (Reason.OUT_OF_RANGE, "1970-01-01T00:00:00+08:00"),
        (Reason.OUT_OF_RANGE, "2201-01-01T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2023-02-29T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2100-02-29T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-04-31T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-00-10T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-13-10T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-03-00T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-03-01T24:00:00Z"),
        (Reason.OUT_OF_RANGE, "2024-03-01T12:60:00Z"),
        (Reason.OUT_OF_RANGE, "2024-03-01T12:00:61Z"),
        (Reason.OUT_OF_RANGE, "2024-03-01T12:00:00+24:00"),
    ],
)
def test_what_is_no_time_says_why(reason, text):
    with pytest.raises(RefusedError, match=r"^due_at ") as caught:
        time_of(text, "due_at")
    assert caught.value.reason == reason


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_is_read_as_a_time_by_accident(text):
    faults, _, _ = times_of(["2024-03-01T12:00:00Z", text, "2024-03-01T12:00:00Z"])
    assert faults.tolist() == [0, faults[1], 0]
    assert faults[1] != 0 or text[:2] in ("19", "20", "21", "22")


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_dates(day):
    assert date_of(day.isoformat(), "since") == (day - EPOCH.date()).days


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.WRONG_TYPE, "2024-3-1"),
        (Reason.WRONG_TYPE, "2024/03/01"),
        (Reason.WRONG_TYPE, "2024-03-01T00:00:00Z"),
        (Reason.OUT_OF_RANGE, "2023-02-29"),
        (Reason.OUT_OF_RANGE, "0001-01-01"),
        (Reason.OUT_OF_RANGE, "9999-12-31"),
    ],
)
def test_what_is_no_date_says_why(reason, text):
    with pytest.raises(RefusedError) as caught:
        date_of(text, "since")
    assert caught.value.reason == reason
