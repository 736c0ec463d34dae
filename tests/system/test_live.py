"""Workers on a real Kafka: the warnings of a replay, none missing and none doubled, whatever dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from support.daily import decoded, differences
from support.workers import (
    CHURN,
    PARTITIONS,
    Expected,
    Workers,
    churn,
    produce,
    read_all,
    wait_drained,
    wait_until,
)

from streams.live.topics import BILLING, INCIDENTS

NEIGHBOURS = [f"neighbour-{number}" for number in range(30)]
pytestmark = pytest.mark.xdist_group("kafka")


def test_workers_that_are_killed_paused_and_stopped_say_and_record_what_a_replay_does(empty, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_PSEUDONYM_KEY", "geheim")
    rows = tmp_path / "rows"
    expected = Expected(tmp_path, customers=120, days=30, seed=21)
    lines = expected.lines
    assert len(expected.decisions) > 20
    churn("replay", tmp_path / "events.jsonl", "--model", expected.model, "--feature-rows", tmp_path / "replayed")
    with Workers(empty, tmp_path, expected.model, CHURN_FEATURE_ROWS=str(rows)) as workers:
        dice = random.Random(3)
        for _ in range(2):
            workers.start()
        size = len(lines) // 5 + 1
        slices = [lines[start : start + size] for start in range(0, len(lines), size)]
        paused = None
        for number, part in enumerate(slices):
            produce(empty, part)  # what comes next, comes into a backlog
            victim = dice.choice([one for one in workers.running if one is not paused])
            if number in {0, 2}:
                workers.start()
                workers.kill(victim)
            elif number == 1:
                workers.start()
                workers.kill(victim, signal.SIGSTOP)
                paused = victim
            elif number == 3:
                paused.send_signal(signal.SIGCONT)
                oldest = next(one for one in workers.running if one is not paused)
                assert workers.kill(oldest, signal.SIGTERM) == 0
        behind = wait_drained(empty, 400)
        assert not behind, workers.logs()[-4000:]
        *use, opened, resolved = fault(lines[-1])
        produce(empty, use)
        assert not wait_drained(empty, 400), workers.logs()[-4000:]
        produce(empty, [opened, resolved])
        wait_until(lambda: any(one["status"] == "resolved" for one in network_incidents(empty)))
        codes = workers.stop_all()
    found, _ = expected.compare(one for one in read_all(empty) if one["customer_id"] not in NEIGHBOURS)
    assert not any(found.values()), found
    assert codes[-1] == 0
    opened, resolved = network_incidents(empty)  # of customers in all partitions, and told by one
    assert opened["incident_id"] == resolved["incident_id"]
    assert (opened["status"], opened["revision"], resolved["revision"]) == ("opened", 1, 2)
    assert {*opened["customer_ids"]} == {*NEIGHBOURS}
    recorded, replayed = decoded(rows), decoded(tmp_path / "replayed")
    assert len(replayed) > 20
    assert recorded.keys() == replayed.keys()
    assert not differences(recorded, replayed)
    assert {head.partition for head in recorded[max(recorded)].heads} == {*range(PARTITIONS)}
    assert "geheim" not in workers.logs()


def fault(last: bytes) -> list[bytes]:
    """Right after the last event: customers of every partition use a cell, which the network says fails for a moment."""
    start = datetime.fromisoformat(msgspec.json.decode(last)["occurred_at"])
    at = [(start + timedelta(milliseconds=more)).isoformat() for more in range(1, 40)]
    use = {"type": "usage.recorded", "service": "voice", "seconds": 60, "cell_id": "X"}
    report = {"type": "network.incident", "customer_id": "cell:X", "cell_id": "X"}
    events = [
        *({**use, "customer_id": name, "occurred_at": at[number]} for number, name in enumerate(NEIGHBOURS)),
        {**report, "status": "opened", "occurred_at": at[-2]},
        {**report, "status": "resolved", "occurred_at": at[-1]},
    ]
    return [msgspec.json.encode({"event_id": f"fault-{number}", **one}) for number, one in enumerate(events)]


def network_incidents(bootstrap: str) -> list[dict[str, Any]]:
    """Those of cells, by revision."""
    found = [one for one in read_all(bootstrap, (INCIDENTS,)) if one["kind"] == "network"]
    return sorted(found, key=lambda one: one["revision"])


def refused(*environment: tuple[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [*CHURN, "run"], check=False, env=os.environ | dict(environment), capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stderr.strip()


def test_a_missing_broker_is_one_line_and_exit_code_3(tmp_path):
    code, said = refused(("CHURN_KAFKA_BOOTSTRAP", "127.0.0.1:1"), ("CHURN_CHECKPOINTS", str(tmp_path)))
    assert code == 3
    assert said.splitlines()[-1].startswith("Kafka at 127.0.0.1:1: ")


def test_missing_topics_and_numbers_of_partitions_that_differ_are_named(empty, tmp_path):
    where = (("CHURN_KAFKA_BOOTSTRAP", empty), ("CHURN_CHECKPOINTS", str(tmp_path)), ("CHURN_HTTP_PORT", "0"))
    code, said = refused(*where, ("CHURN_KAFKA_CREATE_TOPICS", "false"))
    assert (code, "missing on the broker: churn.usage.v1" in said) == (3, True)
    admin = KafkaAdminClient(bootstrap_servers=empty)
    admin.create_topics([NewTopic(BILLING, 3, 1), NewTopic("churn.usage.v1", 2, 1)])
    wait_until(lambda: {BILLING, "churn.usage.v1"} <= set(admin.list_topics()))
    admin.close()
    code, said = refused(*where)
    assert (code, "the numbers of partitions differ" in said) == (3, True), said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHURN_KAFKA_PARTITIONS", "many", "CHURN_KAFKA_PARTITIONS: "),
        ("CHURN_FEATURE_ROWS", "rows", "CHURN_FEATURE_ROWS: set CHURN_PSEUDONYM_KEY (or CHURN_PSEUDONYM_KEY_FILE) too"),
    ],
)
def test_a_setting_that_is_none_is_one_line_and_exit_code_2(name, value, says):
    code, said = refused((name, value))
    assert code == 2
    assert said.startswith(says)
    assert said.count("\n") == 0
