"""Rules loaded by workers: each partition at a place of its own, and whoever takes over does it again at that place."""

from __future__ import annotations

import random
from functools import cache

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.bundles import library_of, make, orders_of, quick
from support.engines import batch, ordered, said
from support.lanes import WALL, Cluster, by_rules, in_order
from support.profiles import examples

from engine.engine import Engine
from streams.live.journal import Covered, Reload

EDITS = (
    {"complaints_overdue >= 1": "complaints_overdue >= 2"},
    {"uses_1d >= 3": "uses_1d >= 2", "for: 1d": "for: 12h"},
    {"id: resting, ": "id: rested, "},  # an episode may lose its rule
    {"id: severe, ": "id: severe, mode: shadow, "},
    {"id: trouble, ": "id: trouble, mode: 'off', "},
)


@cache
def shelf():
    """The library of the quick rules and some edits, and their hashes. (Shared: nothing in it changes.)"""
    return library_of(quick(), *(quick(**edit) for edit in EDITS))


def shuffled(seed: int, partitions: int, every: int) -> Cluster:
    """A stream with orders at random moments, partitions taken over from random checkpoints."""
    library, digests = shelf()
    stream = in_order(seed, 120, 6)
    cluster, dice = by_rules(stream, partitions, library, digests[0]), random.Random(seed)

    def order(lane: int) -> None:
        if dice.random() < 0.07:
            more = [one.rules for one in cluster.orders]
            cluster.orders = orders_of([*more, dice.choice(digests)])
            if dice.random() < 0.3 and (record := cluster.lanes[lane].reloading(cluster.orders[-1], WALL)):
                cluster.ticks[lane].append(record)  # made known, and its maker dies before it is loaded
                cluster.take_over(lane)

    cluster.with_takeovers(dice, 120, 9, every, 0.5, [*cluster.lanes], order)
    cluster.run(9, seed)
    return cluster


def done_again(cluster: Cluster) -> list[dict[str, object]]:
    """What partitions that begin anew say by the records alone."""
    again = Cluster(cluster.records, None, library=cluster.library, orders=cluster.orders[-1:])
    again.ticks = cluster.ticks
    again.lanes = {lane: again.open(lane, Covered({}, {}), None) for lane in again.records}
    again.run()
    return ordered(map(said, again.decisions))


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sampled_from([1, 3]), st.integers(2, 40))
def test_partitions_taken_over_from_any_checkpoint_load_the_same_rules_at_the_same_places(seed, partitions, every):
    cluster = shuffled(seed, partitions, every)
    for found in (cluster.decisions, cluster.shadow):
        once = {(one.warning_id, one.revision): said(one) for one in found}
        assert all(said(one) == once[one.warning_id, one.revision] for one in found)
    once = {(one.warning_id, one.revision): said(one) for one in cluster.decisions}
    assert ordered(once.values()) == done_again(cluster)
    assert {lane.order for lane in cluster.lanes.values()} == {len(cluster.orders) - 1}


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(1, 20))
@example(443, 1)  # a record between two loads is refused
def test_one_partition_says_what_an_engine_says_that_loads_rules_there(seed, chunk):
    library, digests = shelf()
    stream = in_order(seed, 150, 5)
    cluster = by_rules(stream, 1, library, digests[0])
    alone = make(library.configuration(digests[0]), None)
    dice, done, decisions = random.Random(seed), 0, []
    (lane,) = cluster.lanes.values()
    while done < len(stream):
        done = min(len(stream), done + chunk)
        decisions += step_to(cluster, lane, alone, stream, done)
        if dice.random() < 0.4:
            digest = dice.choice(digests)
            cluster.orders = orders_of([*(one.rules for one in cluster.orders), digest])
            cluster.settle()
            assert lane.rules == digest
            alone.reload(library.configuration(digest))
    cluster.settle()
    decisions += alone.advance(alone.partition.clock, 0).decisions
    last = lane.engine.advance(lane.clock, 0).decisions
    assert ordered(map(said, [*cluster.decisions, *last])) == ordered(map(said, decisions))


def step_to(cluster: Cluster, lane, alone: Engine, stream: list[bytes], done: int) -> list[object]:
    """Both apply the stream up to here; what the engine alone says."""
    handed = {topic: lane.received[topic] for topic in lane.received}
    part = stream[sum(handed.values()) : done]
    for topic, queue in cluster.records[0].items():
        mine = sum(record.value in part for record in queue[handed[topic] :])
        cluster.feed(0, topic, mine)
        lane.drained(topic, cluster.now)
    cluster.settle()
    admitted = batch(part)
    # a lane makes no step of records that are all refused: what lost its rules ends at the next one
    return alone.step(admitted, 0).decisions if len(admitted) else []


def test_other_settings_are_taken_over_by_an_engine_made_of_the_state() -> None:
    files = quick()
    other = files | {"churn.yaml": files["churn.yaml"].replace(b"recheck: 24h", b"recheck: 12h")}
    library, (first, second) = library_of(files, other)
    stream = in_order(3, 150, 5)
    cluster = by_rules(stream, 1, library, first)
    cluster.run(20)
    before = cluster.lanes[0].engine
    cluster.orders.append(Reload(1, second, rebuild=True))
    cluster.settle()
    after = cluster.lanes[0].engine
    assert after is not before
    assert after.settings.recheck == before.settings.recheck // 2
    assert [*after.scores(after.partition.clock)] == [*before.scores(before.partition.clock)]
