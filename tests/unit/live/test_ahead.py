"""What a worker reads ahead: so many bytes, however many partitions there are and whatever records unpack to."""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from events.packed import Record, joined, packed
from streams.live.ahead import MEGABYTE, bytes_of, fetched_at_once, share_of
from streams.live.delivery import Outbox
from streams.live.intake import MOST_WAITING
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.merge import NEVER
from streams.live.pieces import Fetched, Piece, kept
from streams.live.tenancy import Tenancy
from streams.live.topics import BILLING, EVENTS, USAGE

WHERE = TopicPartition(USAGE, 0)


def batch(base: int, values: list[bytes], codec: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, 0, 0, 1 << 24)
    for number, value in enumerate(values):
        builder.append(number, 5, b"c", value, [])
    raw = bytearray(builder.build())
    raw[:8] = base.to_bytes(8, "big")
    return bytes(raw)


def client_of(raw: bytes, fetch_offset: int = 0) -> PartitionRecords:
    return PartitionRecords("t/0", kept(raw), [], fetch_offset, None, None, True, 1)


def log(lengths: list[tuple[int, int, int]]) -> bytes:
    raw, base = b"", 0
    for records, length, codec in lengths:
        raw += batch(base, [b"x" * length] * records, codec)
        base += records
    return raw


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 300), st.sampled_from([0, 2, 3])), min_size=1, max_size=8),
    st.integers(1, 2_000),
    st.integers(0, 3),
)
def test_in_stretches_there_are_the_same_records_and_none_is_longer_than_asked_for_by_more_than_a_batch(
    lengths: list[tuple[int, int, int]], most: int, skipped: int
) -> None:
    raw, offset = log(lengths), min(skipped, lengths[0][0])
    [whole] = [*Piece(client_of(raw, offset))] or [None]
    stretches = [*Piece(client_of(raw, offset), most)]
    largest = max(61 + records * (length + 20) for records, length, _ in lengths)
    assert all(len(one.records.raw) < most + largest for one in stretches)
    assert [one.since for one in stretches] == [offset, *(one.until for one in stretches[:-1])][: len(stretches)]
    if whole is None:
        assert stretches == []
        return
    assert stretches[-1].until == whole.until
    records = joined([one.records for one in stretches])
    assert [records.at(k) for k in range(records.count)] == [whole.records.at(k) for k in range(whole.records.count)]


class Assignment:
    """Where the client is, as its own results ask and say."""

    active = True

    def __init__(self) -> None:
        self.paused, self.position = False, 0

    def state_value(self, _where: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def test_a_poll_gives_one_stretch_and_the_position_follows() -> None:
    assignment, fetched = Assignment(), Fetched(1_000)
    records = client_of(log([(10, 100, 3)] * 3))
    fetched[WHERE] = FetchResult(WHERE, assignment=assignment, partition_records=records, backoff=0)
    result, found = fetched[WHERE], []
    while result.has_more():
        [given] = result.getall(500)
        found += given.records.rows["offset"].tolist()
        assert assignment.position == given.until == found[-1] + 1
        assert result.has_more() == (given.until < 30)  # and when not, the client asks the broker at once
    assert found == [*range(30)]
    assert result.getall() == []


def test_what_was_sought_away_from_is_not_given() -> None:
    assignment, fetched = Assignment(), Fetched(1_000)
    records = client_of(log([(10, 100, 0)] * 3))
    fetched[WHERE] = FetchResult(WHERE, assignment=assignment, partition_records=records, backoff=0)
    assert len(fetched[WHERE].getall()) == 1
    assignment.position = 3
    assert fetched[WHERE].getall() == []
    assert not fetched[WHERE].has_more()


def usage(offset: int, size: int) -> Record:
    text = b'{"type":"usage.recorded","event_id":"%d","customer_id":"c","service":"data","mb":1,' % offset
    return Record(text + b'"occurred_at":"2026-01-01T00:00:00Z","x":"%s"}' % (b"x" * size), (), b"c", 0, offset)


def tenancy() -> Tenancy:
    lane = Lane(0, 1, SimpleNamespace(publishes=False), Covered({}, {}), [], LaneSettings(0.0, 0))
    return Tenancy(lane, Outbox(None, {}, print), Kept(None, Covered({}, {}), None), set())


def given(first: int, count: int, size: int) -> Any:
    raw = batch(first, [usage(offset, size).value for offset in range(first, first + count)], 3)
    [one] = Piece(client_of(raw, first))
    return one


@pytest.mark.parametrize("partitions", [1, 16, 100])
def test_many_partitions_with_large_backlogs_take_no_more_than_is_said(partitions: int) -> None:
    async def reading() -> None:
        total = 64 * MEGABYTE
        fetched = fetched_at_once(total, partitions)
        share = share_of(total, partitions, fetched)
        tenancies, shared = [tenancy() for _ in range(min(partitions, 3))], []
        size, count = 20_000, max(1, fetched // 20_000)
        for one in tenancies:
            for topic in EVENTS:
                offset, way = 0, deque[Any]()
                while one.has_room(topic, share):
                    piece = given(offset, count, size)
                    one.hand(topic, piece)
                    way.append(piece)
                    if len(way) > offset // count // 2:  # half of them are still on their way
                        assert one.accept(topic, way.popleft())
                        one.lane.intake.decode(1.0, None, "")
                    offset += count
                shared.append(one.on_way[topic] + one.lane.intake.size(topic))
                assert offset > 0
            await one.close()
        batch_too = count * (size + 500)  # of each one batch more than was asked for
        assert max(shared) <= share + fetched + batch_too
        assert (max(shared) - batch_too + fetched) * len(EVENTS) * partitions <= total

    asyncio.run(reading())


def test_a_topic_that_waits_for_another_takes_no_room_from_it_and_has_room_again_when_it_went() -> None:
    async def waiting() -> None:
        one, share = tenancy(), MEGABYTE
        offset = 0
        while one.has_room(USAGE, share):
            piece = given(offset, 10, 10_000)
            one.hand(USAGE, piece)
            assert one.accept(USAGE, piece)
            one.lane.intake.decode(0.0, None, "")
            offset += 10
        assert one.on_way[USAGE] == 0
        assert one.lane.merger.waiting == offset < MOST_WAITING
        assert one.has_room(BILLING, share)
        one.lane.merger.release(1.0, 1_000_000, NEVER, NEVER)
        assert one.lane.intake.size(USAGE) == 0
        assert one.has_room(USAGE, share)
        await one.close()

    asyncio.run(waiting())


def test_what_waits_for_a_tick_counts_until_it_is_decoded() -> None:
    async def held() -> None:
        one = tenancy()
        piece = given(0, 10, 1_000)
        one.hand(USAGE, piece)
        assert one.accept(USAGE, piece)
        came = one.lane.intake.size(USAGE)
        assert came == bytes_of(piece.records)
        one.lane.intake.decode(1.0, {USAGE: 4}, "")
        assert one.lane.intake.size(USAGE) > came  # both parts refer to what came
        one.lane.intake.decode_later(None, "")
        assert one.lane.intake.size(USAGE) == one.lane.merger.queues[USAGE].size
        await one.close()

    asyncio.run(held())


def test_what_was_lost_on_the_way_is_forgotten_when_reading_begins_anew() -> None:
    async def anew() -> None:
        one = tenancy()
        one.hand(USAGE, given(0, 10, 1_000))
        assert not one.has_room(USAGE, 10_000)
        one.read_anew()
        assert one.has_room(USAGE, 10_000)
        assert one.accept(USAGE, given(0, 10, 1_000))
        assert one.on_way[USAGE] == 0
        await one.close()

    asyncio.run(anew())


def test_what_was_lost_on_the_way_takes_no_room_once_it_is_missed() -> None:
    async def missed() -> None:
        one = tenancy()
        first, second = given(0, 10, 1_000), given(10, 10, 1_000)
        one.hand(USAGE, first)
        one.hand(USAGE, second)
        assert not one.accept(USAGE, second)
        assert one.on_way[USAGE] == 0
        one.hand(USAGE, first)  # read again
        assert one.accept(USAGE, first)
        assert one.on_way[USAGE] == 0
        await one.close()

    asyncio.run(missed())


def test_a_piece_of_records_is_counted_with_its_rows() -> None:
    records = packed([Record(b"abc", (), b"k", 0, 0)])
    assert bytes_of(records) == len(records.raw) + records.rows.nbytes
