"""What comes while something else is on its way: between threads, between tasks, from clocks that are wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest
from support.engines import batch, engine, frozen
from support.lanes import topic_of

from customers.partition import Told
from events.packed import Record, Records, packed
from streams.checkpoint import UnreadableError
from streams.live.exchange import Statement
from streams.live.journal import Covered
from streams.live.lane import Lane, LaneSettings
from streams.live.merge import Queue
from streams.live.population import WHERE, Population, statement_of
from streams.live.rereading import tick_of
from streams.live.topics import BILLING, EVENTS, USAGE
from streams.problems import EXITS

CENTURY_MS = 4_000_000_000_000


def record(kind: str, day: int, offset: int, **more: Any) -> Record:
    event = {
        "type": kind,
        "event_id": f"{kind}-{day}",
        "customer_id": "c",
        "occurred_at": f"2026-01-{day:02d}T00:00:00Z",
        **more,
    }
    assert topic_of(kind) in EVENTS
    return Record(msgspec.json.encode(event), (), b"c", CENTURY_MS, offset)


def usage(day: int, offset: int = 0) -> Record:
    return record("usage.recorded", day, offset, service="data", mb=1.0)


def bill(day: int, offset: int = 0) -> Record:
    return record("bill.issued", day, offset, bill_id=f"b{day}", amount=10.0)


def alone(align: float = 0.0) -> Lane:
    return Lane(0, 1, engine(model=frozen()), Covered({}, {}), (), LaneSettings(align, 0))


def spoken(lane: Lane, at: float) -> None:
    for topic in EVENTS:
        lane.drained(topic, at)


def test_a_topic_whose_last_records_came_while_others_were_decoded_is_waited_for() -> None:
    lane = alone()
    lane.accept(BILLING, packed([bill(20)]), came=1.0)
    decode = lane.intake._decode

    def slowly(*given: Any) -> None:
        if lane.received[USAGE] == 0:  # the loop goes on meanwhile
            lane.accept(USAGE, packed([usage(10)]), came=2.0)
            spoken(lane, at=3.0)
        decode(*given)

    lane.intake._decode = slowly  # type: ignore[method-assign]
    assert lane.work(4.0, 0) is None or lane.events == 0
    assert lane.merger.queues[BILLING].position == 0
    lane.work(4.0, 0)
    assert lane.events == 2
    assert lane.merger.queues[BILLING].position == 1


class Interrupted(Records):
    """Records that are counted while the loop takes in one more."""

    lane: Lane | None = None

    @property
    def count(self) -> int:
        lane, Interrupted.lane = self.lane, None
        if lane is not None:
            lane.accept(USAGE, packed([usage(11, 1)]), came=2.0)
        return super().count


def test_records_that_come_while_others_are_counted_are_counted_too() -> None:
    lane = alone()
    one = packed([usage(10)])
    first = Interrupted(one.raw, one.rows)
    lane.accept(USAGE, first, came=5.0)
    Interrupted.lane = lane
    lane.work(4.0, 0)
    assert lane.received[USAGE] == 2
    assert (lane.intake.pending(USAGE), lane.waiting) == (1, 2)


def test_what_came_late_is_not_taken_for_what_came_early_with_it() -> None:
    lane = alone(align=2.0)
    for topic in EVENTS:
        lane.drained(topic, 200.0)
    lane.drained(USAGE, 100.2)
    lane.accept(BILLING, packed([bill(5)]), came=90.0)
    lane.accept(BILLING, packed([bill(20, 1)]), came=150.0)
    lane.work(200.0, 0)
    assert lane.merger.queues[BILLING].position == 1  # of the second the broker has not spoken for usage yet


def test_one_date_in_the_future_holds_up_nothing_that_follows() -> None:
    queue = Queue(0, 0)
    events = batch([usage(20).value or b"", usage(10).value or b""])
    came = int(events.events["at"][1]) + 5_000_000
    events.events["at"][0] = came + 3_600_000_000
    events.events["clock"] = came
    queue.add(events, 2, came=0.0)
    assert queue.newest == came
    assert np.all(queue.chunks[0].turns <= came)


def test_a_date_that_will_be_refused_has_no_say_in_the_order() -> None:
    queue = Queue(0, 0)
    events = batch([usage(10).value or b"", usage(20).value or b"", usage(15).value or b""])
    first, _, third = events.events["at"].tolist()
    events.events["clock"] = third
    events.events["at"][1] = third + 86_400_000_001
    queue.add(events, 3, came=0.0)
    assert queue.chunks[0].turns.tolist() == [first, first, third]


class Broker:
    """A consumer whose read is on its way until it is let go on, and then brings what follows its position of then."""

    def __init__(self, statements: list[bytes]) -> None:
        self.statements, self.position = statements, len(statements)
        self.answer = asyncio.Event()

    async def getmany(self, *_: Any, **__: Any) -> dict[Any, list[Any]]:
        await self.answer.wait()
        self.answer.clear()
        found = [Record(value, (), b"", 0, offset) for offset, value in [*enumerate(self.statements)][self.position :]]
        self.position = len(self.statements)
        return {WHERE: found}

    def seek(self, _: Any, offset: int) -> None:
        self.position = offset


def statement(slot: int) -> Statement:
    return Statement(lane=1, since=slot, before=slot + 1, frontier=0, told=Told([], []))


def test_a_read_on_its_way_does_not_swallow_what_was_gone_back_for() -> None:
    async def heard() -> list[int]:
        told = [msgspec.json.encode(statement(k)) for k in range(5)]
        found: list[int] = []
        population = Population({}, lambda statement, _: found.append(statement.since), lambda: None)
        broker = Broker(told)
        population.consumer = broker  # type: ignore[assignment]
        reading = asyncio.create_task(population.run())
        await asyncio.sleep(0)  # it waits for the broker
        going_back = asyncio.create_task(population.read_from(2))
        await asyncio.sleep(0)
        for _ in range(4):
            broker.answer.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await going_back
        broker.answer.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        population.hand_on()
        reading.cancel()
        return found

    assert asyncio.run(heard()) == [2, 3, 4]


@pytest.mark.parametrize(
    ("read", "value", "said"),
    [
        (tick_of, b'{"to":1,"at":2,"positions":{},"epoch":0}', "missing required field `after`"),
        (tick_of, b"", "truncated"),
        (statement_of, b'{"lane":"x"}', "Expected `int`, got `str`"),
    ],
)
def test_what_another_version_wrote_ends_a_worker_with_one_line(read: Any, value: bytes, said: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        read(value, "churn.ticks.v1/3/17")
    assert str(refused.value).startswith("churn.ticks.v1/3/17: not what this version writes (")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert EXITS[UnreadableError] == 3
