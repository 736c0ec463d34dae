"""Customers split over partitions decide as they would together (contract, "Sameness").

Partitions tell one another what their slots have shown, a slot later at the latest; and the clocks of those that have no
events go on with the others', before a late event too. That is what a worker on Kafka does (streams/live).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, EAGER, QUICK, batch, engine, every, newest, ordered, said
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

from engine.engine import Engine
from engine.model_inputs import model_inputs
from events.columns import Batch
from events.times import SLOT_US
from models.champion import Champion

pytestmark = pytest.mark.usefixtures("eager_model")
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]
PROFILED = TYPES.index("customer.profiled")


def stretches(whole: Batch) -> Iterator[tuple[int, int, int]]:
    """(first, last, clock before it) of stretches within one slot that nothing late is in but at their beginning."""
    at = whole.events["at"]
    clock = np.maximum.accumulate(at)
    cuts = np.flatnonzero((np.diff(clock // SLOT_US) > 0) | (at[1:] < clock[:-1])) + 1
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(at)], strict=True):
        if last > first:
            yield first, last, int(clock[first - 1]) if first else 0


def share(engines: list[Engine], slot: int) -> None:
    """Everybody hears what the others' slots before `slot` have shown."""
    told = [one.told(slot) for one in engines]
    for listener, made in enumerate(engines):
        for speaker, one in enumerate(told):
            if listener != speaker:
                made.hear(one)


def check(parts: list[list[bytes]], owners: dict[str, int], model: bytes, folder=QUICK) -> list[dict[str, object]]:
    """One engine against one for each owner; returns the decisions."""
    batches = [batch(part) for part in parts]
    end = newest(batches)
    alone = engine(folder, model=champion(model))
    together = [one for part in batches for one in alone.step(part.take(np.arange(len(part))), 0).decisions]
    together += alone.advance(end, 0).decisions
    names = sorted(set(owners.values()))
    engines = [engine(folder, model=champion(model)) for _ in names]
    split, clock = [], 0
    for part in batches:
        for first, last, before in stretches(part):
            clock = max(clock, before)
            share(engines, max(clock, int(part.events["at"][first])) // SLOT_US)
            for made, name in zip(engines, names, strict=True):
                if clock:
                    split += made.advance(clock, 0).decisions
                mine = [k for k in range(first, last) if owners.get(part.customer_id(k), name) == name]  # cells: all
                split += made.step(part.take(np.array(mine, np.int64)), 0).decisions
            clock = max(clock, int(part.events["at"][first:last].max()))
    share(engines, end // SLOT_US)
    for made in engines:
        split += made.advance(end, 0).decisions
    assert ordered(map(said, split)) == ordered(map(said, together))
    assert sorted(score for made in engines for score in made.scores(end)) == sorted(alone.scores(end))
    return ordered(map(said, together))


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
