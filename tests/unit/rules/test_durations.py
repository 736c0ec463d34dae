"""Spans of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import DAY, HOUR, MINUTE, SECOND, Duration, UtcOffset, WorkingTime


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("0", 0), ("90d", 90 * DAY), ("1d12h", 36 * HOUR), ("2w", 14 * DAY), ("1h30m5s", 90 * MINUTE + 5 * SECOND)],
)
def test_read(text, microseconds):
    assert Duration.parse(text) == microseconds


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back(seconds):
    assert Duration.parse(str(Duration(seconds * SECOND))) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "d", "5", "1.5h", "-1h", "1h1d", "1 h", "1y", "１h", "600w"])
def test_refused(text):
    with pytest.raises(ValueError, match=r"no span of time|longer than ten years"):
        Duration.parse(text)


def test_a_deadline_has_no_days():
    assert WorkingTime.parse("16h") == 16 * HOUR
    assert str(WorkingTime.parse("40h30m")) == "40h30m"  # not 1d16h30m, which would be refused
    with pytest.raises(ValueError, match="hours and minutes"):
        WorkingTime.parse("2d")


@pytest.mark.parametrize(("text", "hours"), [("+08:00", 8), ("-03:30", -3.5), ("+00:00", 0)])
def test_offsets(text, hours):
    assert UtcOffset.parse(text) == hours * HOUR


@pytest.mark.parametrize("text", ["8", "08:00", "+8:00", "+15:00", "+08:60", "Asia/Shanghai"])
def test_no_offset(text):
    with pytest.raises(ValueError, match="no offset"):
        UtcOffset.parse(text)
