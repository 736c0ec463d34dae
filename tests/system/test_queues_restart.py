"""Redis dies in the middle of the work and comes back: with the caller's retry nothing is lost and nothing doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.queue_streams import streamed
from support.redis_server import RedisServer, needs_redis
from support.warnings_made import TIERS, cleared, warning

from rules.early_warning import EarlyWarning
from sinks.queues.connection import QueuesUnavailableError, connect
from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues
from sinks.queues.outbox import Outbox
from sinks.queues.work import NotNowError, Resolution, Work

EPISODES = 1_500
KILLS = 4
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


def stream_of_decisions() -> list[EarlyWarning]:
    """Every episode is raised; every second is elevated, some to another queue; every third is cleared."""
    decisions: list[EarlyWarning] = []
    for number in range(EPISODES):
        one = f"w{number:05}"
        queue = "high-value" if number % 10 == 0 else "care"
        decisions.append(warning(one, 1, tier="watch"))
        if number % 2 == 0:
            decisions.append(warning(one, 2, tier="critical", queue=queue))
        if number % 3 == 0:
            decisions.append(cleared(one, 3, queue=queue if number % 2 == 0 else "care"))
    return sorted(decisions, key=lambda one: one.revision)


def insisting(step: Callable[[], object]) -> None:
    """As a worker does: what was not taken is given again until it is."""
    while True:
        try:
            step()
        except QueuesUnavailableError:
            continue
        return


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    needs_redis()
    decisions = stream_of_decisions()
    taken = threading.Semaphore(0)
    with RedisServer(tmp_path, "--appendonly", "yes") as server, connect(server.url) as worker_client:
        delivery = Delivery(worker_client, TIERS)

        def deliver() -> None:
            for first in range(0, len(decisions), 50):
                batch = decisions[first : first + 50]
                insisting(lambda batch=batch: delivery.deliver(batch))
                taken.release()
            delivery.deliver([])

        worker = threading.Thread(target=deliver)
        worker.start()
        batches = -(-len(decisions) // 50)
        for _ in range(KILLS):
            for _ in range(batches // (KILLS + 1)):
                taken.acquire()
            server.kill()
            server.start()
        worker.join()

        with connect(server.url) as client:
            newest = {one.warning_id: one for one in sorted(decisions, key=lambda one: one.revision)}
            expected = {one.warning_id: one.queue for one in newest.values() if one.status in ("raised", "elevated")}
            found = list(Queues(client).listed())
            assert {item.warning_id: item.queue for item in found} == expected
            assert len(found) == len(expected)
            assert streamed(client) == Counter((one.warning_id, one.revision) for one in decisions)


def test_an_outcome_that_was_confirmed_is_there_after_a_crash(tmp_path: Path) -> None:
    needs_redis()
    with RedisServer(tmp_path, *DURABLE) as server:
        with connect(server.url) as client:
            Delivery(client, TIERS).deliver([warning(f"w{n}") for n in range(60)])
        for number in range(60):
            if number % 20 == 10:
                server.kill()
                server.start()
            with connect(server.url) as client:
                Work(client).resolve(f"w{number}", Resolution(outcome="retained", note="已挽留"), "li")
        server.kill()
        server.start()
        with connect(server.url) as client:
            events = [outcome.event for outcome in Outbox(client).read()]
            assert len(events) == 60
            assert all("已挽留" in event.decode() for event in events)
            assert list(Queues(client).listed()) == []


def test_a_claim_survives_a_crash_and_has_one_holder(tmp_path: Path) -> None:
    needs_redis()
    with RedisServer(tmp_path, *DURABLE) as server:
        with connect(server.url) as client:
            Delivery(client, TIERS).deliver([warning()])
            Work(client).claim("w1", "li")
        server.kill()
        server.start()
        with connect(server.url) as client, pytest.raises(NotNowError, match="w1 is claimed by li"):
            Work(client).claim("w1", "wang")


def test_what_redis_confirmed_and_lost_is_delivered_again(tmp_path: Path) -> None:
    needs_redis()
    with RedisServer(tmp_path) as server, connect(server.url) as client:  # writes nothing to disk
        delivery = Delivery(client, TIERS)
        delivery.deliver([warning("w1"), warning("w2", queue="high-value")])
        delivery.deliver([warning("w1", 2, tier="critical")])
        server.kill()
        server.start()
        insisting(lambda: delivery.deliver([]))

        assert [(item.warning_id, item.revision) for item in Queues(client).listed()] == [("w1", 2), ("w2", 1)]
        assert delivery.deliver([warning("w3")]).new == 1
