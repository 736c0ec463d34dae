"""A fault whose customers are spread over partitions is one incident, and holds in every partition, whoever dies in between."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import batch, copied, engine, frozen, ordered, said
from support.lanes import Cluster, records_of

from engine.engine import Engine, Step
from events.packed import Record
from events.times import time_of
from population.findings import Counted, unpacked
from population.holds import home_of
from population.incident import Incident
from population.tally import BILLS, SHOCKS, SIGNS
from streams.inputs import Reader
from streams.live.placement import partitions_of
from streams.live.seeding import Seeding

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
PARTITIONS = 4
MANY = [f"c{number}" for number in range(40)]


def build(saved: dict[str, Any] | None = None) -> Engine:
    made = engine(model=frozen())
    if saved is not None:
        made.restore(saved)
    return made


def event(hours: float, kind: str, customer: str, **fields: Any) -> dict[str, Any]:
    at = MONDAY + timedelta(hours=hours)
    return {"type": kind, "customer_id": customer, "occurred_at": at.isoformat(), **fields}


def use(hours: float, customer: str, *, failed: bool = False, cell: str = "A") -> dict[str, Any]:
    what = {"failed": 2} if failed else {"seconds": 60}
    return event(hours, "usage.recorded", customer, service="voice", cell_id=cell, **what)


def lines(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """In the order of their times, no two at one moment."""
    found = {one["occurred_at"]: one for one in sorted(events, key=lambda one: str(one["occurred_at"]))}
    return [json.dumps({"event_id": f"e{number}", **one}).encode() for number, one in enumerate(found.values())]


def outage() -> list[bytes]:
    """All use cell A, a dozen cell B; from 20:00 to 22:00 every call in A fails."""
    found = []
    for quarter in range(4 * 30):
        hours = quarter / 4
        for number, customer in enumerate(MANY):
            found.append(use(hours + number / 1000, customer, failed=20 <= hours < 22))
        found += [use(hours + 0.1 + number / 1000, f"d{number}", cell="B") for number in range(12)]
    return lines(found)


def peak() -> list[bytes]:
    """Three weeks of ordinary days, then a day on which thirty ask to leave."""
    found = [use(6 * step + number / 100, customer) for step in range(4 * 25) for number, customer in enumerate(MANY)]
    found += [event(24 * 21 + number / 10, "porting.requested", customer) for number, customer in enumerate(MANY[:30])]
    return lines(found)


def bills() -> list[bytes]:
    """Three monthly bills of 100, then one of 400 for everybody."""
    found = [use(24 * step + number / 100, customer) for step in range(97) for number, customer in enumerate(MANY)]
    for month, amount in enumerate([100, 100, 100, 400]):
        for number, customer in enumerate(MANY):
            bill = {"bill_id": f"{customer}-{month}", "amount": amount, "currency": "CNY"}
            found.append(event(24 * 30 * month + 8.005 + number / 100, "bill.issued", customer, **bill))
    return lines(found)


def reported() -> list[bytes]:
    """The network says what it is; one report of its end comes twice."""
    found = [use(quarter / 4 + number / 1000, one) for quarter in range(60) for number, one in enumerate(MANY)]
    for hours, status in ((9.1, "opened"), (10.1, "resolved"), (10.3, "resolved")):
        found.append(event(hours, "network.incident", "cell:A", cell_id="A", status=status))
    return lines(found)


def replayed(stream: Sequence[bytes]) -> list[Step]:
    """One engine of all customers."""
    made, whole = build(), batch(stream)
    return [made.step(whole, 0), made.advance(int(whole.events["at"].max()), 0)]


def alone(stream: Sequence[bytes]) -> list[Incident]:
    return [one for step in replayed(stream) for one in step.incidents]


def live(cluster: Cluster, stream: Sequence[bytes], hours: float = 0.25) -> None:
    """Events come as they happen, so many hours of them at a time."""
    turns = [(lane, topic) for lane in cluster.lanes for topic in cluster.records[lane]]
    times = [time_of(json.loads(line)["occurred_at"], "occurred_at") for line in stream]
    for until in range(times[0], times[-1] + int(hours * 3.6e9), int(hours * 3.6e9)):
        for lane, topic in turns:
            queue, start = cluster.records[lane][topic], cluster.lanes[lane].received[topic]
            fresh = 0
            while start + fresh < len(queue):
                at = json.loads(queue[start + fresh].value)["occurred_at"]
                if time_of(at, "occurred_at") > until:
                    break
                fresh += 1
            cluster.feed(lane, topic, fresh)
            cluster.lanes[lane].drained(topic, cluster.now)
        cluster.settle()


def spread(stream: Sequence[bytes]) -> Cluster:
    return Cluster(records_of(stream, PARTITIONS), build)


def same(ours: Sequence[Incident], others: Sequence[Incident]) -> None:
    """Revision by revision; the first and the last word in every number."""
    assert [(one.incident_id, one.status) for one in ours] == [(one.incident_id, one.status) for one in others]
    assert [one.revision for one in ours] == [*range(1, len(ours) + 1)]
    for one, other in zip(ours, others, strict=True):
        assert (one.kind, one.scope, one.started_at) == (other.kind, other.scope, other.started_at)
        assert (one.customers, one.high_value) == (other.customers, other.high_value)
        assert sorted(one.customer_ids) == sorted(other.customer_ids)
        assert one.suggested_notice == other.suggested_notice


@pytest.mark.parametrize("story", [outage, peak, bills, reported])
def test_one_incident_for_all_partitions_as_one_engine_would_find_it(story):
    stream = story()
    places = partitions_of([one.encode() for one in MANY], PARTITIONS)
    assert {*places.tolist()} == {*range(PARTITIONS)}
    expected = alone(stream)
    assert expected[0].status == "opened"
    cluster = spread(stream)
    live(cluster, stream, 0.25 if story in {outage, reported} else 12)
    same(cluster.incidents, expected)


@pytest.mark.parametrize("chunk", [40, 10**6])
def test_however_fast_the_partitions_read(chunk):
    stream = outage()
    cluster = spread(stream)
    cluster.run(chunk, 5)
    same(cluster.incidents, alone(stream))


def test_the_warnings_it_explains_are_held_in_every_partition():
    stream = outage()
    found = next(one for one in alone(stream) if one.status == "opened")
    cluster = spread(stream)
    live(cluster, stream)
    for lane in cluster.lanes.values():
        hold = lane.engine.watches.network.holds.by_home[home_of("A")]
        assert hold.incident_id == found.incident_id
    first = MONDAY + timedelta(hours=20.5)
    raised = [datetime.fromisoformat(one.raised_at) for one in cluster.decisions if one.status == "raised"]
    assert min(raised) < first
    assert max(raised) < first


@pytest.mark.parametrize("story", [outage, reported])
def test_partitions_that_keep_up_hold_what_one_engine_would(story):
    stream = story()
    cluster = spread(stream)
    live(cluster, stream)
    decisions = [said(one) for step in replayed(stream) for one in step.decisions]
    assert decisions
    assert ordered(map(said, cluster.decisions)) == ordered(decisions)


@pytest.mark.parametrize("story", [peak, bills])
def test_daily_counts_that_partitions_tell_add_up_to_all(story):
    stream = story()
    cluster = spread(stream)
    live(cluster, stream, 24)
    told = [unpacked(raw, Counted) for one in cluster.statements if one.said for _, raw in one.said.slots]
    counts = np.concatenate([np.frombuffer(one.counts, np.int64).reshape(-1, 5) for one in told])
    named = np.concatenate([np.frombuffer(one.named, np.int64).reshape(-1, 5) for one in told])
    expected = {SIGNS: 30} if story is peak else {BILLS: 160, SHOCKS: 40}
    assert {series: int(counts[counts[:, 0] == series, 4].sum()) for series in {*counts[:, 0].tolist()}} == expected
    for series in {SIGNS, SHOCKS} & expected.keys():
        assert len({*named[named[:, 0] == series, 4].tolist()}) == expected[series]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("story", [outage, reported])
def test_a_takeover_from_any_checkpoint_gives_no_second_incident_and_loses_none(story, seed):
    stream = story()
    cluster, dice = spread(stream), random.Random(seed)
    cluster.with_takeovers(dice, 1500, 30, 60, 0.4, [0, 0, *cluster.lanes])
    cluster.run(30, seed)
    once = {(one.incident_id, one.revision): one for one in cluster.incidents}
    assert all(one == once[one.incident_id, one.revision] for one in cluster.incidents)
    ours = sorted(once.values(), key=lambda one: (one.incident_id, one.revision))
    others = sorted(alone(stream), key=lambda one: (one.incident_id, one.revision))
    assert [(one.incident_id, one.revision) for one in ours] == [(one.incident_id, one.revision) for one in others]
    assert [one.customers for one in ours] == [one.customers for one in others]


def in_headers(record: Record) -> Record:
    """The same event as a CloudEvent in binary mode."""
    event = json.loads(record.value or b"")
    about = {"id": "event_id", "type": "type", "time": "occurred_at", "subject": "customer_id"}
    headers = [
        ("ce_specversion", b"1.0"),
        *((f"ce_{name}", event.pop(field).encode()) for name, field in about.items()),
    ]
    return record._replace(value=json.dumps(event).encode(), headers=headers)


def test_a_report_whose_half_is_in_headers_reaches_all_partitions():
    stream, records = reported(), records_of(reported(), PARTITIONS)
    for topics in records.values():
        for queue in topics.values():
            queue[:] = [in_headers(one) if b"network.incident" in (one.value or b"") else one for one in queue]
    cluster = Cluster(records, build)
    cluster.run()
    same(cluster.incidents, alone(stream))
    assert all(home_of("A") in lane.engine.watches.network.holds.by_home for lane in cluster.lanes.values())


def test_a_partition_that_nobody_works_on_does_not_hide_a_fault_from_the_others():
    stream = outage()
    cluster = spread(stream)
    dead = cluster.lanes.pop(3)
    cluster.run(200)
    assert cluster.incidents == []
    for lane in cluster.lanes.values():
        lane.exchange.go_without({3})
    cluster.settle()
    others = [
        one
        for one, place in zip(MANY, partitions_of([c.encode() for c in MANY], PARTITIONS), strict=True)
        if place != 3
    ]
    assert cluster.incidents[0].status == "opened"
    assert {*cluster.incidents[0].customer_ids} == {*others}
    assert dead.partition == 3


def test_a_state_of_before_goes_on_and_leaves_what_it_had_found_to_the_judge():
    stream = outage()
    cut = next(k for k, line in enumerate(stream) if b"T21:" in line)
    cluster = spread(stream)
    for lane in cluster.lanes:
        made = build()  # an engine as workers had it: each judged its own customers
        mine = [record.value for queue in cluster.records[lane].values() for record in queue]
        made.step(batch([line for line in stream[:cut] if line in {*mine}]), 0)
        positions = {
            topic: sum(record.value in {*stream[:cut]} for record in queue)
            for topic, queue in cluster.records[lane].items()
        }
        covered = cluster.lanes[lane].covered({}, 0)
        parts = copied(made.snapshot())
        assert not any(name.startswith(("judge.", "watches.telling")) for name in parts)
        old = type(covered)(positions, {}, clock=made.partition.clock)
        cluster.lanes[lane] = cluster.open(lane, old, parts)
    cluster.run(200)
    assert {one.status for one in cluster.incidents} <= {"opened", "resolved", "updated", "reopened"}
    assert all(not lane.merger.waiting for lane in cluster.lanes.values())


def test_history_is_judged_as_one(tmp_path: Path):
    stream = outage()
    cut = next(k for k, line in enumerate(stream) if b"T21:" in line)
    (tmp_path / "history.jsonl").write_bytes(b"\n".join(stream[:cut]) + b"\n")
    seeding = Seeding([build() for _ in range(PARTITIONS)])
    seeding.read_all([Reader(str(tmp_path / "history.jsonl"), "now")], lambda _done, _events: None)
    cluster = spread(stream[cut:])
    for lane in cluster.lanes:
        parts = copied(seeding.engines[lane].snapshot())
        cluster.lanes[lane] = cluster.open(lane, seeding.covered(lane, {}, {}, 0, 0), parts)
    live(cluster, stream[cut:])
    expected = alone(stream)
    assert [(one.incident_id, one.revision) for one in cluster.incidents] == [
        (one.incident_id, one.revision) for one in expected[1:]
    ]
    assert cluster.incidents[-1].customers == expected[-1].customers
