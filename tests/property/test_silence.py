"""Absence is judged against the clock of its own feed (contract, "Time")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from support.engines import QUICK, batch, engine, frozen, newest

START = datetime(2024, 3, 1, tzinfo=UTC)
CROWD = [f"c{number}" for number in range(6)]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
X = "x"


def events(kind: str, customer: str, at: datetime, **fields: object) -> tuple[datetime, bytes]:
    common = {"type": kind, "event_id": f"{kind}{customer}{at}", "customer_id": customer, "occurred_at": at.isoformat()}
    return at, json.dumps(common | fields).encode()


def use(customer: str, start: datetime, end: datetime, step: timedelta = HOUR) -> Iterator[tuple[datetime, bytes]]:
    at = start
    while at < end:
        yield events("usage.recorded", customer, at, service="voice", seconds=60)
        at += step


def balances(start: datetime, end: datetime) -> Iterator[tuple[datetime, bytes]]:
    """Another feed that goes on all the time."""
    at = start
    while at < end:
        yield events("balance.reported", X, at + timedelta(minutes=7), balance=50)
        at += HOUR


def silent(*stretches: Iterator[tuple[datetime, bytes]], size: int) -> dict[str, str]:
    """The customers warned of for their silence, and when first."""
    lines = [line for _, line in sorted(record for stretch in stretches for record in stretch)]
    made, found = engine(QUICK, model=frozen()), {}
    decisions = []
    for start in range(0, len(lines), size):
        decisions += made.step(batch(lines[start : start + size]), 0).decisions
    decisions += made.advance(newest([batch(lines)]), 0).decisions
    for decision in decisions:
        if any(rule.id == "silent" for rule in decision.rules):
            found.setdefault(decision.customer_id, decision.raised_at)
    return found


def crowd(start: datetime, end: datetime) -> Iterator[tuple[datetime, bytes]]:
    for number, customer in enumerate(CROWD):
        yield from use(customer, start + number * timedelta(minutes=9), end)


LAST = START + 20 * DAY  # X's last use before the pause


@pytest.fixture(scope="module")
def limit() -> timedelta:
    """After how long a pause X is silent, with others using the network all the time."""
    end = LAST + 8 * DAY
    found = silent(crowd(START, end), use(X, START, LAST), balances(START, end), size=10_000)
    assert [*found] == [X]
    return datetime.fromisoformat(found[X]) - LAST


@pytest.mark.parametrize("size", [20, 100_000])
def test_six_hours_without_use_for_everyone_make_nobody_silent(limit, size):
    """X pauses; two hours before X is silent the feed stops for six hours, and X is back half an hour after it."""
    assert limit > 2 * DAY
    down = LAST + limit - 2 * HOUR
    back = down + 6 * HOUR
    end = back + 2 * DAY
    others = [use(X, back + HOUR / 2, end), balances(START, end)]
    assert silent(crowd(START, down), crowd(back, end), use(X, START, LAST), *others, size=size) == {}
    late = [use(X, START, LAST - 3 * HOUR), *others]  # an hour beyond the limit when the feed stops
    assert [*silent(crowd(START, down), crowd(back, end), *late, size=size)] == [X]


@pytest.mark.parametrize("size", [20, 100_000])
def test_a_feed_that_is_down_for_days_makes_nobody_silent_and_the_silent_are_found_after_it(size):
    down, back = START + 20 * DAY, START + 26 * DAY
    end = back + 7 * DAY
    found = silent(
        crowd(START, down),
        crowd(back, end),
        use(X, START, down),
        use(X, back, back + DAY),
        balances(START, end),
        size=size,
    )
    assert [*found] == [X]
    assert back + 3 * DAY <= datetime.fromisoformat(found[X]) <= back + 6 * DAY


def test_while_the_feed_is_down_nobody_is_silent_either():
    down, end = START + 20 * DAY, START + 40 * DAY
    assert silent(crowd(START, down), use(X, START, down), balances(START, end), size=50) == {}


def test_nobody_is_silent_while_suspended():
    end = START + 40 * DAY
    pause = START + 20 * DAY
    suspended = [events("line.changed", X, pause + HOUR, status="suspended_request")]
    again = [events("line.changed", X, pause + 10 * DAY, status="active")]
    rest = [crowd(START, end), use(X, START, pause), balances(START, end)]
    assert silent(*rest, iter(suspended), size=500) == {}
    found = silent(
        *[crowd(START, end), use(X, START, pause), balances(START, end)], iter(suspended), iter(again), size=500
    )
    assert [*found] == [X]
    assert datetime.fromisoformat(found[X]) >= pause + 12 * DAY


def files(customers: Sequence[str], days: Iterable[int]) -> Iterator[tuple[datetime, bytes]]:
    """A feed of daily files: all that was used on a day is dated with its end."""
    for day in days:
        for customer in customers:
            yield events("usage.recorded", customer, START + (day + 1) * DAY, service="voice", seconds=600)


@pytest.mark.parametrize("size", [7, 100_000])
def test_in_a_feed_of_daily_files_one_who_is_silent_for_long_is_found(size):
    end = START + 45 * DAY
    found = silent(files(CROWD, range(45)), files([X], range(30)), balances(START, end), size=size)
    assert [*found] == [X]
    assert START + 33 * DAY <= datetime.fromisoformat(found[X]) <= START + 37 * DAY


@pytest.mark.parametrize("size", [7, 100_000])
def test_in_a_feed_of_daily_files_nobody_is_silent_while_files_are_missing(size):
    end = START + 50 * DAY
    away, back = range(30), range(38, 50)
    everybody = [*CROWD, X]
    assert silent(files(everybody, away), files(everybody, back), balances(START, end), size=size) == {}
    assert silent(files(everybody, away), balances(START, end), size=size) == {}
