"""What happens to topics and groups on a real broker while workers have state: one is made anew, the other forgotten."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import msgspec
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError
from support.redis_server import free_port
from support.workers import (
    PARTITIONS,
    Expected,
    Workers,
    page_of,
    produce,
    read_all,
    simulated,
    wait_drained,
    wait_until,
)

from streams.live.topics import USAGE

pytestmark = pytest.mark.xdist_group("kafka")


def applied(port: int) -> float:
    lines = page_of(port).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("churn_events_total{"))


def made_anew(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics([topic])

    def created() -> bool:
        try:
            admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        except KafkaError:
            return topic in admin.list_topics()  # a client that asked for it has made it
        return True

    wait_until(created)
    admin.close()


def again(line: bytes, number: int) -> bytes:
    """An event of the same customer right after, which was never there."""
    return msgspec.json.encode(msgspec.json.decode(line) | {"event_id": f"again-{number}"})


def test_a_topic_that_is_deleted_and_made_anew_is_read_from_its_beginning(empty: str, tmp_path: Path) -> None:
    lines, model = simulated(tmp_path, customers=30, days=8)
    usage = [line for line in lines if b'"usage.recorded"' in line]
    port = free_port()
    with Workers(empty, tmp_path, model, CHURN_HTTP_PORT=str(port)) as workers:
        workers.start()
        produce(empty, lines)
        wait_until(lambda: applied(port) == len(lines), 120)
        made_anew(empty, USAGE)
        more = [again(line, number) for number, line in enumerate(usage[-60:])]
        produce(empty, more)
        wait_until(lambda: applied(port) == len(lines) + len(more), 150)
        assert workers.stop_all() == [0]
    assert "it was deleted and made anew" in workers.logs()


def epochs(logs: str) -> list[int]:
    lines = [json.loads(line) for line in logs.splitlines() if "partition taken over" in line]
    return [one["epoch"] for one in lines if one["partition"] == 0]


def test_a_zombie_of_a_group_that_was_deleted_hides_no_checkpoint(empty: str, tmp_path: Path) -> None:
    expected = Expected(tmp_path, customers=120, days=30, seed=21)
    assert len(expected.decisions) > 20
    third = len(expected.lines) // 3
    with Workers(empty, tmp_path, expected.model) as workers:
        for _ in range(3):  # generations go up
            workers.start()
            workers.stop_all()
        zombie = workers.start()
        produce(empty, expected.lines[:third])
        assert not wait_drained(empty, 120), workers.logs()[-4000:]
        workers.kill(zombie, signal.SIGSTOP)
        admin = KafkaAdminClient(bootstrap_servers=empty)
        wait_until(
            lambda: admin.delete_groups(["churn"])["churn"] == "OK"
        )  # it has members until their session is over
        admin.close()
        workers.start()
        produce(empty, expected.lines[third : 2 * third])
        assert not wait_drained(empty, 120), workers.logs()[-4000:]
        zombie.send_signal(signal.SIGCONT)
        produce(empty, expected.lines[2 * third :])
        assert not wait_drained(empty, 200), workers.logs()[-4000:]
        workers.stop_all()
    found, _ = expected.compare(read_all(empty))
    assert not any(found.values()), found
    taken = epochs((tmp_path / "worker-4.log").read_text())[:1] + epochs((tmp_path / "worker-5.log").read_text())[:1]
    assert taken[1] > taken[0]
