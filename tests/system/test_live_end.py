"""A worker is told to stop while its broker is away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from support.kafka_server import KafkaServer, needs_kafka
from support.workers import CHURN, ROOT, wait_until

pytestmark = [pytest.mark.xdist_group("kafka"), pytest.mark.slow]  # for the start of a broker of its own
CLIENTS = ("ERROR aiokafka", "ERROR faust", "ERROR mode")


def test_it_ends_soon_and_says_so_once(tmp_path: Path) -> None:
    needs_kafka()
    (tmp_path / "kafka").mkdir()
    environment = {
        "CHURN_CHECKPOINTS": str(tmp_path / "checkpoints"),
        "CHURN_KAFKA_PARTITIONS": "2",
        "CHURN_HTTP_PORT": "0",
        "CHURN_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    path = tmp_path / "log"
    with KafkaServer(tmp_path / "kafka") as server, path.open("wb") as log:
        environment["CHURN_KAFKA_BOOTSTRAP"] = server.bootstrap
        worker = subprocess.Popen([*CHURN, "run"], env=os.environ | environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until(lambda: path.read_bytes().count(b"rules loaded") == 2 or worker.poll() is not None)
            server.kill()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0, path.read_text()
        finally:
            worker.kill()
            worker.wait()
    lines = path.read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    assert [line for line in lines if not line.startswith(("{", *CLIENTS))] == []  # no trace
    events = [one["event"] for one in said]
    assert events.count("Kafka cannot be reached, events wait until it is back") == 1
    assert events[-2:] == ["ended without a word to the broker", "worker stopped"]
