"""Decisions into the queues."""

from __future__ import annotations

import msgspec
import pytest
import redis
from support.warnings_made import SAID, TIERS, Clock, cleared, warning

from rules.early_warning import EarlyWarning, EpisodeStatus, StatusReason
from sinks.queues import keys
from sinks.queues.delivery import ITEM_BYTES, Delivered, Delivery, encoded
from sinks.queues.looking import Counts, NoSuchItemError, Queues
from sinks.queues.work import NotNowError, Resolution, Work


def ids(queues: Queues, *names: str) -> list[str]:
    return [item.warning_id for item in queues.listed(names)]


def stream(client: redis.Redis, queue: str = "care") -> list[tuple[str, int, str]]:
    entries = client.xrange(keys.stream(queue))
    return [(fields["warning_id"], int(fields["revision"]), fields["status"]) for _, fields in entries]


def test_a_warning_is_there_as_it_was_decided(delivery: Delivery, queues: Queues, client: redis.Redis) -> None:
    one = warning()
    assert delivery.deliver([one]) == Delivered(new=1, known=0, held_out=0)

    item = queues.find("w1")
    assert (item.state, item.queue, item.tier, item.revision) == ("ready", "care", "warning", 1)
    assert item.due == one.ack_by
    assert msgspec.convert(item.warning, EarlyWarning) == one
    assert item.warning["reasons"][0]["text"]["zh-CN"] == SAID["zh-CN"]
    assert stream(client) == [("w1", 1, "raised")]
    assert msgspec.json.decode(client.xrange(keys.stream("care"))[0][1]["warning"], type=EarlyWarning) == one


def test_the_top_tier_comes_first_then_what_is_due_first_then_the_higher_tier(
    delivery: Delivery, queues: Queues
) -> None:
    delivery.deliver(
        [
            warning("never", tier="warning", ack_by=None),
            warning("late", tier="warning", ack="12:00"),
            warning("soon, watch", tier="watch", ack="10:00"),
            warning("soon, warning", tier="warning", ack="10:00"),
            warning("critical", tier="critical", ack="13:00"),
            warning("critical, sooner", tier="critical", ack="12:30"),
        ]
    )

    assert ids(queues) == ["critical, sooner", "critical", "soon, warning", "soon, watch", "late", "never"]


def test_an_elevated_item_is_updated_and_not_doubled(delivery: Delivery, queues: Queues) -> None:
    delivery.deliver([warning("w1", ack="11:00"), warning("w2", ack="10:00")])
    delivery.deliver([warning("w1", 2, tier="critical", ack="11:00")])

    assert [(item.warning_id, item.revision, item.tier) for item in queues.listed()] == [
        ("w1", 2, "critical"),
        ("w2", 1, "warning"),
    ]


@pytest.mark.parametrize("status", [EpisodeStatus.CLEARED, EpisodeStatus.CLOSED])
def test_an_item_is_withdrawn_when_its_episode_ends(
    delivery: Delivery, queues: Queues, client: redis.Redis, status: EpisodeStatus
) -> None:
    delivery.deliver([warning(), cleared(status=status)])

    assert ids(queues) == []
    assert queues.find("w1").state == "withdrawn"
    assert queues.find("w1").warning == {}
    assert 0 < client.pttl(keys.items("care") + "w1") <= 7 * 86_400_000
    assert stream(client) == [("w1", 1, "raised"), ("w1", 2, status)]


def test_what_is_repeated_or_older_changes_nothing(delivery: Delivery, queues: Queues, client: redis.Redis) -> None:
    first, second = warning("w1", 1), warning("w1", 2, tier="critical")
    delivery.deliver([first, second])
    before = client.hgetall(keys.items("care") + "w1")

    assert delivery.deliver([first, second, second, first]) == Delivered(new=0, known=4, held_out=0)
    assert client.hgetall(keys.items("care") + "w1") == before
    assert len(stream(client)) == 2


def test_cleared_before_raised_raises_nothing(delivery: Delivery, queues: Queues) -> None:
    delivery.deliver([cleared("w1", 3)])
    delivery.deliver([warning("w1", 1), warning("w1", 2)])

    assert ids(queues) == []
    assert queues.find("w1").revision == 3


def test_held_out_decisions_arrive_nowhere(delivery: Delivery, client: redis.Redis) -> None:
    assert delivery.deliver([warning(held_out=True, queue="secret")]) == Delivered(new=0, known=0, held_out=1)
    assert [key for key in client.keys("*") if not key.startswith(keys.MARKS)] == []


def test_an_elevated_warning_may_go_to_another_queue(delivery: Delivery, queues: Queues, client: redis.Redis) -> None:
    delivery.deliver([warning("w1", 1), warning("w1", 2, queue="high-value")])

    assert ids(queues, "care") == []
    assert queues.counts()["care"] == Counts(0, 0, 0, 0)
    assert ids(queues, "high-value") == ["w1"]
    assert stream(client, "care") == [("w1", 1, "raised"), ("w1", 2, "moved")]
    assert stream(client, "high-value") == [("w1", 2, "elevated")]


@pytest.mark.parametrize("separately", [True, False])
def test_no_late_revision_brings_it_back_to_the_queue_it_left(
    delivery: Delivery, queues: Queues, separately: bool
) -> None:
    late = [warning("w1", 3, queue="desk", tier="critical"), warning("w1", 2, queue="high-value"), warning("w1", 1)]
    for batch in [[one] for one in late] if separately else [late]:
        delivery.deliver(batch)
    delivery.deliver(late)

    assert [(item.warning_id, item.queue) for item in queues.listed()] == [("w1", "desk")]


def test_a_claim_moves_with_its_item(delivery: Delivery, work: Work, client: redis.Redis, clock: Clock) -> None:
    delivery.deliver([warning()])
    held = work.claim("w1", "li")
    delivery.deliver([warning("w1", 2, queue="high-value", tier="critical")])

    item = work.queues.find("w1")
    assert (item.queue, item.state, item.agent, item.claimed_until) == (
        "high-value",
        "claimed",
        "li",
        held.claimed_until,
    )
    clock.pass_by(3_600_000)
    assert ids(work.queues, "high-value") == ["w1"]
    assert work.queues.find("w1").state == "ready"


def test_a_delivery_that_died_between_two_queues_is_repeated(
    delivery: Delivery, work: Work, client: redis.Redis
) -> None:
    second = warning("w1", 2, queue="high-value")
    delivery.deliver([warning()])
    work.claim("w1", "li")
    delivery._run(delivery._homes([second]))
    delivery._run(delivery._move(second, "care"))  # and here it dies

    delivery.deliver([warning(), second])
    item = work.queues.find("w1")
    assert (item.queue, item.state, item.agent) == ("high-value", "claimed", "li")


def test_what_people_resolved_stays_resolved_in_any_queue(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning("w1"), warning("w2")])
    for one in ("w1", "w2"):
        work.resolve(one, Resolution(outcome="retained"), "li")
    delivery.deliver([warning("w1", 2), warning("w2", 2, queue="high-value"), cleared("w1", 3)])

    assert ids(work.queues) == []
    assert work.queues.find("w1").state == work.queues.find("w2").state == "resolved"


def test_the_holder_of_a_withdrawn_item_keeps_its_text_until_the_end(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    delivery.deliver([cleared()])

    assert work.queues.find("w1").warning["customer_id"] == "customer-w1"
    with pytest.raises(NotNowError, match="withdrawn"):
        work.claim("w1", "wang")


def test_a_forgotten_customer_leaves_nothing_on_the_item(delivery: Delivery, work: Work, client: redis.Redis) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    delivery.deliver([cleared(status=EpisodeStatus.CLOSED, status_reason=StatusReason.FORGOTTEN)])

    assert "customer-w1" not in str(client.hgetall(keys.items("care") + "w1"))


def test_a_warning_that_is_too_long_loses_its_last_reasons(delivery: Delivery, queues: Queues) -> None:
    long = warning(reasons=warning().reasons * 500)
    delivery.deliver([long])

    kept = msgspec.convert(queues.find("w1").warning, EarlyWarning)
    assert 10 < len(kept.reasons) < 500
    assert kept.actions == long.actions
    assert len(encoded(long)) <= ITEM_BYTES


def test_streams_are_bounded(client: redis.Redis) -> None:
    delivery = Delivery(client, TIERS, stream_length=100)
    delivery.deliver([warning(f"w{number}") for number in range(1_000)])

    assert client.xlen(keys.stream("care")) < 300


def test_all_keys_of_a_queue_are_on_one_node_of_a_cluster(delivery: Delivery, work: Work, client: redis.Redis) -> None:
    delivery.deliver([warning("w1"), warning("w2"), warning("w3")])
    work.claim("w1", "li")
    work.resolve("w2", Resolution(outcome="callback"), "li")
    work.queues.pause("care", "stop")

    tags = {key.partition("{")[2].partition("}")[0] for key in client.keys("churn:*") if key != keys.QUEUES}
    assert tags == {"care", "home", ""}


def test_redis_may_forget_the_scripts(delivery: Delivery, queues: Queues, client: redis.Redis) -> None:
    delivery.deliver([warning("w1")])
    client.script_flush()
    delivery.deliver([warning("w2")])

    assert ids(queues) == ["w1", "w2"]


def test_queues_can_be_known_before_their_first_warning(delivery: Delivery, queues: Queues) -> None:
    delivery.register(["care", "high-value"])

    assert queues.names() == ["care", "high-value"]
    with pytest.raises(NoSuchItemError, match="no queue vip; there are: care, high-value"):
        queues.names(["vip"])


def test_a_claim_comes_back_with_its_item(delivery: Delivery, work: Work, client: redis.Redis) -> None:
    delivery.deliver([warning("w1", 1, tier="watch")])
    work.claim("w1", "li")
    delivery.deliver([warning("w1", 2, queue="high-value"), warning("w1", 3, tier="critical")])

    item = work.queues.find("w1")
    assert (item.queue, item.state, item.agent, item.tier, item.claims) == ("care", "claimed", "li", "critical", 1)
    assert ids(work.queues) == ["w1"]
    assert client.pttl(keys.items("care") + "w1") == -1  # it does not vanish as what had left would


def test_a_delivery_that_died_at_its_beginning_is_repeated_whole(delivery: Delivery, client: redis.Redis) -> None:
    both = [warning("w1", 1), warning("w1", 2)]
    delivery._run(delivery._homes(both))  # and here it dies

    assert delivery.deliver(both).new == 2
    assert stream(client) == [("w1", 1, "raised"), ("w1", 2, "elevated")]
