"""An event of usage is remembered as long as it would still be accepted: by its customer's own clock."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engines import batch, engine
from support.small_streams import START, text_of

from customers import dedup
from customers.dedup import Dedup, seen_before


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


@given(st.lists(st.tuples(st.integers(1, 2**64 - 1), st.integers(0, 300)), max_size=60), st.integers(0, 400))
def test_a_table_that_grows_keeps_what_counts_and_drops_the_rest(held: list[tuple[int, int]], second: int) -> None:
    last = dict(held)
    table = Dedup(100)
    keys, seen = np.array([*last], np.uint64), np.array([*last.values()], np.uint32)
    table.restore({"keys": keys, "seen": seen})
    for more in (5_000, 20_000):
        table.ensure(more, second)
    there = table.keys != 0
    found = dict(zip(table.keys[there].tolist(), table.seen[there].tolist(), strict=True))
    assert found == {key: at for key, at in last.items() if at >= second - 100}
    for key, at in found.items():
        assert seen_before(table.keys, table.seen, table.whose, np.uint64(key), 0, at, at, 100)


def test_keys_move_to_a_larger_table_stage_by_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedup, "_STAGE", 7)
    dice = np.random.default_rng(5)
    keys = dice.integers(1, 2**63, 3_000).astype(np.uint64) << np.uint64(1)
    table = Dedup(100, by_customer=True)
    whose = np.arange(3_000, dtype=np.uint32)
    table.restore({"keys": keys, "seen": np.full(3_000, 50, np.uint32), "whose": whose})
    table.ensure(40_000, 60, lambda: np.where(np.arange(3_000) % 2, 0, 200_000_000))
    there = table.keys != 0
    assert dict(zip(table.keys[there].tolist(), table.whose[there].tolist(), strict=True)) == dict(
        zip(keys[1::2].tolist(), whose[1::2].tolist(), strict=True)
    )


@given(st.lists(st.integers(1, 2**64 - 1), unique=True, max_size=40), st.booleans())
def test_a_snapshot_has_every_key_held_and_keeps_it(keys: list[int], by_customer: bool) -> None:
    table = Dedup(86_400, by_customer)
    table.ensure(len(keys), 7)
    for customer, key in enumerate(keys):
        seen_before(table.keys, table.seen, table.whose, np.uint64(key), customer, 7, 7 + customer, 86_400)
    saved = table.snapshot()
    table.keys[:], table.seen[:], table.whose[:] = 5, 5, 5
    owners = saved["whose"].tolist() if by_customer else range(len(keys))
    assert len(saved["keys"]) == len(keys)
    found = dict(zip(saved["keys"].tolist(), saved["seen"].tolist(), strict=True))
    assert found == {key: 7 + customer for customer, key in enumerate(keys)}
    assert sorted(owners) == list(range(len(keys)))
    assert not any(array.flags.writeable for array in saved.values())
