"""However decisions arrive and whoever claims in between, the queues end as the newest revisions say."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import examples
from support.warnings_made import TIERS, Clock, cleared, warning

from rules.early_warning import EarlyWarning
from sinks.queues import keys
from sinks.queues.connection import connect
from sinks.queues.delivery import Delivery
from sinks.queues.looking import NoSuchItemError, Queues
from sinks.queues.work import CLAIM_MS, NotNowError, Work

QUEUES = ("care", "high-value")
OPEN = ("raised", "elevated")
TIMES = (None, "2026-01-01T09:00:00Z", "2026-01-01T09:00:00.001Z", "2026-01-05T18:00:00Z")


@st.composite
def episodes(draw: st.DrawFn) -> list[EarlyWarning]:
    """All decisions on some customers, each episode in its order."""
    decisions = []
    for number in range(draw(st.integers(1, 5))):
        one, out = f"w{number}", draw(st.integers(0, 5)) == 0
        routes = draw(st.lists(st.tuples(st.sampled_from(QUEUES), st.sampled_from(TIMES)), min_size=1, max_size=3))
        decisions += [
            warning(one, rank + 1, tier=TIERS[rank], queue=queue, held_out=out, ack_by=time)
            for rank, (queue, time) in enumerate(routes)
        ]
        last = decisions[-1]
        if draw(st.booleans()):
            decisions.append(cleared(one, last.revision + 1, tier=last.tier, queue=last.queue, held_out=out))
    return decisions


@st.composite
def histories(draw: st.DrawFn) -> list[list[EarlyWarning] | tuple[str, str]]:
    """Batches of decisions in any order, with repetitions and with some that never come, and steps of agents."""
    decisions = draw(episodes())
    arrivals = draw(st.lists(st.sampled_from(decisions), min_size=1, max_size=20))
    history: list[list[EarlyWarning] | tuple[str, str]] = []
    while arrivals:
        size = draw(st.integers(1, 4))
        history.append(arrivals[:size])
        arrivals = arrivals[size:]
        if draw(st.booleans()):
            history.append((draw(st.sampled_from(("claim", "claim next", "release", "time"))),
                            draw(st.sampled_from(decisions)).warning_id))  # fmt: skip
    return history


def urgency(decision: EarlyWarning) -> tuple[bool, float, int, str]:
    due = float("inf") if decision.ack_by is None else datetime.fromisoformat(decision.ack_by).timestamp()
    return decision.tier != TIERS[-1], due, -TIERS.index(decision.tier), decision.warning_id


def act(work: Work, clock: Clock, step: str, warning_id: str) -> None:
    try:
        if step == "time":
            clock.pass_by(CLAIM_MS // 2)
        elif step == "claim":
            work.claim(warning_id, "li")
        elif step == "release":
            work.release(warning_id)
        else:
            work.claim_next("li")
    except (NotNowError, NoSuchItemError):
        pass


def indexed(client: redis.Redis) -> list[tuple[str, str]]:
    """Every place in every index, as (item, state)."""
    of_state = {"ready": keys.ready, "later": keys.later, "claimed": keys.claimed}
    return [
        (item, state)
        for queue in QUEUES
        for state, key in of_state.items()
        for item in client.zrange(key(queue), 0, -1)
    ]


@given(history=histories())
@settings(max_examples=examples(150), deadline=None)
def test_the_newest_revisions_make_the_queue(
    redis_url: str, history: list[list[EarlyWarning] | tuple[str, str]]
) -> None:
    with connect(redis_url) as client:
        client.flushdb()
        clock = Clock()
        delivery, work, queues = Delivery(client, TIERS, clock=clock), Work(client, clock), Queues(client, clock)
        newest: dict[str, EarlyWarning] = {}
        for step in history:
            if isinstance(step, tuple):
                act(work, clock, *step)
                continue
            delivery.deliver(step)
            for decision in step:
                if not decision.held_out:
                    known = newest.get(decision.warning_id, decision)
                    newest[decision.warning_id] = max(known, decision, key=lambda one: one.revision)
            open_now = {one.warning_id for one in newest.values() if one.status in OPEN}
            assert {item for item, _ in indexed(client)} == open_now
            assert len(indexed(client)) == len(open_now)

        clock.pass_by(CLAIM_MS)
        expected = sorted((one for one in newest.values() if one.status in OPEN), key=urgency)
        found = list(queues.listed())
        assert [(item.warning_id, item.revision, item.queue, item.state) for item in found] == [
            (one.warning_id, one.revision, one.queue, "ready") for one in expected
        ]
        for queue in QUEUES:
            entries = [fields for _, fields in client.xrange(keys.stream(queue)) if fields["status"] != "moved"]
            for one in newest:
                revisions = [int(fields["revision"]) for fields in entries if fields["warning_id"] == one]
                assert all(before < after for before, after in pairwise(revisions))
        client.flushdb()
