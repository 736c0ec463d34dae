"""Partitions decide together what one engine decides alone, however their records come and whoever dies in between."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import batch, engine, frozen, ordered, run, said
from support.lanes import Cluster, in_order, records_of, topic_of
from support.profiles import examples

from engine.engine import DAY_US, Engine
from events.times import SLOT_US
from streams.live.journal import Covered


def build(saved=None) -> Engine:
    made = engine(model=frozen())
    if saved is not None:
        made.restore(saved)
    return made


def alone(stream: list[bytes]) -> list[dict[str, object]]:
    return run(build(), [stream]).decisions


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 5]), st.sampled_from([1, 7, 1000]))
def test_any_number_of_partitions_and_any_rhythm(seed, partitions, chunk):
    stream = in_order(seed, 200, 9)
    cluster = Cluster(records_of(stream, partitions), build)
    cluster.run(chunk, seed)
    assert ordered(map(said, cluster.decisions)) == alone(stream)


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_a_partition_that_is_taken_over_from_any_checkpoint(seed, every):
    stream = in_order(seed, 200, 6)
    cluster = Cluster(records_of(stream, 3), build)
    dice = random.Random(seed)
    cluster.with_takeovers(dice, 400, 9, every, 0.5, [*cluster.lanes])
    cluster.run(9, seed)
    once = {(one.warning_id, one.revision): said(one) for one in cluster.decisions}
    assert all(said(one) == once[one.warning_id, one.revision] for one in cluster.decisions)
    assert ordered(once.values()) == alone(stream)


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sampled_from([2, 3]), st.sampled_from([0.1, 0.5, 0.9]))
def test_a_broker_that_speaks_of_some_topics_only(seed, partitions, share):
    """As after a restart: what is known of a topic's end is then older than what came of the others."""
    stream = in_order(seed, 200, 9)
    records = records_of(stream, partitions)
    cluster = Cluster(records, build)
    dice, there = random.Random(seed), set()
    for line in stream:
        there.add(line)
        if dice.random() < 0.7:
            continue
        for lane, topics in records.items():
            for topic, queue in topics.items():
                if dice.random() < share:
                    cluster.feed(
                        lane,
                        topic,
                        sum(record.value in there for record in queue[cluster.lanes[lane].received[topic] :]),
                    )
                    cluster.lanes[lane].drained(topic, cluster.now)
            cluster.move(lane)
    cluster.run(9, seed)
    assert ordered(map(said, cluster.decisions)) == alone(stream)


def test_a_record_in_another_partition_than_its_keys_is_refused_with_the_mend() -> None:
    stream = in_order(5, 60, 4)
    records = records_of(stream, 2)
    topic, queue = next((topic, queue) for topic, queue in records[0].items() if queue)
    stray = queue[0]._replace(offset=len(records[1][topic]))
    records[1][topic].append(stray)
    cluster = Cluster(records, build)
    cluster.run()
    (letter,) = [one for one in cluster.dead if "partition" in one.detail]
    assert letter.reason == "out_of_range"
    assert "belongs in partition 0 of 2" in letter.detail
    assert "partitioner=murmur2_random" in letter.detail
    assert letter.source == f"{topic}/1/{stray.offset}"


def test_a_partition_without_customers_holds_nobody_up() -> None:
    stream = in_order(8, 120, 1)  # one customer
    cluster = Cluster(records_of(stream, 4), build)
    cluster.run(11)
    assert ordered(map(said, cluster.decisions)) == alone(stream)
    assert cluster.decisions


def test_a_partition_waits_for_what_others_tell_but_not_for_good() -> None:
    stream = in_order(11, 200, 6)
    records = records_of(stream, 2)
    cluster = Cluster(records, build)
    mine = cluster.lanes[0]
    cluster.lanes = {0: mine}  # nobody works on the other partition
    cluster.run()
    assert mine.held_by(cluster.now).keys() == {1}
    assert mine.merger.waiting
    mine.exchange.go_without({1})
    cluster.settle()
    assert not mine.merger.waiting


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_what_is_said_now_hides_nothing_that_was_said_since_a_checkpoint(seed, every):
    """As when a worker takes a partition over and hears its other ones before it has read what they said meanwhile."""
    stream = in_order(seed, 200, 6)
    cluster = Cluster(records_of(stream, 3), build)
    dice = random.Random(seed)
    turns = [(lane, topic) for lane in cluster.lanes for topic in cluster.records[lane]]
    for step in range(300):
        lane, topic = dice.choice(turns)
        cluster.feed(lane, topic, 9)
        cluster.move(lane)
        if step % every == 0:
            fresh = cluster.open(lane, Covered({}, {}), None, dice.randrange(len(cluster.statements) + 1))
            cluster.lanes[lane] = fresh
    cluster.run(9, seed)
    once = {(one.warning_id, one.revision): said(one) for one in cluster.decisions}
    assert ordered(once.values()) == alone(stream)


def test_a_partition_that_speaks_again_is_waited_for_again() -> None:
    stream = in_order(11, 200, 6)
    records = records_of(stream, 2)
    cluster = Cluster(records, build)
    mine, start = cluster.lanes[0], cluster.lanes[1].covered({}, 0)
    cluster.lanes = {0: mine}
    cluster.run()
    mine.exchange.go_without({1})
    cluster.settle()
    cluster.lanes = {0: mine, 1: cluster.open(1, start, None)}
    cluster.run()
    assert not mine.exchange.silent
    assert not cluster.lanes[1].merger.waiting


def test_events_are_counted_by_the_topic_they_came_from_and_doubles_are_not() -> None:
    stream = in_order(5, 200, 9)
    cluster = Cluster(records_of([stream[0], *stream], 2), build)
    cluster.run(50)
    sent = Counter(topic_of(msgspec.json.decode(line)["type"]) for line in stream)
    assert len(sent) > 2
    refused = Counter(letter.source.partition("/")[0] for letter in cluster.dead)
    assert cluster.applied == sent - refused


def test_what_slots_have_shown_is_kept_until_the_others_were_told() -> None:
    """However far the clock goes before that: a first round may bring many hours, and then a tick."""
    made = build()
    made.share(0, 2)
    made.step(whole := batch(in_order(3, 5, 2)), 0)
    first, last = int(whole.events["at"].min()), int(whole.events["at"].max())
    for days in (1, 2):
        made.advance(last + days * DAY_US, 0)
    assert first // SLOT_US in {notice.slot for notice in made.told(last // SLOT_US + 1).slots}
