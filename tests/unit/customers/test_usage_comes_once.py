"""An event of usage is remembered as long as it would still be accepted: by its customer's own clock."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
from support.engines import batch, engine
from support.small_streams import START, text_of

from customers.dedup import Dedup


def usage(customer: str, number: int, hours: float) -> bytes:
    told = {"type": "usage.recorded", "event_id": f"{customer}{number}", "customer_id": customer}
    at = text_of(START + timedelta(hours=hours))
    return json.dumps(told | {"occurred_at": at, "service": "data", "count": 1, "mb": 5}).encode()


def test_the_last_usage_of_a_quiet_customer_counts_once_however_late_it_comes_again():
    quiet = [usage("quiet", number, number) for number in range(30)]
    busy = [usage("busy", number, 24 * number) for number in range(1, 40)]
    made = engine()
    assert made.step(batch([*quiet, *busy]), 0).applied == len(quiet) + len(busy)
    sums = made.partition.customers.records[0]["small"].tolist()
    again = made.step(batch(quiet), 0)
    assert (again.applied, again.duplicates + len(again.dead)) == (0, len(quiet))
    assert made.partition.customers.records[0]["small"].tolist() == sums


def test_nor_after_the_table_was_swept_and_restored():
    quiet = usage("quiet", 0, 0)
    made = engine()
    made.step(batch([quiet]), 0)
    for day in range(1, 6):  # more keys than the smallest table holds, each round beyond the horizon of the one before
        many = [usage("busy", 2_000 * day + number, 48 * day + number / 2_000) for number in range(2_000)]
        made.step(batch(many), 0)
    usages = made.partition._usage
    assert int(np.count_nonzero(usages.keys)) < 6_000  # what no usage of the busy one may be any more is gone
    other = engine()
    other.restore(
        {name: np.array(part) if isinstance(part, np.ndarray) else part for name, part in made.snapshot().items()}
    )
    for one in (made, other):
        step = one.step(batch([quiet]), 0)
        assert (step.applied, step.duplicates) == (0, 1)


def test_keys_of_a_snapshot_that_does_not_say_whose_age_by_the_stream_clock():
    keys = np.arange(1, 11, dtype=np.uint64)
    table = Dedup(100, by_customer=True)
    table.restore({"keys": keys, "seen": np.arange(10, 110, 10, dtype=np.uint32)})
    table.ensure(4_000, 150, lambda: np.zeros(3, np.int64))
    assert sorted(table.keys[table.keys != 0].tolist()) == [5, 6, 7, 8, 9, 10]
