"""What the benchmarks make of what they measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import lanes

from benchmarks.broker import topic_of
from benchmarks.figures import Measured, comparison, percentile, ratios, table
from benchmarks.load import pieces


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.floats(0.001, 1))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, share):
    values = sorted(values)
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values) - 1e-6
    assert sum(one < found for one in values) < share * len(values)


def test_percentiles_of_a_thousand() -> None:
    values = [float(one) for one in range(1, 1001)]
    assert [percentile(values, share) for share in (0.5, 0.99, 0.999, 1.0)] == [500, 990, 999, 1000]
    assert math.isnan(percentile([], 0.5))


def test_ratios_are_medians_over_the_rounds_that_both_took_part_in() -> None:
    ours = [Measured(100, 1.0, 2.0), Measured(100, 1.0, 1.0), Measured(100, 1.0, 1.0), None]
    theirs = [Measured(10, 1.0, 1.0), Measured(50, 1.0, 1.0), None, Measured(1, 1.0, 1.0)]
    assert ratios(ours, theirs) == pytest.approx((6.0, 3.5))
    assert ratios([None], [None]) is None


def test_a_table_is_markdown_with_aligned_columns() -> None:
    assert table(["", "n"], [["one", "1"], ["b", "1,000"]]).splitlines() == [
        "|     |     n |",
        "| --- | ----: |",
        "| one |     1 |",
        "| b   | 1,000 |",
    ]


def test_who_took_no_part_has_a_row_without_numbers() -> None:
    lines = comparison(
        {"ours": [Measured(90, 1.0, 1.0)], "a": [None], "b": [Measured(9, 0.2, 0.1)]}, "ours", {"b": 5.0}
    )
    _, _, ours, a, b = (" ".join(line.replace("|", " ").split()) for line in lines.splitlines())
    assert ours == "ours 90 90 90 - - -"
    assert a == "a - - - - - -"
    assert b == "b 9 45 90 2.00 1.00 5"


@pytest.mark.parametrize(
    "kind", ["usage.recorded", "bill.issued", "plan.changed", "porting.requested", "customer.churned", "care.resolved",
             "customer.profiled", "contract.signed", "contact.recorded", "network.incident"],
)  # fmt: skip
def test_an_event_is_measured_in_the_topic_it_belongs_in(kind):
    assert topic_of(kind) == lanes.topic_of(kind)


def test_the_load_keeps_an_event_but_for_its_id_and_its_time() -> None:
    line = b'{"type":"usage.recorded","event_id":"u1","customer_id":"c","occurred_at":"2026-01-02T00:00:00Z","service":"data"}\n'
    churned = b'{"type":"customer.churned","event_id":"u2","customer_id":"c","occurred_at":"2026-01-02T00:00:00Z"}\n'
    (piece,) = pieces([line, churned])
    assert piece.place[0] == "churn.usage.v1"
    assert piece.parts == (
        b'{"type":"usage.recorded","event_id":"', b'","customer_id":"c","occurred_at":"', b'","service":"data"}'
    )  # fmt: skip
