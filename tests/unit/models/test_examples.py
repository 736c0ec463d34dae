"""Pending examples: bounded, sampled by a hash alone, labelled by outcomes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import examples

from models.examples import GONE, LEFT, WAITING, Examples, Outcome, example_keys

HORIZON = 100


def add(examples, customers, at):
    customers, at = np.asarray(customers, np.int64), np.asarray(at, np.int64)
    count = len(customers)
    keys = example_keys(customers, at)
    kept = examples.wanted(keys)
    values = customers[:, None].astype(np.float32)
    logits, risk = np.full((count, 2), np.nan, np.float32), np.full(count, np.nan, np.float32)
    examples.add(customers[kept], at[kept], keys[kept], values[kept], logits[kept], risk[kept])


def held(examples):
    kept = np.flatnonzero(examples.state[: examples.size])
    return sorted(zip(examples.customer[kept].tolist(), examples.at[kept].tolist(), strict=True))


@settings(max_examples=examples(50), deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400), st.integers(1, 60))
def test_neither_order_nor_batches_decide_what_is_kept(random, count, limit):
    pairs = [(customer % 37, customer) for customer in range(count)]
    whole, parts = Examples(1, limit), Examples(1, limit)
    add(whole, *zip(*pairs, strict=True))
    random.shuffle(pairs)
    while pairs:
        step = random.randint(1, 50)
        add(parts, *zip(*pairs[:step], strict=True))
        del pairs[:step]
        assert len(parts.state) <= max(1024, 3 * limit + 200)
    whole.settle(grow=False)
    parts.settle(grow=False)
    assert held(whole) == held(parts)
    assert len(whole) == min(count, limit)


def test_every_customer_has_the_same_chance():
    examples = Examples(1, 500)
    for day in range(20):
        add(examples, np.arange(1000), np.full(1000, day))
        examples.settle(grow=False)
    kept = np.array(held(examples))
    assert abs(kept[:, 0].mean() - 500) < 50
    assert np.array_equal(examples.values[examples.state[: len(examples.values)] != GONE][:, 0], kept_values(examples))


def kept_values(examples):
    return examples.customer[np.flatnonzero(examples.state)].astype(np.float32)


def test_the_sample_grows_again_when_there_is_room():
    examples = Examples(1, 100)
    add(examples, np.arange(1000), np.zeros(1000))
    examples.settle(grow=False)
    narrow = examples.bound
    examples.drop_before(0)
    for _ in range(5):
        examples.settle(grow=True)
    assert examples.bound > 2 * narrow


def test_outcomes_label_by_their_own_date():
    examples = Examples(1, 100)
    add(examples, [1, 1, 1, 2, 3], [10, 50, 200, 50, 50])
    examples.churned([Outcome(1, 120, True), Outcome(2, 60, False), Outcome(9, 60, True)], 0, HORIZON)
    states = dict(zip(held(examples), examples.state[np.flatnonzero(examples.state)].tolist(), strict=False))
    assert states == {(1, 10): WAITING, (1, 50): LEFT, (3, 50): WAITING}


def test_before_outcomes_were_seen_a_horizon_counts_from_then():
    examples = Examples(1, 100)
    add(examples, [1], [10])
    examples.churned([Outcome(1, 150, True)], 80, HORIZON)
    assert examples.state[0] == LEFT
