"""Placement, assignment, merging, and checkpoints that outlive their writers."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st
from support.engines import batch

from events.packed import Record, packed
from streams.checkpoint import UnreadableError
from streams.live.assignor import shared
from streams.live.delivery import Outbox
from streams.live.intake import gathered
from streams.live.journal import Covered, Tick
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.measuring import lag_of
from streams.live.merge import Merger
from streams.live.pieces import Given
from streams.live.placement import partitions_of
from streams.live.rereading import chain
from streams.live.settings import live_settings
from streams.live.store import PartitionStore, write
from streams.live.tenancy import Tenancy
from streams.live.topics import USAGE
from streams.live.transactions import Ends
from streams.problems import UsageError


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 500))
def test_keys_are_placed_as_the_java_client_places_them(keys, count):
    assert partitions_of(keys, count).tolist() == [(murmur2(key) & 0x7FFFFFFF) % count for key in keys]


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.lists(st.integers(0, 20)), min_size=1, max_size=6),
    st.integers(1, 20),
)
def test_lanes_are_shared_evenly_once_each_and_stay_where_they_can(had, count):
    lanes = list(range(count))
    shares = shared(lanes, had)
    assert sorted(lane for share in shares.values() for lane in share) == lanes
    assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1
    again = shared(lanes, shares)
    assert again == shares


def usage(*seconds: int):
    line = b'{"type":"usage.recorded","event_id":"%d","customer_id":"c","service":"data","occurred_at":"2026-01-01T00:00:%02dZ"}'
    return batch([line % (second, second) for second in seconds])


def released(merger: Merger, now: float, most: int = 100) -> list[str]:
    one = merger.release(now, most, 2**62)
    return [] if one is None else [str(one.payload(k).split(b'"')[7].decode()) for k in range(len(one))]


def test_an_event_waits_for_a_topic_that_is_not_read_to_its_end() -> None:
    merger = Merger(("a", "b"), {}, {}, align=0.1)
    merger.queues["a"].add(usage(1, 5), 2, came=0.0)
    assert released(merger, 100.0) == []
    merger.queues["b"].add(usage(3), 1, came=0.0)
    assert released(merger, 100.0) == ["1", "3"]
    merger.queues["b"].drained_at = 100.0
    merger.queues["a"].drained_at = 100.0
    assert released(merger, 100.0) == ["5"]


def test_when_all_is_read_an_event_waits_only_for_what_may_be_on_its_way() -> None:
    merger = Merger(("a", "b"), {}, {}, align=0.1)
    for queue in merger.queues.values():
        queue.drained_at = 11.0
    merger.queues["a"].add(usage(5), 1, came=10.0)
    assert released(merger, 10.05) == []
    merger.queues["b"].add(usage(4), 1, came=10.06)
    assert released(merger, 10.11) == ["4", "5"]


def test_what_was_the_end_of_a_topic_before_an_event_came_says_nothing_about_what_came_since() -> None:
    merger = Merger(("a", "b"), {}, {}, align=0.1)
    merger.queues["a"].drained_at = merger.queues["b"].drained_at = 9.0
    merger.queues["a"].add(usage(5), 1, came=10.0)
    merger.queues["a"].drained_at = 100.0
    assert released(merger, 100.0) == []  # the broker has not spoken of b since
    assert merger.seen(100.0) == 9.0
    merger.queues["b"].drained_at = 10.2
    assert released(merger, 100.0) == ["5"]


@given(st.lists(st.lists(st.integers(0, 59), max_size=12), min_size=3, max_size=3), st.integers(1, 5))
def test_every_event_comes_once_in_the_order_of_its_turn_and_positions_follow(topics, most):
    merger = Merger("abc", {}, {}, align=0.0)
    turns = {}
    for topic, seconds in zip("abc", topics, strict=True):
        merger.queues[topic].add(usage(*seconds), len(seconds), came=0.0)
        merger.queues[topic].drained_at = 1.0
        turns[topic] = np.maximum.accumulate(seconds).tolist() if seconds else []
    got: list[str] = []
    while merger.waiting:
        got += released(merger, 1.0, most)
        assert sum(queue.position for queue in merger.queues.values()) >= len(got)
    merger.release(1.0, most, 2**62)
    expected = sorted((turn, "abc".index(topic), k) for topic in "abc" for k, turn in enumerate(turns[topic]))
    assert got == [str(topics[index][k]) for _, index, k in expected]
    assert all(queue.position == len(seconds) for queue, seconds in zip(merger.queues.values(), topics, strict=True))


def covering(offset: int) -> Covered:
    return Covered({"t": offset}, {})


def save(store: PartitionStore, offset: int) -> None:
    path = store.writing()
    write(path, covering(offset), {"part": np.arange(3)})
    store.publish(path)


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_a_checkpoint_comes_back_and_two_are_kept(tmp_path, kind):
    root = str(tmp_path / "checkpoints") if kind == "folder" else f"memory://{tmp_path.name}"
    store = PartitionStore(root, 3, 7)
    assert store.load().engine is None
    for offset in range(4):
        save(store, offset)
    loaded = PartitionStore(root, 3, 8).load()
    assert loaded.covered == covering(3)
    assert loaded.engine is not None
    assert loaded.engine["part"].tolist() == [0, 1, 2]
    assert len(store._there()) == 2


def test_a_zombie_overwrites_nothing(tmp_path):
    zombie = PartitionStore(str(tmp_path), 0, 4)
    save(zombie, 10)
    owner = PartitionStore(str(tmp_path), 0, 5)
    save(owner, 20)
    for offset in range(11, 16):
        save(zombie, offset)
    assert PartitionStore(str(tmp_path), 0, 6).load().covered == covering(20)


def test_a_group_that_counts_its_generations_anew_stays_the_owner(tmp_path):
    save(PartitionStore(str(tmp_path), 0, 400), 10)
    save(PartitionStore(str(tmp_path), 0, 1), 20)
    assert PartitionStore(str(tmp_path), 0, 2).load().covered == covering(20)


def test_an_unreadable_checkpoint_falls_back_with_what_was_wrong(tmp_path):
    store = PartitionStore(str(tmp_path), 0, 1)
    save(store, 10)
    save(store, 20)
    newest = max((tmp_path / "0").glob("*.checkpoint"))
    newest.write_bytes(newest.read_bytes()[:-5])
    loaded = PartitionStore(str(tmp_path), 0, 2).load()
    assert loaded.covered == covering(10)
    assert newest.name in loaded.troubles[0]
    for path in (tmp_path / "0").glob("*.checkpoint"):
        path.write_bytes(b"nothing")
    with pytest.raises(UnreadableError):
        PartitionStore(str(tmp_path), 0, 3).load()


def test_secrets_come_from_files_and_are_not_shown(tmp_path, monkeypatch):
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    monkeypatch.setenv("CHURN_KAFKA_PASSWORD_FILE", str(secret))
    settings = live_settings()
    assert settings.kafka_password.get_secret_value() == "geheim"
    assert "geheim" not in repr(settings)


def test_a_wrong_setting_is_named(monkeypatch):
    monkeypatch.setenv("CHURN_KAFKA_PARTITIONS", "many")
    with pytest.raises(UsageError, match="CHURN_KAFKA_PARTITIONS: "):
        live_settings()


def test_ticks_of_a_zombie_are_not_done_again() -> None:
    def tick(after: int, epoch: int) -> Tick:
        return Tick(0, 0, {}, after, epoch)

    mine = [(3, tick(3, 5)), (5, tick(4, 5)), (8, tick(6, 9))]
    zombies = [(4, tick(3, 2)), (6, tick(5, 2)), (7, tick(6, 5))]
    assert chain([*mine, *zombies], 3) == mine
    assert chain([], 3) == []
    again = [(3, tick(3, 5)), (4, tick(3, 5)), (5, tick(5, 5))]  # the first timed out, and was there all the same
    assert chain(again, 3) == again[1:]


def test_a_chunk_that_leaves_records_out_is_refused() -> None:
    def record(offset: int) -> Record:
        return Record(b"", (), b"", 0, offset)

    async def accepting() -> None:
        lane = Lane(0, 1, None, Covered({USAGE: 5}, {}), [], LaneSettings(0.0, 0))
        tenancy = Tenancy(lane, Outbox(None, {}, print), Kept(None, Covered({}, {}), None), set())
        assert not tenancy.accept(USAGE, Given(packed([record(7)]), 7, 8, 0.0))
        assert lane.received[USAGE] == 5
        assert tenancy.accept(
            USAGE, Given(packed([record(4), record(6)]), 4, 7, 0.0)
        )  # 5 was a marker of a transaction
        assert lane.received[USAGE] == 7
        assert [records.rows["offset"].tolist() for _, records, _ in lane.intake.arrived] == [[6]]
        assert tenancy.accept(USAGE, Given(packed([record(7)]), 7, 9, 0.0))  # and so was 8, at the end of what was read
        assert tenancy.accept(USAGE, Given(packed([record(9)]), 9, 10, 0.0))
        assert tenancy.accept(USAGE, Given(packed([]), 10, 12, 0.0))  # nothing but markers
        assert tenancy.accept(USAGE, Given(packed([record(12)]), 12, 13, 0.0))
        assert lane.received[USAGE] == 13
        await tenancy.close()

    asyncio.run(accepting())


def test_a_marker_of_a_transaction_at_the_end_of_a_topic_is_no_record_that_waits() -> None:
    async def lags() -> list[int]:
        lane = Lane(0, 1, None, Covered({USAGE: 5}, {}), [], LaneSettings(0.0, 0))
        tenancy = Tenancy(lane, Outbox(None, {}, print), Kept(None, Covered({}, {}), None), set())
        found = []
        for position, end in ((5, 6), (6, 6)):
            tenancy.read_up_to(USAGE, position, Ends(end, end), 1.0)
            found.append(lag_of(tenancy)[USAGE])
        assert tenancy.accept(USAGE, Given(packed([Record(b"", (), b"", 0, 6)]), 5, 7, 0.0))
        tenancy.read_up_to(USAGE, 7, Ends(7, 7), 2.0)
        found.append(lag_of(tenancy)[USAGE])
        await tenancy.close()
        return found

    assert asyncio.run(lags()) == [1, 0, 2]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3)), max_size=8), st.integers(0, 10))
def test_what_waits_for_no_other_topic_is_decoded_as_one_piece_of_a_topic(chunks, settled):
    arrived, numbers = [], {"a": 0, "b": 0}
    for came, (topic, length) in enumerate(chunks):
        numbered = range(numbers[topic], numbers[topic] + length)
        arrived.append((topic, packed(Record(b"", (), b"", 0, offset) for offset in numbered), float(came)))
        numbers[topic] += length
    pieces = gathered(arrived, settled)
    for topic, count in numbers.items():
        assert [one for name, records, _ in pieces if name == topic for one in records.rows["offset"]] == list(
            range(count)
        )
        old = [came for name, _, came in arrived if name == topic and came <= settled]
        assert [came for name, _, came in pieces if name == topic and came <= settled] == old[:1]
    assert [came for *_, came in pieces if came > settled] == [came for *_, came in arrived if came > settled]
