"""Outcomes on their way to Kafka."""

from __future__ import annotations

import json

import msgspec
import pytest
import redis
from support.warnings_made import MINUTE, Clock, warning

from events.decode import decode
from sinks.queues import keys, work
from sinks.queues.delivery import Delivery
from sinks.queues.outbox import Outbox
from sinks.queues.work import NotNowError, Resolution, Work


def test_an_outcome_is_an_event_of_the_contract(delivery: Delivery, work: Work, outbox: Outbox) -> None:
    delivery.deliver([warning(account_id="household")])
    said = Resolution(outcome="retained", cause="network", offer="10 GB", offer_cost=12.5, note="信号已修复")
    work.claim("w1", "李")
    work.resolve("w1", said, "李")

    (outcome,) = outbox.read()
    assert json.loads(outcome.event) == {
        "type": "care.resolved", "event_id": "care-w1-1", "customer_id": "customer-w1", "account_id": "household",
        "occurred_at": "2026-01-01T00:00:00.000000Z", "source": "care-queue", "warning_id": "w1", "outcome": "retained",
        "cause": "network", "offer": "10 GB", "offer_cost": 12.5, "agent": "李", "note": "信号已修复",
    }  # fmt: skip
    batch = decode(outcome.event + b"\n", "outbox", received_at="2026-01-02T00:00:00Z")
    assert len(batch.events) == 1
    assert not batch.dead


def test_what_is_not_said_is_not_in_the_event(delivery: Delivery, work: Work, outbox: Outbox) -> None:
    delivery.deliver([warning()])
    work.resolve("w1", Resolution(outcome="declined"))

    assert not {"account_id", "agent", "cause", "note", "offer"} & msgspec.json.decode(outbox.read()[0].event).keys()


def test_it_is_read_again_until_it_is_done(delivery: Delivery, work: Work, outbox: Outbox) -> None:
    delivery.deliver([warning("w1"), warning("w2")])
    for one in ("w1", "w2"):
        work.resolve(one, Resolution(outcome="retained"), "li")

    first = outbox.read()
    assert outbox.read() == first
    outbox.done(first[:1])
    outbox.done(first[:1])
    assert outbox.read() == first[1:]
    assert outbox.waiting() == {"care": 1}


def test_one_can_read_ahead_of_what_is_done(delivery: Delivery, work: Work, outbox: Outbox) -> None:
    delivery.deliver([warning(f"w{n}", queue="care" if n % 2 else "desk") for n in range(6)])
    for n in range(6):
        work.resolve(f"w{n}", Resolution(outcome="retained"), "li")

    read, after = [], dict[str, str]()
    while some := outbox.read(count=2, after=after):
        read += some
        after |= {outcome.queue: outcome.entry for outcome in some}
    assert sorted(json.loads(outcome.event)["warning_id"] for outcome in read) == [f"w{n}" for n in range(6)]
    assert [outcome.entry for outcome in outbox.read()] == sorted(outcome.entry for outcome in read)


def test_every_outcome_of_an_item_has_an_id_of_its_own(
    delivery: Delivery, work: Work, outbox: Outbox, clock: Clock
) -> None:
    delivery.deliver([warning()])
    for outcome in ("unreachable", "callback", "retained"):
        work.claim("w1", "li")
        work.resolve("w1", Resolution(outcome=outcome), "li")
        clock.pass_by(MINUTE)

    ids = [json.loads(outcome.event)["event_id"] for outcome in outbox.read()]
    assert ids == ["care-w1-1", "care-w1-2", "care-w1-3"]


def test_a_full_outbox_refuses_and_nothing_changes(
    delivery: Delivery, outbox: Outbox, client: redis.Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MOST_WAITING", 1)
    mine = Work(client, clock)
    delivery.deliver([warning("w1"), warning("w2")])
    mine.resolve("w1", Resolution(outcome="retained"), "li")

    with pytest.raises(NotNowError, match="is a worker running"):
        mine.resolve("w2", Resolution(outcome="retained"), "li")
    assert client.xlen(keys.outcomes("care")) == 1
    assert mine.queues.find("w2").state == "ready"
