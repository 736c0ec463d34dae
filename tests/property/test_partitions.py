"""Customers split over partitions decide as they would together, given the clocks that all share (contract, "Sameness").

The other partitions' events reach a partition's engine as the engine's own pseudo events: TICK moves the stream clock and
proves a feed alive, FED is the same of the usage feed.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, EAGER, QUICK, batch, engine, every, newest, ordered, said
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

from customers.feeds import FEED_OF_KIND
from customers.rounds import FED, TICK
from events.codes import Kind
from events.columns import Batch
from models.champion import Champion
from streams.evaluation import model_inputs

pytestmark = pytest.mark.usefixtures("eager_model")
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]
PROFILED = TYPES.index("customer.profiled")


def share(whole: Batch, mine: set[str]) -> Batch:
    """What one partition sees of a batch."""
    part = whole.take(np.arange(len(whole)))
    part.events = part.events.copy()
    for index in range(len(part)):
        customer = part.customer_id(index)
        if customer in mine:
            continue
        kind = part.events["kind"][index]
        part.events["a"][index] = FEED_OF_KIND[kind] + 1
        part.events["kind"][index] = FED if kind == Kind.USAGE_RECORDED else TICK
        part.events["id_len"][index] = part.events["flags"][index] = 0
        part.facts.pop(index, None)
    return part


def check(parts: list[list[bytes]], owners: dict[str, int], model: bytes, folder=QUICK) -> list[dict[str, object]]:
    """One engine against one for each owner; returns the decisions."""
    batches = [batch(part) for part in parts]
    end = newest(batches)
    found = []
    for split in (dict.fromkeys(owners, 0), owners):
        decisions, scores = [], []
        for owner in sorted(set(split.values())):
            mine = {customer for customer in split if split[customer] == owner}
            made = engine(folder, model=champion(model))
            for one in batches:
                decisions += made.step(share(one, mine), 0).decisions
            decisions += made.advance(end, 0).decisions
            scores += made.scores(end)
        found.append((ordered(map(said, decisions)), sorted(scores)))
    assert found[0] == found[1]
    return found[0][0]


def champion(saved: bytes) -> Champion:
    return Champion.load(saved, *model_inputs({}), EAGER)[0]


@pytest.fixture(scope="module")
def model(eager_model) -> bytes:
    """What a model has learned from other customers."""
    made = engine()
    types = LIVES * 5 + [number for number in range(len(TYPES)) if number != PROFILED]
    made.step(batch(lines(random_moments(77, 500, customers=8, types=types))), 0)
    assert made.model.speaking
    return made.model.save()


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(30, customers=4), st.lists(st.integers(0, 2), min_size=4, max_size=4), st.sampled_from([1, 4, 100]))
def test_any_split_of_few_customers(model, stream, owner_of, size):
    owners = {f"c{number}": owner for number, owner in enumerate(owner_of)}
    check(every(size, lines(stream)), owners, model)


@pytest.mark.parametrize("folder", [QUICK, DEFAULT], ids=["quick", "default"])
@pytest.mark.parametrize("partitions", [2, 5])
def test_long_lives(model, partitions, folder):
    whole = lines(random_moments(partitions, 400, customers=9))
    decisions = check(every(50, whole), {f"c{k}": k % partitions for k in range(9)}, model, folder)
    assert decisions
    assert folder == DEFAULT or any(decision["risk"] is not None for decision in decisions)
