"""Dashboards, alerts and the containers: every metric they name exists, every query parses, every image is pinned."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from support.programs import needs

from sinks.metrics import Metrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "config" / "prometheus"
DASHBOARDS = sorted((ROOT / "config" / "grafana" / "dashboards").glob("*.json"))
OURS = re.compile(r"\bchurn_[a-z_]+")
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
LABELS = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)|([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"")
EVERYWHERE = {"instance", "job", "le"}
"""Labels that Prometheus gives, and that of histograms."""


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def declared() -> dict[str, set[str]]:
    """Every series that a worker shows, with its labels."""
    metrics = Metrics()
    suffixes = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    found = {
        family.name + suffix: set(collector._labelnames) | EVERYWHERE
        for collector in set(metrics.registry._names_to_collectors.values())
        for family in collector.describe()
        for suffix in suffixes[family.type]
    }
    found["churn_rules_info"] |= {"rules", "model"}
    return found


def alerts() -> Iterator[dict[str, Any]]:
    for group in loaded(PROMETHEUS / "alerts.yml")["groups"]:
        yield from group["rules"]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            if panel["type"] != "row":
                yield path.name, panel


def queries() -> Iterator[tuple[str, str]]:
    """Every PromQL expression, with the name of its alert or panel."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for _, panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


QUERIES = list(queries())


@pytest.mark.parametrize("query", [pytest.param(expr, id=f"{name} {i}") for i, (name, expr) in enumerate(QUERIES)])
def test_every_metric_and_label_that_is_asked_for_is_there(query: str) -> None:
    known, names = declared(), OURS.findall(query)
    assert [name for name in names if name not in known] == []
    labels = {label for by, label in LABELS.findall(query) for label in ([label] if label else re.split(r"\W+", by))}
    assert labels - {""} <= EVERYWHERE.union(*(known[name] for name in names))


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    asked = {HISTOGRAM.sub("", name) for _, query in QUERIES for name in OURS.findall(query)}
    assert {HISTOGRAM.sub("", name) for name in declared()} - asked == set()


def test_every_query_of_a_dashboard_parses(tmp_path: Path) -> None:
    needs("promtool", "prometheus")
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$job", "churn")}
        for number, (_, query) in enumerate(QUERIES)
    ]
    path = tmp_path / "panels.json"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")])
def test_prometheus_takes_its_configuration_and_alerts_fire_when_they_should(arguments: tuple[str, ...]) -> None:
    needs("promtool", "prometheus")
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_what_is_wrong_and_how_urgent_it_is() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["for"]


def test_every_alert_has_a_test() -> None:
    tested = {
        case["alertname"]
        for group in loaded(PROMETHEUS / "alerts_test.yml")["tests"]
        for case in group["alert_rule_test"]
    }
    assert tested == {rule["alert"] for rule in alerts()}


def test_every_panel_has_a_title_a_description_a_unit_and_a_source_that_can_be_chosen() -> None:
    for name, panel in panels():
        assert panel["title"], name
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in (panel, *panel["targets"]):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_panels_do_not_lie_on_one_another() -> None:
    for path in DASHBOARDS:
        taken = [
            (column, line)
            for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
            for place in [panel["gridPos"]]
            for column in range(place["x"], place["x"] + place["w"])
            for line in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(column for column, _ in taken) < 24


def test_containers_are_pinned_and_reachable_from_this_machine_only() -> None:
    services = loaded(ROOT / "docker-compose.yml")["services"]
    assert services.keys() == {"kafka", "redis", "worker", "prometheus", "grafana"}
    for name, service in services.items():
        assert "image" in service or name == "worker"
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+[a-z0-9.-]*", service.get("image", "x:1.0.0")), name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
    assert re.search(r"^FROM python:3\.11\.\d+-", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_what_is_mounted_is_there() -> None:
    for service in loaded(ROOT / "docker-compose.yml")["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / source).is_dir(), source


def test_the_image_holds_all_that_the_package_is_made_of() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    pyproject = (ROOT / "pyproject.toml").read_text()
    packages = re.search(r"^packages = \[(.*)\]$", pyproject, re.MULTILINE).group(1)
    assert set(re.findall(r'"(\w+)"', packages)) | {"config", "pyproject.toml", "README.md", "LICENSE"} == kept
