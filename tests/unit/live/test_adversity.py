"""What nobody promised never happens: topics that are made anew, grow, or lose what was not read yet; records of any kind."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.engines import engine, frozen

from events.packed import Record, packed
from events.records import decode_records
from events.times import rfc3339
from streams import clock
from streams.admit import FUTURE_TOLERANCE
from streams.live.delivery import Outbox
from streams.live.journal import Covered, Tick
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.merge import Queue
from streams.live.pieces import MOST_TRIES, Fetched, Given, kept
from streams.live.stamps import believable
from streams.live.taking_over import check_count
from streams.live.tenancy import Tenancy
from streams.live.topics import BILLING, EVENTS, USAGE, check_grown
from streams.live.transactions import Ends
from streams.problems import OutsideError, UsageError

NOW = 1_770_000_000_000_000
DAY = 86_400_000_000
END = (NOW // DAY + 1) * DAY
"""Of the day (UTC)."""
CENTURY_MS = 4_102_444_800_000


def usage(day: int, offset: int, timestamp: int = NOW // 1_000, **more: Any) -> Record:
    event = {
        "type": "usage.recorded", "event_id": f"u{day}-{offset}", "customer_id": "c", "service": "data", "mb": 1.0,
        "occurred_at": f"2026-01-{day:02d}T00:00:00Z", **more,
    }  # fmt: skip
    return Record(msgspec.json.encode(event), (), b"c", timestamp, offset)


def lane_of(covered: Covered, ticks: list[tuple[int, Tick]] | None = None) -> Lane:
    return Lane(0, 1, engine(model=frozen()), covered, ticks or [], LaneSettings(0.0, 0))


def tenancy_of(lane: Lane) -> Tenancy:
    return Tenancy(lane, Outbox(None, {}, print), Kept(None, Covered({}, {}), None), set())


def said_at_end(lane: Lane) -> None:
    for topic in EVENTS:
        lane.drained(topic, 100.0)


def work(lane: Lane) -> list[Any]:
    """All that can be done; gives the dead letters."""
    said_at_end(lane)
    dead = []
    for now in (50.0, 51.0, 52.0):
        output = lane.work(now, NOW)
        dead += output.dead if output is not None else []
    return dead


def after_tick() -> Lane:
    """A lane that has to do a tick again, which came after five records of usage that are not read yet."""
    return lane_of(Covered({}, {}), [(0, Tick(NOW, NOW, {USAGE: 5}, 0, 1))])


def test_a_tick_whose_events_were_deleted_before_they_were_read_is_done_all_the_same() -> None:
    lane = after_tick()
    work(lane)
    assert len(lane.known) == 1
    lane.cover(USAGE, 9)
    work(lane)
    assert (len(lane.known), lane.clock) == (0, NOW)
    assert lane.received[USAGE] == 9


def test_a_tick_waits_for_events_that_came_before_the_word_that_nothing_else_will() -> None:
    lane = after_tick()
    lane.accept(USAGE, packed([usage(10, offset) for offset in range(4)]), 1.0)
    lane.cover(USAGE, 5)
    work(lane)
    assert (lane.events, len(lane.known), lane.clock) == (4, 0, NOW)


def test_a_tick_behind_aborted_events_is_done() -> None:
    async def accepting() -> None:
        lane = after_tick()
        tenancy = tenancy_of(lane)
        assert tenancy.accept(USAGE, Given(packed([]), 0, 6, 0.0))
        work(lane)
        assert len(lane.known) == 0
        await tenancy.close()

    asyncio.run(accepting())


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    async def scene() -> None:
        lane = lane_of(Covered({USAGE: 5_000, BILLING: 7}, {}), [(0, Tick(NOW, NOW, {USAGE: 6_000}, 0, 1))])
        tenancy = tenancy_of(lane)
        tenancy.read_up_to(USAGE, 5_000, Ends(5_000, 5_000), 1.0)
        for position, end in ((None, 3), (5_000, 3), (3, None), (4_990, 5_010)):  # on its way, or a leader that lags
            assert not tenancy.begins_anew(USAGE, position, Ends(end, end))
        assert lane.received[USAGE] == 5_000
        tenancy.hand(USAGE, Given(packed([usage(10, 0), usage(11, 1), usage(12, 2)]), 0, 3, 0.0))
        assert tenancy.begins_anew(USAGE, 3, Ends(3, 3))
        assert not tenancy.begins_anew(USAGE, 3, Ends(3, 3))
        assert tenancy.accept(USAGE, Given(packed([usage(10, 0), usage(11, 1), usage(12, 2)]), 0, 3, 0.0))
        tenancy.read_up_to(USAGE, 3, Ends(3, 3), 100.0)
        assert lane.at_end(USAGE) is False
        work(lane)
        assert (lane.events, lane.merger.queues[USAGE].position, lane.clock) == (3, 3, NOW)
        assert not lane.known  # of the offsets of before
        assert tenancy.changed()
        await tenancy.close()

    asyncio.run(scene())


def test_a_topic_that_was_made_anew_and_is_empty_holds_nothing_up() -> None:
    async def scene() -> None:
        lane = lane_of(Covered({USAGE: 5_000}, {}))
        tenancy = tenancy_of(lane)
        tenancy.hand(USAGE, Given(packed([]), 5_000, 5_001, 0.0))
        lane.cover(USAGE, 5_001)
        assert tenancy.begins_anew(USAGE, 0, Ends(0, 0))
        tenancy.read_up_to(USAGE, 0, Ends(0, 0), 100.0)
        assert lane.at_end(USAGE)
        await tenancy.close()

    asyncio.run(scene())


def test_partitions_that_a_topic_has_not_had_end_a_worker() -> None:
    check_grown({(USAGE, 3), (BILLING, 0)}, 4)
    with pytest.raises(OutsideError, match=rf"{USAGE}: more partitions than the 4 there were"):
        check_grown({(USAGE, 4), (BILLING, 0)}, 4)


def test_a_state_of_another_number_of_partitions_is_not_taken_over() -> None:
    assert lane_of(Covered({}, {})).covered({}, 0).count == 1
    for known in (0, 8):
        check_count(Covered({}, {}, count=known), 3, 8)
    with pytest.raises(UsageError, match="partition 3 are of topics with 4 partitions, and there are 8"):
        check_count(Covered({}, {}, count=4), 3, 8)


class Assignment:
    """Where the client is."""

    active, paused, position = True, False, 0

    def state_value(self, _where: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(raw: bytes, into: Fetched, assignment: Assignment) -> FetchResult:
    where = TopicPartition(USAGE, 0)
    records = PartitionRecords(where, kept(raw), [], assignment.position, None, None, True, 1)
    into[where] = FetchResult(where, assignment=assignment, partition_records=records, backoff=0)
    return into[where]


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_a_batch_that_comes_damaged_is_fetched_again_until_the_broker_seems_to_have_it_so(codec: int) -> None:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, 0, 0, 1 << 20)
    builder.append(0, 5, b"k", b"v" * 100, [])
    good = bytes(builder.build())
    damaged = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    assignment, client = Assignment(), Fetched()
    with capture_logs() as said:
        for _ in range(MOST_TRIES - 1):
            result = fetched(damaged, client, assignment)
            assert result.getall() == []
            assert not result.has_more()  # so it is fetched again
        [given] = fetched(good, client, assignment).getall()
    assert (given.since, given.until, assignment.position) == (0, 1, 1)
    assert [(one["topic"], one["partition"]) for one in said] == [(USAGE, 0)] * (MOST_TRIES - 1)
    assignment.position = 0
    for _ in range(MOST_TRIES - 1):
        fetched(damaged, client, assignment).getall()
    last = fetched(damaged, client, assignment)
    with pytest.raises(CorruptRecordException, match="wrong checksum of the batch at offset 0"):
        last.getall()


def test_a_record_stamped_and_dated_in_2100_takes_no_clock_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    lies = {"occurred_at": "2099-12-31T00:00:00Z"}
    records = packed([usage(10, 0), usage(1, 1, CENTURY_MS, **lies), usage(1, 2, CENTURY_MS), usage(11, 3)])

    async def scene() -> None:
        lane = lane_of(Covered({}, {}))
        tenancy = tenancy_of(lane)
        with capture_logs() as said:
            assert tenancy.accept(USAGE, Given(records, 0, 4, 0.0))
        assert [one["records"] for one in said] == [2]
        dead = work(lane)
        assert [(one.reason, one.source) for one in dead] == [
            ("in_future", f"{USAGE}/0/1"),
            ("too_late", f"{USAGE}/0/2"),
        ]
        assert lane.events == 2
        assert lane.clock < NOW
        await tenancy.close()

    asyncio.run(scene())


def test_stamps_that_can_be_are_left_as_they_are() -> None:
    records = packed(
        [usage(10, 0), usage(10, 1, (NOW + DAY) // 1_000), usage(10, 2, (END + DAY) // 1_000), usage(10, 3, 1)]
    )
    assert believable(records, NOW) == (records, 0)
    assert believable(packed([]), NOW)[1] == 0


def test_stamps_that_cannot_be_and_none_are_as_of_the_end_of_the_day() -> None:
    records = packed([usage(10, 0), usage(10, 1, (END + DAY) // 1_000 + 1), usage(10, 2, -1), usage(10, 3, 0)])
    changed, ahead = believable(records, NOW)
    assert (ahead, changed.rows["timestamp"].tolist()) == (1, [NOW // 1_000] + [END // 1_000] * 3)


STAMPS = st.one_of(st.sampled_from([-1, 0, 1, CENTURY_MS]), st.integers(NOW // 1_000, (NOW + 5 * DAY) // 1_000))
DATES = st.integers(NOW - 2 * DAY, NOW + 5 * DAY)


def read_at(now: int, pairs: list[tuple[int, int]]) -> tuple[list[int], list[int], list[bool]]:
    """The turns of usage of these stamps (ms) and dates (µs) that is read now, when it came at the latest, what is refused."""
    made = [usage(1, k, stamp, occurred_at=rfc3339(at)) for k, (stamp, at) in enumerate(pairs)]
    batch = decode_records(believable(packed(made), now)[0], "t/0", received_at="")
    queue = Queue(0, 0)
    queue.add(batch, len(made), 0.0)
    at, came = batch.events["at"], batch.events["clock"]
    refused = at > came + FUTURE_TOLERANCE
    return queue.chunks[0].turns.tolist(), np.minimum(at, came).tolist(), refused.tolist()


@given(st.lists(st.tuples(STAMPS, DATES), min_size=1, max_size=6), st.integers(END - DAY, END - 1))
def test_a_record_read_again_the_same_day_has_the_same_turn_and_fate(pairs, later) -> None:
    assert read_at(later, pairs) == read_at(NOW, pairs)


@given(st.lists(st.tuples(STAMPS, DATES.filter(lambda at: at <= END)), min_size=1, max_size=6), st.integers(1, 900))
def test_what_is_dated_no_later_than_the_day_it_was_read_is_the_same_for_ever(pairs, days) -> None:
    assert read_at(NOW + days * DAY, pairs) == read_at(NOW, pairs)


def test_a_stamp_of_1970_refuses_its_own_events_alone_and_one_that_says_nothing_none() -> None:
    lane = lane_of(Covered({}, {}))
    lane.accept(
        USAGE, packed([usage(10, 0), usage(11, 1, 5_000), usage(11, 2, 0), usage(11, 3, -1), usage(12, 4)]), 1.0
    )
    dead = work(lane)
    assert [(one.reason, one.source) for one in dead] == [("in_future", f"{USAGE}/0/1")]
    assert "after the record's timestamp 1970-01-01" in dead[0].detail
    assert lane.events == 4


def test_tombstones_null_keys_and_giants_stop_nothing() -> None:
    lane = lane_of(Covered({}, {}))
    tombstone = Record(None, (), b"c", NOW // 1_000, 1)
    nobody = Record(None, (), None, NOW // 1_000, 2)
    unkeyed = usage(11, 3)._replace(key=None)
    giant = usage(11, 4, note="x" * 10_000_000)
    empty = Record(b"", (), b"c", NOW // 1_000, 5)
    lane.accept(USAGE, packed([usage(10, 0), tombstone, nobody, unkeyed, giant, empty, usage(12, 6)]), 1.0)
    dead = work(lane)
    assert sorted((one.reason, one.source) for one in dead) == [
        ("not_json", f"{USAGE}/0/1"),
        ("not_json", f"{USAGE}/0/2"),
        ("not_json", f"{USAGE}/0/5"),
        ("out_of_range", f"{USAGE}/0/3"),
        ("too_large", f"{USAGE}/0/4"),
    ]
    assert all(len(msgspec.json.encode(one)) < 500_000 for one in dead)
    assert lane.events == 2
    assert lane.merger.queues[USAGE].position == 7


def test_a_piece_of_nothing_but_tombstones_is_read_and_gone_on_behind() -> None:
    lane = lane_of(Covered({}, {}))
    lane.accept(USAGE, packed([Record(None, (), b"c", 5, offset) for offset in range(3)]), 1.0)
    assert [one.reason for one in work(lane)] == ["not_json"] * 3
    assert lane.merger.queues[USAGE].position == 3
