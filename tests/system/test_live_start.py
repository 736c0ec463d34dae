"""What stands in the way of a worker's start is one clear line and the right exit code, or an alarm where it can go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families
from support.bundles import NEVER_TRUE
from support.engines import DEFAULT
from support.kafka_server import KafkaServer, needs_kafka
from support.redis_server import free_port
from support.workers import CHURN, PARTITIONS, ROOT, Workers, page_of, produce, simulated, wait_drained, wait_until

from streams.checkpoint import VERSION
from streams.live.bundle import Order, bundle_of, bundle_record, digest, order_record
from streams.live.topics import RULES

pytestmark = pytest.mark.xdist_group("kafka")


def refused(**environment: str) -> tuple[int, list[str]]:
    """Exit code and standard error, a running worker's own log apart."""
    nobody = {"CHURN_HTTP_PORT": "0", "CHURN_REDIS_URL": "redis://127.0.0.1:1/0", "CHURN_KAFKA_PARTITIONS": "2"}
    done = subprocess.run(
        [*CHURN, "run"],
        cwd=ROOT,
        env=os.environ | nobody | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    aside = ("{", "ERROR aiokafka")  # the log, and a client's complaint of a broker that has just been started
    return done.returncode, [line for line in done.stderr.splitlines() if not line.startswith(aside)]


def checkpoint(folder: Path, partition: int, number: int, content: bytes) -> Path:
    path = folder / str(partition) / f"{1:012d}-{number:012d}.checkpoint"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_checkpoints_that_cannot_be_read_end_the_worker(empty: str, tmp_path: Path) -> None:
    paths = [checkpoint(tmp_path, 1, number, b"rubbish") for number in (1, 2)]
    code, said = refused(CHURN_KAFKA_BOOTSTRAP=empty, CHURN_CHECKPOINTS=str(tmp_path))
    assert code == 3
    troubles = "; ".join(f"{path}: no checkpoint" for path in reversed(paths))
    assert said == [f"no checkpoint of this partition can be read: {troubles}"]


def test_a_checkpoint_of_a_newer_version_ends_the_worker(empty: str, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 0, 1, b"churn-checkpoint 999\n[]\n")
    code, said = refused(CHURN_KAFKA_BOOTSTRAP=empty, CHURN_CHECKPOINTS=str(tmp_path))
    assert code == 2
    assert said == [f"{path} was written by a newer version of churn (format 999, this one reads {VERSION})"]


def test_where_the_newest_checkpoint_is_damaged_the_one_before_is_taken_with_an_alarm(
    empty: str, tmp_path: Path
) -> None:
    lines, model = simulated(tmp_path, customers=20, days=10)
    port = free_port()
    with Workers(empty, tmp_path, model, CHURN_HTTP_PORT=str(port)) as workers:
        workers.start()
        for half in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):  # two checkpoints of every partition
            produce(empty, half)
            assert not wait_drained(empty, 120), workers.logs()[-4000:]
        assert workers.stop_all() == [0]
        folders = [
            folder for folder in (tmp_path / "checkpoints").iterdir() if len([*folder.glob("*.checkpoint")]) == 2
        ]
        assert folders
        for folder in folders:
            newest = max(folder.glob("*.checkpoint"))
            newest.write_bytes(newest.read_bytes()[:-100])
        workers.start()
        wait_until(lambda: failures(port) == len(folders))
        assert not wait_drained(empty, 120), workers.logs()[-4000:]
        assert workers.stop_all() == [0]
        alarms = [json.loads(line) for line in workers.logs().splitlines() if "going on from the one before" in line]
    assert {one["partition"] for one in alarms} == {int(folder.name) for folder in folders}
    assert all("damaged or cut off" in one["trouble"] and one["level"] == "error" for one in alarms)


def failures(port: int) -> float:
    """How many checkpoints a worker says it could not read."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page_of(port))
        for sample in family.samples
        if sample.name == "churn_checkpoint_failures_total" and sample.labels["step"] == "read"
    )


def test_a_wrong_password_is_one_line_that_does_not_hold_it(tmp_path: Path) -> None:
    needs_kafka()
    (tmp_path / "kafka").mkdir()
    with KafkaServer(tmp_path / "kafka") as server:
        where = {
            "CHURN_KAFKA_BOOTSTRAP": server.with_password,
            "CHURN_KAFKA_SECURITY": "SASL_PLAINTEXT",
            "CHURN_KAFKA_USER": "churn",
            "CHURN_CHECKPOINTS": str(tmp_path / "checkpoints"),
            "CHURN_KAFKA_CREATE_TOPICS": "false",
        }
        code, said = refused(**where, CHURN_KAFKA_PASSWORD="wrong-secret")
        assert code == 3
        assert len(said) == 1, said
        assert said[0].startswith(f"Kafka at {server.with_password}: ")
        assert "uthentication failed" in said[0]
        assert "secret" not in said[0]
        code, said = refused(**where, CHURN_KAFKA_PASSWORD="right")
        assert (code, "missing on the broker: " in said[0]) == (3, True), said


def test_rules_that_only_the_check_refuses_end_the_worker_unless_they_are_in_force(empty: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEFAULT, tmp_path / "config"))
    (folder / "rules" / "never.yaml").write_text(NEVER_TRUE)
    code, said = refused(CHURN_KAFKA_BOOTSTRAP=empty, CHURN_CHECKPOINTS=str(tmp_path / "c"), CHURN_CONFIG=str(folder))
    assert (code, said) == (2, [f"{folder}/rules/never.yaml:5:54: rule `never`: `expr` can never be true"])
    files = bundle_of(folder)
    with KafkaProducer(bootstrap_servers=empty) as producer:  # as a version did that found nothing
        for key, value in (bundle_record(files), order_record(Order(digest(files), "v", "applied", "ann", "then"))):
            producer.send(RULES, value, key=key, partition=0)
    _, model = simulated(tmp_path, customers=20, days=10)
    with Workers(empty, tmp_path, model, CHURN_CONFIG=str(folder), CHURN_KAFKA_PARTITIONS="2") as workers:
        workers.start()
        wait_until(lambda: "would be refused now" in workers.logs(), 60)
        assert workers.stop_all() == [0]
        doubt = json.loads(next(line for line in workers.logs().splitlines() if "would be refused now" in line))
    assert (doubt["level"], doubt["bundle"]) == ("warning", digest(files)[:12])
    assert doubt["error"] == "rules/never.yaml:5:54: rule `never`: `expr` can never be true"


def test_a_worker_whose_folder_cannot_be_read_goes_on_by_the_rules_in_force(empty: str, tmp_path: Path) -> None:
    folder, port = Path(shutil.copytree(DEFAULT, tmp_path / "config")), free_port()
    good, rules = (folder / "churn.yaml").read_bytes(), digest(bundle_of(folder))
    broken = good + b"tiers: [\n"
    (folder / "churn.yaml").write_bytes(broken)
    kafka = {"CHURN_KAFKA_BOOTSTRAP": empty, "CHURN_KAFKA_PARTITIONS": str(PARTITIONS)}
    code, said = refused(**kafka, CHURN_CHECKPOINTS=str(tmp_path / "c"), CHURN_CONFIG=str(folder))
    assert (code, said[0].startswith(f"{folder}/churn.yaml:")) == (2, True), said  # none are in force
    (folder / "churn.yaml").write_bytes(good)
    lines, model = simulated(tmp_path, customers=20, days=10)
    more = {"CHURN_CONFIG": str(folder), "CHURN_HTTP_PORT": str(port)}
    with Workers(empty, tmp_path, model, **more) as workers:
        workers.start()
        produce(empty, lines[: len(lines) // 2])
        assert not wait_drained(empty, 120), workers.logs()[-4000:]
        assert (shown(port, "churn_folder_refused"), workers.stop_all()) == ([0.0], [0])
        (folder / "churn.yaml").write_bytes(broken)
        workers.start()
        produce(empty, lines[len(lines) // 2 :])
        assert not wait_drained(empty, 120), workers.logs()[-4000:]
        assert shown(port, "churn_folder_refused") == [1.0]
        assert sum(shown(port, "churn_rules_refused_total")) == 1.0
        refusal = json.loads(next(line for line in workers.logs().splitlines() if "rules refused" in line))
        (folder / "churn.yaml").write_bytes(good)
        wait_until(lambda: shown(port, "churn_folder_refused") == [0.0])
        assert workers.stop_all() == [0]
        loaded = [json.loads(line) for line in workers.logs().splitlines() if '"rules loaded"' in line]
    assert (refusal["why"], refusal["error"].startswith(f"{folder}/churn.yaml:")) == ("faults", True)
    assert {one["bundle"] for one in loaded} == {rules[:12]}


def shown(port: int, name: str) -> list[float]:
    """The values that a worker shows of a metric."""
    families = text_string_to_metric_families(page_of(port))
    return [sample.value for family in families for sample in family.samples if sample.name == name]
