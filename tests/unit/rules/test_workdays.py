"""Deadlines in working time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.features import FEATURES
from detectors.registry import DETECTORS
from rules.load import load
from rules.vocabulary import schema_of
from rules.workdays import Holiday, OpenHours, WorkCalendar

HOUR = 3_600_000_000
CHINA = dt.timezone(dt.timedelta(hours=8))
DAY = (OpenHours.parse("09:00-12:00"), OpenHours.parse("13:00-18:00"))
PLAIN = WorkCalendar([DAY] * 5 + [()] * 2, [], [], DAY, 8 * HOUR)


@pytest.fixture(scope="module")
def calendar():
    schema = schema_of(FEATURES, DETECTORS)
    return load(Path(__file__).parents[3] / "config", schema).calendar


def us(*moment):
    return round(dt.datetime(*moment, tzinfo=CHINA).timestamp()) * 1_000_000


def test_within_a_day():
    assert PLAIN.add(us(2026, 3, 2, 9, 30), HOUR) == us(2026, 3, 2, 10, 30)


def test_over_the_lunch_break():
    assert PLAIN.add(us(2026, 3, 2, 11, 30), HOUR) == us(2026, 3, 2, 13, 30)


def test_the_end_of_the_day_itself_is_in_time():
    assert PLAIN.add(us(2026, 3, 2, 16), 2 * HOUR) == us(2026, 3, 2, 18)


def test_from_friday_evening_to_monday():
    assert PLAIN.add(us(2026, 3, 6, 20), HOUR) == us(2026, 3, 9, 10)


def test_before_opening():
    assert PLAIN.add(us(2026, 3, 2, 3), HOUR) == us(2026, 3, 2, 10)


def test_no_time_is_now():
    assert PLAIN.add(us(2026, 3, 7, 3), 0) == us(2026, 3, 7, 3)


def test_spring_festival_2026_with_its_make_up_days(calendar):
    assert calendar.add(us(2026, 2, 13, 18), HOUR) == us(2026, 2, 14, 10), "a Saturday worked for the holiday"
    assert calendar.add(us(2026, 2, 14, 18), HOUR) == us(2026, 2, 24, 10), "nine days off"
    assert calendar.add(us(2026, 2, 27, 18), HOUR) == us(2026, 2, 28, 10), "the second Saturday worked"
    assert calendar.add(us(2026, 2, 28, 18), HOUR) == us(2026, 3, 2, 10)


def test_national_day_2025_with_its_make_up_days(calendar):
    worked = [day for day in range(1, 32) if calendar.hours(dt.date(2025, 10, day))]
    assert worked == [9, 10, 11, 13, 14, 15, 16, 17, 20, 21, 22, 23, 24, 27, 28, 29, 30, 31]
    assert calendar.hours(dt.date(2025, 9, 28))


def test_a_year_nobody_has_written_down_yet_is_plain_weeks(calendar):
    assert len([d for d in range(365) if calendar.hours(dt.date(2029, 1, 1) + dt.timedelta(d))]) == 261


moments = st.integers(us(2024, 12, 1), us(2027, 12, 1))
spans = st.integers(1, 120 * HOUR)


@settings(deadline=None)
@given(moments, spans)
def test_exactly_so_much_is_worked_by_then_and_not_before(calendar_moment, span):
    calendar = FESTIVE
    due = calendar.add(calendar_moment, span)
    assert calendar.between(calendar_moment, due) == span
    assert calendar.between(calendar_moment, due - 1) == span - 1


@settings(deadline=None)
@given(moments, spans, spans)
def test_adding_in_two_steps_is_adding_at_once(moment, first, second):
    assert FESTIVE.add(FESTIVE.add(moment, first), second) == FESTIVE.add(moment, first + second)


@settings(deadline=None)
@given(moments, moments, spans)
def test_who_starts_later_is_not_due_earlier(one, other, span):
    assert FESTIVE.add(min(one, other), span) <= FESTIVE.add(max(one, other), span)


FESTIVE = WorkCalendar(
    [DAY] * 5 + [(OpenHours.parse("10:00-11:30"),), ()],
    [Holiday(dt.date(2026, 2, 15), dt.date(2026, 2, 23)), Holiday(dt.date(2025, 10, 1), dt.date(2025, 10, 8))],
    [dt.date(2026, 2, 14), dt.date(2025, 9, 28)],
    DAY,
    8 * HOUR,
)


@pytest.mark.parametrize("text", ["9-12", "12:00-09:00", "09:00-25:00", "09:60-10:00", "", "09:00-09:00"])
def test_hours_that_are_none(text):
    with pytest.raises(ValueError, match=r"write them like|must begin before it ends"):
        OpenHours.parse(text)


def test_midnight_may_end_a_day():
    assert OpenHours.parse("00:00-24:00").end == 24 * HOUR


def test_overlapping_hours_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        WorkCalendar([(OpenHours.parse("09:00-12:00"), OpenHours.parse("11:00-13:00"))] * 7, [], [], DAY, 0)


def test_a_week_without_work_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        WorkCalendar([()] * 7, [], [], DAY, 0)


def test_months_without_work_are_refused():
    with pytest.raises(ValueError, match="nobody works"):
        WorkCalendar([DAY] * 7, [Holiday(dt.date(2026, 1, 1), dt.date(2026, 4, 1))], [], DAY, 0)
