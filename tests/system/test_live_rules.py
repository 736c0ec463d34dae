"""Rules that reach running workers on a real Kafka: no event lost, no warning doubled, each warning's version right."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition
from support.engines import DEFAULT
from support.lanes import Cluster
from support.workers import CHURN, PARTITIONS, Workers, produce, read_all, simulated, wait_drained, wait_until

from events.packed import Record
from streams import bootstrap
from streams.live.bundle import bundle_of, digest, known
from streams.live.journal import Covered, Tick
from streams.live.library import Library
from streams.live.rereading import chain
from streams.live.topics import EVENTS, HELD_OUT, RULES, SHADOW, TICKS, WARNINGS

pytestmark = pytest.mark.xdist_group("kafka")
RELOADS = int(os.environ.get("RELOADS", "100"))
SECONDS = float(os.environ.get("RELOAD_SECONDS", "300"))
"""No more changes begin after so long."""


def churn(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHURN, *map(str, arguments)], check=False, capture_output=True, text=True, env=os.environ | environment
    )


TRIAL = """version: 1
groups:
  - name: trial
    rules:
      - {{alert: Active, id: active, tier: watch, expr: uses_7d >= {0}, clear_expr: uses_7d < 1, reason: active,
         text: {{en: "Active", zh-CN: "活跃"}}}}
      - {{alert: Tried, id: tried, mode: shadow, tier: watch, expr: uses_1d >= {0}, clear_expr: uses_1d < 1,
         reason: tried, text: {{en: "Tried", zh-CN: "试"}}}}
"""


def configured(folder: Path) -> Path:
    """A configuration with two files of the default rules, and one that is going to change."""
    shutil.copytree(DEFAULT, folder, ignore=shutil.ignore_patterns("grafana", "prometheus"))
    for file in (folder / "rules").glob("*.yaml"):
        if not file.name.startswith(("complaints.", "usage.")):
            file.unlink()
    edited(folder, 1)
    return folder


def edited(folder: Path, threshold: int, text: str = "") -> None:
    """Another threshold, or another text in its place: the file changes at once."""
    coming = folder / "coming"
    coming.write_text(text or TRIAL.format(threshold))
    coming.rename(folder / "rules" / "trial.yaml")


def records(broker: str, topic: str, partitions: int) -> dict[int, list[Any]]:
    """Everything in a topic, by partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False)
    where = [TopicPartition(topic, lane) for lane in range(partitions)]
    consumer.assign(where)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(where)
    found: dict[int, list[Any]] = {lane: [] for lane in range(partitions)}
    while any(consumer.position(one) < ends[one] for one in where):
        for some in consumer.poll(timeout_ms=500).values():
            for record in some:
                found[record.partition].append(record)
    consumer.close()
    return found


def orders(broker: str) -> list[Any]:
    found = (known(record.key, record.value) for record in records(broker, RULES, 1)[0])
    given = [one.order for one in found if one.order is not None]
    return [one for number, one in enumerate(given) if number == 0 or one.bundle != given[number - 1].bundle]


def loaded_by(workers: Workers, digest: str) -> set[int]:
    """The partitions that ever went over to a bundle."""
    said = [msgspec.json.decode(line) for line in workers.logs().splitlines() if '"rules loaded"' in line]
    return {one["partition"] for one in said if one["bundle"] == digest[:12]}


def worked_again(broker: str, model: Path) -> Cluster:
    """Partitions without Kafka that are given what the topics hold, and load rules where the records say."""
    library = Library(bootstrap.as_it_stands, lambda rules, saved: bootstrap.engine(rules, model, saved), ready=500)
    for record in records(broker, RULES, 1)[0]:
        if (found := known(record.key, record.value)).bundle is not None:
            library.add(*found.bundle)
    given: dict[int, dict[str, list[Record]]] = {lane: {} for lane in range(PARTITIONS)}
    for topic in EVENTS:
        for lane, found in records(broker, topic, PARTITIONS).items():
            given[lane][topic] = [Record(one.value, (), one.key, one.timestamp, one.offset) for one in found]
    ticks, last = {}, None
    for lane, found in records(broker, TICKS, PARTITIONS).items():
        kept = chain([(one.offset, msgspec.json.decode(one.value, type=Tick)) for one in found], 0)
        ticks[lane] = [msgspec.structs.replace(tick, after=k, epoch=0) for k, (_, tick) in enumerate(kept)]
        last = next(tick.reload for tick in reversed(ticks[lane]) if tick.reload is not None)
    cluster = Cluster(given, None, library=library, orders=[last])
    cluster.ticks = ticks
    cluster.lanes = {lane: cluster.open(lane, Covered({}, {}), None) for lane in given}
    cluster.run()
    return cluster


def say(text: str) -> None:
    """A figure, for whoever runs it with -s."""
    sys.stdout.write(text + "\n")


def keyed(decisions: Iterable[Any]) -> dict[Any, Any]:
    """The first of each (warning_id, revision), the wall clock apart; repeats are equal to it."""
    found: dict[Any, Any] = {}
    for one in decisions:
        plain = dict(one) if isinstance(one, dict) else msgspec.to_builtins(one)
        del plain["decided_at"]
        this = msgspec.json.decode(msgspec.json.encode(plain))
        assert found.setdefault((this["warning_id"], this["revision"]), this) == this
    return found


@pytest.mark.skipif("RELOADS" not in os.environ, reason="long: make reloads")
def test_rules_that_change_under_load_lose_and_double_nothing_and_each_warning_names_its_own(empty, tmp_path):
    lines, model = simulated(tmp_path, customers=150, days=40)
    folder = configured(tmp_path / "config")
    size = len(lines) // (RELOADS + 1) + 1
    slices = [lines[start : start + size] for start in range(0, len(lines), size)]
    began, made = time.monotonic(), 0
    with Workers(empty, tmp_path, model, CHURN_CONFIG=str(folder), CHURN_ALIGN="8") as workers:
        for _ in range(2):
            workers.start()
        for number, part in enumerate(slices):
            produce(empty, part)  # while the change before is on its way
            if number == RELOADS // 2:
                victim = workers.running[0]
                workers.kill(victim)
                workers.start()
            if number < RELOADS and time.monotonic() - began < SECONDS:
                made += 1
                edited(folder, 2 + number)
                expected = digest(bundle_of(folder))
                if number % 5 == 4:
                    workers.running[-1].send_signal(signal.SIGHUP)
                wait_until(lambda: any(one.bundle == expected for one in orders(empty)), 60)  # noqa: B023
        behind = wait_drained(empty, 400)
        wait_until(lambda: loaded_by(workers, expected) == set(range(PARTITIONS)), 60)
        codes = workers.stop_all()
        assert not behind, workers.logs()[-4000:]
    seconds = time.monotonic() - began
    assert codes == [0, 0]
    cluster = worked_again(empty, model)
    for topics, again in (((WARNINGS, HELD_OUT), cluster.decisions), ((SHADOW,), cluster.shadow)):
        said = read_all(empty, topics)
        found = keyed(said)
        assert found == keyed(again)
        versions = {one["versions"]["rules"] for one in found.values()}
        say(f"{topics[0]}: {len(said)} decisions, {len(said) - len(found)} repeats, {len(versions)} versions")
        assert len(versions) > made // 4  # of those under which anything was decided
    reloads = {lane: sum(tick.reload is not None for tick in ticks) for lane, ticks in cluster.ticks.items()}
    say(f"{len(lines)} events, {made} changes, reloads by partition {reloads}, {seconds:.0f} s")
    assert len(orders(empty)) == made + 1
    assert all(count > made // 2 for count in reloads.values())


def test_commands_reach_a_running_worker_and_what_is_bad_or_not_approved_does_not(empty, tmp_path):
    folder, elsewhere = configured(tmp_path / "config"), tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    lines, model = simulated(tmp_path, customers=150, days=40)
    kafka = {"CHURN_KAFKA_BOOTSTRAP": empty, "CHURN_KAFKA_PARTITIONS": str(PARTITIONS)}
    with Workers(empty, tmp_path, model, CHURN_CONFIG=str(folder)) as workers:
        workers.start()
        produce(empty, lines[:2_000])
        wait_until(lambda: loaded_by(workers, digest(bundle_of(folder))) == set(range(PARTITIONS)))

        edited(elsewhere, 3)
        done = churn("rules", "apply", "--config", elsewhere, "--by", "ann", **kafka)
        assert (done.returncode, done.stdout.startswith("all workers go by ")) == (0, True), done.stderr
        wait_until(lambda: loaded_by(workers, digest(bundle_of(elsewhere))) == set(range(PARTITIONS)))

        edited(
            elsewhere, 0, "version: 1\ngroups: [{name: x, rules: [{alert: X, id: x, tier: watch, expr: uses_7 > 1}]}]\n"
        )
        done = churn("rules", "apply", "--config", elsewhere, "--by", "ann", **kafka)
        assert (done.returncode, "trial.yaml:2:" in done.stderr) == (2, True), done.stderr
        edited(folder, 0, "version: 1\ngroups: [")
        wait_until(lambda: '"why": "faults"' in workers.logs())
        assert orders(empty)[-1].by == "ann"

        assert churn("rules", "release", "nobody", "--by", "ann", **kafka).returncode == 2
        assert churn("rules", "release", "active", "--by", "bob", **kafka).returncode == 0
        said = churn("rules", "live", **kafka).stdout.splitlines()
        assert [line.split()[1] for line in said] == ["applied", "applied", "released"]
        assert said[-1].endswith("by bob")
        assert workers.stop_all() == [0]


def test_approved_rules_reach_workers_with_another_folder_and_shadow_rules_are_compared_from_topics(empty, tmp_path):
    folder, draft = configured(tmp_path / "config"), tmp_path / "draft"
    office = tmp_path / "office"
    shutil.copytree(folder, office)
    shutil.copytree(office / "rules", draft)
    lines, model = simulated(tmp_path, customers=150, days=40)
    kafka = {
        "CHURN_KAFKA_BOOTSTRAP": empty,
        "CHURN_KAFKA_PARTITIONS": str(PARTITIONS),
        "CHURN_CONFIG": str(office),
        "CHURN_APPROVAL__FOUR_EYES": "true",
    }

    def proposed(*where: Path) -> str:
        done = churn("rules", "propose", *where, "--by", "ann", **kafka)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1].split()[1]

    def told(*command: object, begins: str) -> None:
        done = churn("rules", *command, "--live", **kafka)
        assert (done.returncode, done.stdout.splitlines()[-1].startswith(begins)) == (0, True), (
            done.stderr + done.stdout
        )

    def go_by(rules: Path) -> None:
        expected = digest(bundle_of(folder, rules))
        wait_until(lambda: loaded_by(workers, expected) == set(range(PARTITIONS)))

    none = churn("rules", "shadow", **kafka)
    assert none.stdout == "no would-be warnings\n", none.stderr
    first = proposed()
    with Workers(empty, tmp_path, model, CHURN_CONFIG=str(folder), CHURN_APPROVAL__FOUR_EYES="false") as workers:
        workers.start()
        produce(empty, lines[: len(lines) // 2])
        go_by(folder / "rules")
        told("approve", first, "--by", "bob", begins="all workers go already by ")
        draft.joinpath("trial.yaml").write_text(TRIAL.format(3))
        second = proposed(draft)
        told("approve", second, "--by", "bob", begins="all workers go by ")
        go_by(draft)
        produce(empty, lines[len(lines) // 2 :])
        assert not wait_drained(empty, 200)
        told("rollback", "--by", "eve", begins="all workers go by ")
        wait_until(lambda: [one.act for one in orders(empty)] == ["applied", "approved", "rolled_back"])
        again = churn("rules", "rollback", "--by", "eve", "--live", **kafka)
        assert (again.returncode, again.stderr) == (2, "no rule set was in force before\n")
        assert workers.stop_all() == [0]
    said = churn("rules", "live", **kafka).stdout.splitlines()
    assert [line.split("  ")[1].split()[0] for line in said] == ["applied", "approved", "rolled"]
    compared = churn("rules", "shadow", "--format", "json", **kafka)
    found = msgspec.json.decode(compared.stdout)["rules"]["tried"]
    raised = {
        (one["customer_id"], one["warning_id"]) for one in read_all(empty, (SHADOW,)) if one["status"] == "raised"
    }
    assert found["episodes"] == len(raised) > 0, compared.stderr
    assert "tried" in churn("rules", "shadow", **kafka).stdout
