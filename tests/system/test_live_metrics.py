"""A worker's page of metrics: everything that the dashboard and the alerts ask for is there, and moves."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from support.redis_server import RedisServer, free_port, needs_redis
from support.workers import ROOT, Workers, page_of, produce, simulated, wait_drained, wait_until

pytestmark = pytest.mark.xdist_group("kafka")
OURS = re.compile(r"\bchurn_[a-z_]+")


def asked_for() -> set[str]:
    """Every series that an alert or a panel names."""
    alerts = YAML(typ="safe").load(ROOT / "config" / "prometheus" / "alerts.yml")
    queries = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    for path in (ROOT / "config" / "grafana" / "dashboards").glob("*.json"):
        panels = json.loads(path.read_text())["panels"]
        queries += [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return {name for query in queries for name in OURS.findall(query)}


def shown(port: int) -> dict[str, dict[str, float]]:
    """All series of a worker's page: values by their labels."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(page_of(port)):
        for sample in family.samples:
            found[sample.name][" ".join(sample.labels.values())] = sample.value
    return found


def test_all_that_dashboard_and_alerts_ask_for_is_shown_and_moves(empty: str, tmp_path: Path) -> None:
    needs_redis()
    lines, model = simulated(tmp_path, customers=60, days=30)
    customers = {json.loads(line)["customer_id"] for line in lines}
    port = free_port()
    with RedisServer(tmp_path) as redis:
        settings = {"CHURN_HTTP_PORT": str(port), "CHURN_REDIS_URL": redis.url}
        with Workers(empty, tmp_path, model, **settings) as workers:
            workers.start()
            before = shown(port)
            assert set(before["churn_events_total"]) == {"usage", "billing", "complaints", "outcomes"}
            assert not any(before["churn_events_total"].values())
            refused = b'{"type":"usage.recorded","event_id":"x","customer_id":"c","occurred_at":"2026-01-01T00:00:00Z"}'
            produce(empty, [*lines, lines[0], refused])
            wait_until(lambda: sum(shown(port)["churn_consumer_lag_records"].values()) > 0)
            assert not wait_drained(empty, 400), workers.logs()[-4000:]
            wait_until(lambda: not sum(shown(port)["churn_consumer_lag_records"].values()))
            wait_until(lambda: sum(shown(port)["churn_queue_items"].values()) > 0)
            after = shown(port)
            assert workers.stop_all() == [0]
    rules_at_rest = {"churn_rules_refused_total", "churn_rules_held", "churn_rules_reloaded_timestamp_seconds"}
    rules_at_rest |= {"churn_folder_refused"}
    guard_at_rest = {"churn_guard_alarms_total", "churn_shadow_warnings_total"}
    failures = {"churn_checkpoint_failures_total", "churn_feature_rows_failures_total"}
    waiting = {"churn_consumer_lag_records", "churn_open_transaction_records"}
    at_rest = failures | waiting | rules_at_rest | guard_at_rest
    still = {name for name in asked_for() if not any(after[name].values())}
    assert still <= at_rest, still
    assert sum(after["churn_events_total"].values()) == len(lines)
    assert all(after["churn_events_total"].values())
    assert after["churn_duplicates_total"] == {"": 1.0}
    assert after["churn_dead_letters_total"] == {"missing_field": 1.0}
    labels = {label for series in after.values() for label in series}
    assert not any(customer in label.split() for label in labels for customer in customers)
