"""What people do with items."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis
from support.warnings_made import MINUTE, Clock, cleared, warning

from sinks.queues import keys
from sinks.queues.delivery import Delivery
from sinks.queues.looking import Counts, NoSuchItemError, Queues
from sinks.queues.work import ACK_MS, CLAIM_MS, COME_BACK, HOUR_MS, NotNowError, Resolution, Work


def at(clock: Clock, milliseconds: int) -> str:
    then = datetime.fromtimestamp(clock.now / 1000, UTC) + timedelta(milliseconds=milliseconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def states(queues: Queues) -> dict[str, str]:
    return {item.warning_id: item.state for item in queues.listed()}


def test_the_most_urgent_of_all_queues_is_claimed_first(delivery: Delivery, work: Work, clock: Clock) -> None:
    delivery.deliver([warning("w1", ack="12:00"), warning("w2", ack="11:00", queue="high-value")])

    first, second = work.claim_next("li"), work.claim_next("wang")
    assert (first.warning_id, first.agent, first.claimed_until) == ("w2", "li", at(clock, CLAIM_MS))
    assert second.warning_id == "w1"
    with pytest.raises(NotNowError, match="nothing to claim"):
        work.claim_next("li")


def test_a_claim_can_be_for_some_queues_and_tiers(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning("w1", ack="09:00"), warning("w2", tier="watch"), warning("w3", queue="high-value")])

    assert work.claim_next("li", tiers=["watch"]).warning_id == "w2"
    assert work.claim_next("li", queues=["high-value"]).warning_id == "w3"
    with pytest.raises(NotNowError):
        work.claim_next("li", queues=["care"], tiers=["critical"])


def test_an_item_is_claimed_once_even_by_the_same_agent(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")

    for agent in ("wang", "li"):
        with pytest.raises(NotNowError, match="w1 is claimed by li"):
            work.claim("w1", agent)


def test_of_many_who_claim_at_once_each_item_has_one_winner(
    delivery: Delivery, client: redis.Redis, redis_url: str
) -> None:
    delivery.deliver([warning(f"w{number}") for number in range(40)])

    def claim_all(agent: str) -> list[str]:
        own, won = Work(client), []
        while True:
            try:
                won.append(own.claim_next(agent).warning_id)
            except NotNowError:
                return won

    with ThreadPoolExecutor(8) as threads:
        won = [one for of_agent in threads.map(claim_all, [f"agent {n}" for n in range(8)]) for one in of_agent]
    assert sorted(won) == sorted(f"w{number}" for number in range(40))


def test_a_claim_runs_out_and_the_item_is_there_for_others(delivery: Delivery, work: Work, clock: Clock) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    clock.pass_by(CLAIM_MS)

    assert work.claim("w1", "wang").agent == "wang"
    with pytest.raises(NotNowError, match="claimed by wang"):
        work.ack("w1", "li")


def test_a_claim_that_ran_out_cannot_be_acknowledged(delivery: Delivery, work: Work, clock: Clock) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    clock.pass_by(CLAIM_MS)

    for step in (work.ack, work.release):
        with pytest.raises(NotNowError, match="w1 is not claimed"):
            step("w1", "li")


def test_an_item_that_is_to_come_back_later_can_be_claimed_before(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])
    work.resolve("w1", Resolution(outcome="callback"), "li")
    work.claim("w1", "wang")

    assert work.queues.counts()["care"] == Counts(ready=0, later=0, claimed=1, overdue=0)


def test_an_acknowledged_claim_lasts_longer_and_is_due_to_be_resolved(
    delivery: Delivery, work: Work, clock: Clock
) -> None:
    delivery.deliver([warning()])
    assert work.claim("w1", "li").due == "2026-01-01T10:00:00.000000Z"
    item = work.ack("w1", "li")

    assert (item.acked_at, item.claimed_until) == (at(clock, 0), at(clock, ACK_MS))
    assert item.due == "2026-01-02T10:00:00.000000Z"
    clock.pass_by(ACK_MS - 1)
    assert states(work.queues) == {"w1": "claimed"}


def test_only_the_holder_acknowledges_and_releases(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])
    for step in (work.ack, work.release):
        with pytest.raises(NotNowError, match="not claimed"):
            step("w1", "li")
    work.claim("w1", "li")
    for step in (work.ack, work.release):
        with pytest.raises(NotNowError, match="claimed by li"):
            step("w1", "wang")

    assert work.release("w1").state == "ready"


def test_a_released_item_has_its_place_again(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning("w1", ack="09:00"), warning("w2", ack="10:00")])
    work.claim("w1", "li")
    work.release("w1", "li")

    assert list(states(work.queues)) == ["w1", "w2"]
    assert work.queues.find("w1").agent is None


def test_a_released_item_that_was_acknowledged_is_due_to_be_resolved(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    work.ack("w1", "li")

    assert work.release("w1", "li").due == "2026-01-02T10:00:00.000000Z"


@pytest.mark.parametrize("outcome", ["retained", "declined", "do_not_contact", "false_alarm", "already_left"])
def test_these_outcomes_end_the_item(delivery: Delivery, work: Work, outcome: str) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    item = work.resolve("w1", Resolution(outcome=outcome), "li")

    assert (item.state, item.outcome, item.agent) == ("resolved", outcome, "li")
    assert states(work.queues) == {}
    for again in (lambda: work.resolve("w1", Resolution(outcome=outcome), "li"), lambda: work.claim("w1", "li")):
        with pytest.raises(NotNowError, match=rf"w1 is resolved already \({outcome}\)"):
            again()


@pytest.mark.parametrize("outcome", sorted(COME_BACK))
def test_these_outcomes_bring_it_back_later(delivery: Delivery, work: Work, clock: Clock, outcome: str) -> None:
    delivery.deliver([warning("w1", ack="09:00"), warning("w2", ack="09:30")])
    work.claim("w1", "li")
    item = work.resolve("w1", Resolution(outcome=outcome), "li")

    assert (item.state, item.agent, item.tries, item.back_at) == ("later", None, 1, at(clock, COME_BACK[outcome]))
    assert item.acked_at == at(clock, 0)
    assert work.claim_next("li").warning_id == "w2"
    with pytest.raises(NotNowError, match="nothing to claim"):
        work.claim_next("li")
    work.resolve("w2", Resolution(outcome="retained"), "li")
    clock.pass_by(COME_BACK[outcome])
    assert (work.claim_next("wang").warning_id, states(work.queues)) == ("w1", {"w1": "claimed"})


def test_a_callback_is_due_when_it_was_promised(delivery: Delivery, work: Work, clock: Clock) -> None:
    delivery.deliver([warning("w1", ack="03:00"), warning("w2", ack="06:00")])
    work.claim("w1", "li")
    promised = clock.now + 5 * HOUR_MS
    work.resolve("w1", Resolution(outcome="callback", back_at=promised), "li")
    clock.pass_by(5 * HOUR_MS)

    item = work.claim_next("li")
    assert item.warning_id == "w1"
    assert [one.due for one in work.queues.listed(states=["ready"])] == ["2026-01-01T06:00:00.000000Z"]


def test_an_elevated_warning_does_not_wait_for_a_callback(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning(tier="watch")])
    work.claim("w1", "li")
    work.resolve("w1", Resolution(outcome="callback"), "li")
    delivery.deliver([warning("w1", 2, tier="critical", ack="01:00")])

    item = work.claim_next("wang")
    assert (item.warning_id, item.tier, item.acked_at) == ("w1", "critical", None)


def test_the_holder_keeps_an_item_that_is_elevated(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning(tier="watch")])
    work.claim("w1", "li")
    delivery.deliver([warning("w1", 2, tier="critical")])

    item = work.queues.find("w1")
    assert (item.state, item.agent, item.tier) == ("claimed", "li", "critical")


def test_the_holder_of_a_withdrawn_item_may_say_what_came_of_it_once(
    delivery: Delivery, work: Work, client: redis.Redis
) -> None:
    delivery.deliver([warning()])
    work.claim("w1", "li")
    delivery.deliver([cleared()])
    with pytest.raises(NotNowError):
        work.resolve("w1", Resolution(outcome="declined"), "wang")
    work.resolve("w1", Resolution(outcome="declined"), "li")

    assert client.xlen(keys.outcomes("care")) == 1
    with pytest.raises(NotNowError, match="withdrawn"):
        work.resolve("w1", Resolution(outcome="declined"), "li")


def test_an_unclaimed_item_can_be_resolved_in_one_step(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning()])

    assert work.resolve("w1", Resolution(outcome="false_alarm"), "li").claims == 1


def test_nothing_is_claimed_while_a_queue_is_paused(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning("w1"), warning("w2")])
    work.claim("w2", "li")
    work.queues.pause("care", "stock-taking")

    with pytest.raises(NotNowError, match="nothing to claim \\(paused: care\\)"):
        work.claim_next("li")
    with pytest.raises(NotNowError, match="queue care is paused"):
        work.claim("w1", "li")
    work.resolve("w2", Resolution(outcome="retained"), "li")
    delivery.deliver([warning("w3", ack="00:10")])
    assert work.queues.paused() == {"care": "stock-taking"}
    work.queues.resume("care")
    assert work.claim_next("li").warning_id == "w3"


def test_what_nobody_knows_is_said(delivery: Delivery, work: Work) -> None:
    for step in (
        lambda: work.claim("w9", "li"),
        lambda: work.ack("w9"),
        lambda: work.release("w9"),
        lambda: work.resolve("w9", Resolution(outcome="retained")),
    ):
        with pytest.raises(NoSuchItemError, match="w9: no such item in any queue"):
            step()
    with pytest.raises(NoSuchItemError, match="no queue care; there are: none yet"):
        work.queues.pause("care", "")


def test_counts_tell_what_is_overdue(delivery: Delivery, work: Work, clock: Clock) -> None:
    delivery.deliver(
        [
            warning("w1", ack="09:00"),
            warning("w2", ack="11:00"),
            warning("w3", ack="08:00", tier="critical"),
            warning("w4", ack="23:00", tier="critical"),
            warning("w5"),
            warning("w6"),
            warning("w7", ack_by=None),
        ]
    )
    work.claim("w5", "li", lease_ms=20 * HOUR_MS)
    work.resolve("w6", Resolution(outcome="callback"), "li")
    clock.pass_by(10 * HOUR_MS + MINUTE)

    assert work.queues.counts() == {"care": Counts(ready=5, later=1, claimed=1, overdue=2)}


def test_items_can_be_listed_by_queue_tier_and_state(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning("w1", tier="watch"), warning("w2", tier="critical"), warning("w3", queue="desk")])
    work.claim("w2", "li")

    def listed(**chosen: object) -> list[str]:
        return [item.warning_id for item in work.queues.listed(**chosen)]

    assert listed() == ["w3", "w1", "w2"]
    assert listed(queues=["desk"]) == ["w3"]
    assert listed(tiers=["watch", "critical"]) == ["w1", "w2"]
    assert listed(states=["claimed"]) == ["w2"]


def test_what_becomes_more_urgent_is_to_be_acknowledged_anew(delivery: Delivery, work: Work) -> None:
    delivery.deliver([warning(tier="watch")])
    work.claim("w1", "li")
    work.ack("w1", "li")
    work.release("w1", "li")
    delivery.deliver([warning("w1", 2, tier="warning", ack="09:00")])

    assert (work.queues.find("w1").acked_at, work.queues.find("w1").due) == (None, "2026-01-01T09:00:00.000000Z")


def test_an_outcome_is_not_given_for_a_claim_that_another_settled(
    delivery: Delivery, work: Work, client: redis.Redis
) -> None:
    delivery.deliver([warning()])
    before = work.queues.find("w1")
    work.resolve("w1", Resolution(outcome="callback"), "li")

    (answer,) = work._run([work._resolve(before, Resolution(outcome="declined"), "wang")])
    assert answer == ["changed"]  # and with what it is now, its event has an id of its own
    assert client.xlen(keys.outcomes("care")) == 1


def test_an_item_that_was_deleted_by_hand_is_in_nobodys_way(
    delivery: Delivery, work: Work, client: redis.Redis, clock: Clock
) -> None:
    delivery.deliver([warning("w1"), warning("w2")])
    work.claim("w1", "li")
    client.delete(keys.items("care") + "w1")
    clock.pass_by(CLAIM_MS)

    assert work.queues.counts()["care"] == Counts(ready=1, later=0, claimed=0, overdue=0)
    assert work.claim_next("li").warning_id == "w2"
