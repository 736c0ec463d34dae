"""State per customer: rare counts in eight bits, wide sums in 48, and what stands only while anything older may come."""

import numpy as np
import pytest

from customers.layout import H
from customers.metrics import BLOCK_OF, BLOCKS, METRIC, METRICS, RINGS
from customers.rings import add, bucket_value
from customers.state import UNKNOWN, Customers

DAY = 86_400_000_000
SLOTS = np.zeros(len(RINGS), np.int64)


def record():
    return UNKNOWN.copy()[0]


def value(one, metric):
    ring = next(k for k, ring in enumerate(RINGS) if ring.days in METRICS[metric].windows)
    return bucket_value(one, metric, ring, 0)


@pytest.mark.parametrize(
    ("block", "most"), [("wide", 2**48 - 1), ("mid", 2**31 - 1), ("small", 2**16 - 1), ("tiny", 255)]
)
def test_sums_are_exact_up_to_their_ceiling_and_stay_there(block, most):
    for metric in np.flatnonzero(BLOCKS.index(block) == BLOCK_OF).tolist():
        one, scale = record(), METRICS[metric].scale
        add(one, metric, (most - 3) / scale, SLOTS)
        add(one, metric, 2 / scale, SLOTS)
        assert value(one, metric) == (most - 1) / scale
        for _ in range(3):
            add(one, metric, 1 / scale, SLOTS)
        assert value(one, metric) == most / scale
        add(one, metric, 1e300, SLOTS)
        assert value(one, metric) == most / scale


def test_a_wide_sum_carries_into_its_upper_part():
    one = record()
    for _ in range(5):
        add(one, METRIC["data_mb"], 3000.000001, SLOTS)  # 3e9 and one units each
    assert value(one, METRIC["data_mb"]) == 15000.000005


def chain(made, row, head):
    customers, found = made.partition.customers, []
    j = int(customers.records["heads"][row, H[head]])
    while j >= 0:
        found.append(j)
        j = int(customers.pools.stands[j]["next"])
    return found


def test_what_stands_is_forgotten_when_nothing_older_is_accepted_any_more(fact, fold):
    profile = fact(80, "customer.profiled", region="n", attributes={f"x{k}": k for k in range(40)})
    balance = fact(0, "balance.reported", balance=5)
    made = fold([profile, balance])
    row = made.partition.ids.find("c")
    assert (len(chain(made, row, "stands")), len(chain(made, row, "attributes"))) == (2, 1)
    later = fact(-11, "payment.received", amount=1)  # 91 days after the profile, 11 after the balance
    made = fold([profile, balance, fact(-11, "usage.recorded", service="sms"), later])
    assert (len(chain(made, row, "stands")), len(chain(made, row, "attributes"))) == (1, 0)


def test_a_return_makes_void_a_request_so_old_that_what_stands_is_forgotten(fact, state):
    asked = [fact(80, "porting.queried"), fact(80, "cancellation.requested")]
    pause = [fact(-11, "usage.recorded", service="sms"), fact(-11, "payment.received", amount=1)]
    assert {"days_since_porting_queried", "days_since_cancellation_requested"} <= state([*asked, *pause]).keys()
    back = state([*asked, *pause, fact(-12, "customer.returned")])
    assert not {"days_since_porting_queried", "days_since_cancellation_requested"} & back.keys()


def test_profiles_with_attributes_fit_in_the_pools_that_were_made_for_them():
    customers = Customers()
    for facts in (500, 3_000, 40_000):
        customers.ensure(1, facts)
        room = len(customers.pools.stands) - int(customers.pools.used[3, 0])
        assert room >= 2 * facts  # fields, and attributes beside them
        customers.pools.used[3, 0] += 2 * facts


def test_bytes_per_customer_of_the_columns_alone_leave_room_for_facts_within_the_budget():
    customers = Customers()
    customers.ensure(1, 0)
    customers.count = 1
    customers.widen_attributes(4)
    assert customers.bytes_per_customer <= 1_400
