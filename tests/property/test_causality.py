"""Nothing that comes later changes a decision; what comes late, but in time, counts as if it had come in order."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from support.engines import batch, engine, newest, said
from support.profiles import examples
from support.small_streams import START, event, lines, moments, random_moments, text_of

from customers.layout import F, T
from rules.load import Configuration

pytestmark = pytest.mark.usefixtures("eager_model")
US = 1_000_000
DAY = 86_400 * US
SHORT = settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))


def microseconds(text: str) -> int:
    return int(np.datetime64(text.removesuffix("Z"), "us").astype(np.int64))


def check_prefix(whole: list[bytes], length: int) -> None:
    """Decisions dated before the next event's clock are the same whether that event ever comes or not."""
    clock_after = newest([batch(whole[: length + 1])])
    told, knowing = engine(), engine()
    early = [*told.step(batch(whole[:length]), 0).decisions, *told.advance(clock_after - 1, 0).decisions]
    late = knowing.step(batch(whole), 0).decisions
    seen = [said(decision) for decision in late if microseconds(decision.raised_at) < clock_after]
    order = ("raised_at", "customer_id", "revision")
    assert sorted(map(said, early), key=lambda one: [one[name] for name in order]) == sorted(
        seen, key=lambda one: [one[name] for name in order]
    )


@SHORT
@given(moments(30, least=2), st.data())
def test_what_comes_later_changes_no_decision(stream, data):
    whole = lines(stream)
    length = data.draw(st.integers(1, len(whole) - 1))
    assume(newest([batch(whole[: length + 1])]) > newest([batch(whole[:length])]))
    check_prefix(whole, length)


@pytest.mark.parametrize("seed", range(4))
def test_nor_in_long_lives(seed):
    whole = lines(random_moments(seed, 300, customers=5))
    clocks = [newest([batch(whole[:length])]) for length in range(140, 180)]
    jumps = [140 + k for k in range(len(clocks) - 1) if clocks[k + 1] > clocks[k]]
    check_prefix(whole, random.Random(seed).choice(jumps))


def usage(number: int, second: int) -> tuple[int, bytes]:
    """A usage record at a second since START, its fields by its number."""
    fields = event("usage.recorded", "c", START + timedelta(seconds=second), f"u{number}", number)
    return second, json.dumps(fields | {"occurred_at": text_of(START + timedelta(seconds=second))}).encode()


SECONDS = st.lists(
    st.integers(1, 3 * 86_400) | st.sampled_from([86_400, 2 * 86_400, 4 * 3_600]), min_size=1, max_size=25
)


PULSE = 2 * 3_600


def kept_alive(records: list[tuple[int, bytes]]) -> list[bytes]:
    """The records' lines, and between them another customer's use every two hours of the clock.

    A stream that tells nobody's use for hours is an outage of the feed, and such days teach nothing: whether there was one
    depends on what came when, which is not asked here.
    """
    found, clock = [records[0][1]], records[0][0]
    for second, line in records[1:]:
        for pulse in range(clock // PULSE * PULSE + PULSE, second, PULSE):
            fields = {"service": "data", "count": 1, "occurred_at": text_of(START + timedelta(seconds=pulse))}
            told = {"event_id": f"p{pulse}", "type": "usage.recorded", "customer_id": "alive"}
            found.append(json.dumps(told | fields).encode())
        found.append(line)
        clock = max(clock, second)
    return found


@SHORT
@given(SECONDS, st.randoms(use_true_random=False), st.integers(0, 100))
@example([1, 1, 43_195, 129_595], random.Random(1), 8)
@example([1, 1, 43_195, 129_595], random.Random(1), 9)
def test_late_use_within_the_lateness_counts_as_in_order(seconds, chance, days_before):
    """Sums, recency and the own normal, after use that came in any order that its lateness allows."""
    begun = [usage(1000 + day, -86_400 * day) for day in range(days_before, -1, -1)]
    records = sorted((usage(number, second) for number, second in enumerate(seconds)), key=lambda one: one[0])
    arrived, waiting, clock = [], list(records), 0
    while waiting:  # any record may be next that leaves all the others in time
        ready = [one for one in waiting if max(clock, one[0]) - waiting[0][0] <= 86_400]
        chosen = chance.choice(ready)
        waiting.remove(chosen)
        arrived.append(chosen)
        clock = max(clock, chosen[0])
    last = usage(999, max(seconds) + 5)
    states = []
    for order in (records, arrived):
        made = engine()
        step = made.step(batch(kept_alive([*begun, *order, last])), 0)
        assert not step.dead
        states.append((made, made.partition.customers.records[0]))
    (one, first), (other, second) = states
    for block in ("wide", "high", "mid", "small", "tiny"):
        assert first[block].tolist() == second[block].tolist()
    for field in ("last_use", "newest_usage", "rolled"):
        assert first["times"][T[field]] == second["times"][T[field]]
    for field in ("uses_normal", "data_normal", "usage_index", "usage_cusum", "rhythm_mean", "rhythm_spread"):
        np.testing.assert_array_equal(first["floats"][F[field]], second["floats"][F[field]])
    end = newest([batch([last[1]])]) + 3 * DAY
    for made in (one, other):
        made.advance(end, 0)
    assert [*one.scores(end)] == [*other.scores(end)]


def lateness(configuration: Configuration) -> int:
    return int(configuration.settings.lateness)


def test_a_microsecond_beyond_the_lateness_is_too_late():
    made = engine()
    limit = lateness(made.decider.configuration)
    now = usage(1, 5 * 86_400)[1]
    record = json.loads(usage(2, 5 * 86_400)[1])
    at = START + timedelta(days=5) - timedelta(microseconds=limit)
    just = json.dumps(record | {"occurred_at": text_of(at)}).encode()
    beyond = json.dumps(record | {"event_id": "x", "occurred_at": text_of(at - timedelta(microseconds=1))}).encode()
    step = made.step(batch([now, just, beyond]), 0)
    assert (step.applied, [letter.reason for letter in step.dead]) == (2, ["too_late"])
