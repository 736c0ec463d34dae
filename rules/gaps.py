"""What is wrong with recorded daily rows: days that were not recorded, of some partitions or all, and rows that there are twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

MOST_LINES: Final = 12


class DayOf(msgspec.Struct, frozen=True):
    """That a local day (ISO) of a partition, of so many, was recorded; before the day `since` it had no customers."""

    day: str
    partition: int
    partitions: int
    since: str


class Missing(msgspec.Struct):
    """Days (ISO, both included) without rows: of these partitions, of so many; of none named: of all."""

    first: str
    last: str
    partitions: list[int]
    of: int


class Gaps(msgspec.Struct):
    """What is missing, since when (day) there are how many partitions where that changed, and how many rows were repeats."""

    missing: list[Missing] = []
    partitions: list[tuple[str, int]] = []
    repeated: int = 0


def gaps_of(recorded: Iterable[DayOf]) -> Gaps:
    """The gaps between the first day and the last, and changes of the number of partitions."""
    by_day: dict[str, list[DayOf]] = {}
    since: dict[tuple[int, int], str] = {}
    for one in recorded:
        by_day.setdefault(one.day, []).append(one)
        place = one.partition, one.partitions
        since[place] = min(since.get(place, one.since), one.since)
    missing: list[Missing] = []
    counts: list[tuple[str, int]] = []
    for day in _days(min(by_day), max(by_day)) if by_day else ():
        of, absent = _absent(day, by_day.get(day, ()), since)
        if day in by_day and (not counts or counts[-1][1] != of):
            counts.append((day, of))
        if day in by_day and not absent:
            continue
        newest = missing[-1] if missing else None
        if newest and (newest.partitions, newest.of) == (absent, of) and _next(newest.last) == day:
            newest.last = day
        else:
            missing.append(Missing(day, day, absent, of))
    return Gaps(missing, counts if len(counts) > 1 else [])


def _absent(day: str, there: Sequence[DayOf], since: Mapping[tuple[int, int], str]) -> tuple[int, list[int]]:
    """How many partitions there are, and who of them is not there; while their number changes, by that which lacks fewest."""
    found = []
    for of in {one.partitions for one in there}:
        here = {one.partition for one in there if one.partitions == of}
        found.append((of, [p for p in range(of) if p not in here and since.get((p, of), "") <= day]))
    return min(found, key=lambda one: (len(one[1]), one[0]), default=(0, []))


def _days(first: str, last: str) -> Iterator[str]:
    while first <= last:
        yield first
        first = _next(first)


def _next(day: str) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()


def in_words(gaps: Mapping[str, Any]) -> Iterator[str]:
    """The gaps, plain, for a terminal."""
    missing = gaps["missing"]
    for one in missing[:MOST_LINES]:
        yield f"no rows {whose(one)}{span(one)}: nobody there was looked at"
    if len(missing) > MOST_LINES:
        yield f"... and {len(missing) - MOST_LINES} more such gaps"
    if gaps["partitions"]:
        (_, count), *later = gaps["partitions"]
        changes = ", ".join(f"from {day} on by {of}" for day, of in later)
        yield f"recorded by {count} partition{'s' * (count != 1)}, {changes}: who changed places may have been taken for new"
    if gaps["repeated"]:
        yield f"{gaps['repeated']:,} rows left out: of customers who had one of that day already"


def whose(one: Mapping[str, Any]) -> str:
    """Of which partitions."""
    if not one["partitions"]:
        return ""
    several = "s" * (len(one["partitions"]) > 1)
    return f"of partition{several} {' '.join(map(str, one['partitions']))} (of {one['of']}) "


def span(one: Mapping[str, Any]) -> str:
    """Of which days."""
    return f"on {one['first']}" if one["first"] == one["last"] else f"from {one['first']} to {one['last']}"
