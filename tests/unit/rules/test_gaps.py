"""What recorded daily rows lack is named: days, partitions, and where their number changed."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rules.gaps import MOST_LINES, DayOf, Gaps, Missing, gaps_of, in_words


def recorded(*days: tuple[int, str], of: int = 2, since: str = "2026-01-01") -> list[DayOf]:
    """Days of January and the partitions (digits) that recorded them."""
    return [DayOf(f"2026-01-{day:02}", int(one), of, since) for day, partitions in days for one in partitions]


def words(gaps: Gaps) -> list[str]:
    return list(in_words(msgspec.to_builtins(gaps)))


def test_whole_recordings_have_no_gaps() -> None:
    assert gaps_of([]) == Gaps()
    assert gaps_of(recorded((1, "01"), (2, "10"), (3, "01"))) == Gaps()
    assert gaps_of(recorded((1, "0"), (2, "0"), of=1)) == Gaps()
    assert words(Gaps()) == []


def test_days_of_nobody_and_of_some_are_named_in_one_line_while_they_last() -> None:
    found = gaps_of(recorded((1, "01"), (4, "01"), (5, "0"), (6, "0"), (7, "1"), (8, "01")))
    assert found.missing == [
        Missing("2026-01-02", "2026-01-03", [], 0),
        Missing("2026-01-05", "2026-01-06", [1], 2),
        Missing("2026-01-07", "2026-01-07", [0], 2),
    ]
    assert words(found) == [
        "no rows from 2026-01-02 to 2026-01-03: nobody there was looked at",
        "no rows of partition 1 (of 2) from 2026-01-05 to 2026-01-06: nobody there was looked at",
        "no rows of partition 0 (of 2) on 2026-01-07: nobody there was looked at",
    ]


def test_a_partition_that_had_no_customers_yet_lacks_nothing() -> None:
    late = [DayOf("2026-01-03", 1, 2, "2026-01-03")]
    assert gaps_of([*recorded((1, "0"), (2, "0"), (3, "0")), *late]) == Gaps()
    assert gaps_of([*recorded((1, "0"), (2, "0"), (3, "0")), DayOf("2026-01-03", 1, 2, "2026-01-02")]).missing == [
        Missing("2026-01-02", "2026-01-02", [1], 2)
    ]


def test_another_number_of_partitions_is_named() -> None:
    found = gaps_of([*recorded((1, "01"), (2, "01")), *recorded((2, "012"), (3, "0123"), (4, "0123"), of=4)])
    assert found == Gaps([], [("2026-01-01", 2), ("2026-01-03", 4)])
    assert words(found) == [
        "recorded by 2 partitions, from 2026-01-03 on by 4: who changed places may have been taken for new"
    ]


def test_many_gaps_are_cut_short_and_repeats_are_counted() -> None:
    found = gaps_of(recorded(*((day, "01") for day in range(1, 31, 2)), (31, "01")))
    assert len(found.missing) == 15
    found.repeated = 1234
    assert len(words(found)) == MOST_LINES + 2
    assert words(found)[-2:] == [
        "... and 3 more such gaps",
        "1,234 rows left out: of customers who had one of that day already",
    ]


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(0, 3)), min_size=1))
def test_what_is_missing_and_what_is_there_are_all_days_of_all_partitions(pairs: list[tuple[int, int]]) -> None:
    there = {(f"2026-02-{day:02}", one) for day, one in pairs}
    found = gaps_of(DayOf(day, one, 4, "2026-01-01") for day, one in sorted(there))
    first, last = min(there)[0], max(there)[0]
    days = [f"2026-02-{day:02}" for day in range(int(first[-2:]), int(last[-2:]) + 1)]
    missing = {
        (day, one)
        for gap in found.missing
        for day in days
        if gap.first <= day <= gap.last
        for one in gap.partitions or range(4)
    }
    assert missing | there == {(day, one) for day in days for one in range(4)}
    assert not missing & there
