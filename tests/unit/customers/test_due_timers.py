"""Timers that are due are found by a second kept beside the records, which is never later than the timer itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from customers.layout import FAR, T
from customers.rounds import due_by, wake_at
from customers.state import UNKNOWN

SECOND = 1_000_000
MOMENTS = st.one_of(st.integers(0, 400 * SECOND), st.just(FAR))


def records_of(dues):
    records = np.repeat(UNKNOWN, len(dues))
    records["times"][:, T["next_due"]], records["times"][:, T["rules_due"]] = np.array(dues, np.int64).reshape(-1, 2).T
    return records


@given(st.lists(st.tuples(MOMENTS, MOMENTS), max_size=200), st.integers(-SECOND, 500 * SECOND), st.data())
def test_all_that_are_due_are_found_and_no_others(dues, until, data):
    records = records_of(dues)
    exact = np.array([wake_at(one) for one in records], np.uint32)
    early = np.array([data.draw(st.integers(0, int(one))) for one in exact[:10]], np.uint32)
    wake = np.concatenate([early, exact[10:]])
    expected = [k for k, due in enumerate(dues) if min(due) <= until]
    assert due_by(records, wake, until).tolist() == expected
    assert due_by(records, wake, until).tolist() == expected
    assert (wake <= exact).all()


def test_a_customer_without_a_timer_is_never_due():
    assert due_by(records_of([(FAR, FAR)]), np.zeros(1, np.uint32), 2**62).tolist() == []


def test_the_second_beside_a_record_is_kept_whatever_sets_a_timer(fact, fold):
    made = fold(
        [fact(k, "usage.recorded", service="voice", seconds=60, event_id=str(k)) for k in range(40, 0, -1)], start=False
    )
    partition = made.partition
    for due in (None, partition.clock + 5, 7 * SECOND, 0):
        partition.set_rules_due(0, due)
        customers = partition.customers
        exact = [wake_at(one) for one in customers.records[: customers.count]]
        assert (customers.wake[: customers.count] <= exact).all()
