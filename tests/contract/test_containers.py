"""docker-compose.yml says what the program understands: names of settings, ports, addresses, folders, times."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from streams.live.settings import LiveSettings, live_settings

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
WORKER = SERVICES["worker"]


def settings() -> LiveSettings:
    """As a worker in the container reads them."""
    given = {name.removeprefix("CHURN_").lower(): value for name, value in WORKER["environment"].items()}
    return LiveSettings(**{name: value for name, value in given.items() if name != "config"})


def test_every_variable_of_the_worker_is_a_setting() -> None:
    known = {f"CHURN_{name.upper()}" for name in LiveSettings.model_fields} | {"CHURN_CONFIG"}
    assert set(WORKER["environment"]) - known == set()


def test_the_worker_is_asked_where_it_answers() -> None:
    scraped = YAML(typ="safe").load(ROOT / "config" / "prometheus" / "prometheus.yml")["scrape_configs"]
    (job,) = [one for one in scraped if one["job_name"] == "churn"]
    (found,) = job["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["worker"], settings().http_port)
    assert f":{settings().http_port}/healthz" in " ".join(WORKER["healthcheck"]["test"])
    assert settings().http_host == "0.0.0.0"


def test_the_worker_looks_for_kafka_and_redis_where_they_listen() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert settings().kafka_bootstrap in environment["KAFKA_ADVERTISED_LISTENERS"]
    assert settings().redis_url.get_secret_value() == "redis://redis:6379/0"
    outside = [port.rpartition(":")[2] for port in SERVICES["kafka"]["ports"]]
    assert [f"127.0.0.1:{port}" in environment["KAFKA_ADVERTISED_LISTENERS"] for port in outside] == [True]
    assert LiveSettings.model_fields["kafka_bootstrap"].default == "127.0.0.1:9092"  # from this machine, nothing to set
    assert settings().kafka_replication == 1  # there is one broker


def test_checkpoints_outlive_the_container_and_there_is_time_for_the_last() -> None:
    mounted = [volume.split(":")[1] for volume in WORKER["volumes"]]
    assert any(settings().checkpoints.startswith(folder + "/") for folder in mounted)
    assert int(WORKER["stop_grace_period"].removesuffix("s")) > settings().stop_within
    dockerfile = (ROOT / "Dockerfile").read_text()
    folder = re.search(r"install -d -o churn -g churn (.*)", dockerfile).group(1).split()
    assert "/var/lib/churn" in folder  # a new volume takes its owner from the image
    assert '"run"' in dockerfile


def test_the_configuration_is_mounted_where_the_worker_looks() -> None:
    target = WORKER["environment"]["CHURN_CONFIG"]
    assert f"./config:{target}:ro" in WORKER["volumes"]


def test_every_setting_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "kafka.md").read_text()
    for name in LiveSettings.model_fields:
        words = ["CHURN", *name.upper().split("_")]
        assert any("_" + "_".join(words[start:]) in text for start in range(1, len(words))), name


def test_settings_come_from_the_environment_alone(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHURN_")]:
        monkeypatch.delenv(name)
    for name, value in WORKER["environment"].items():
        monkeypatch.setenv(name, str(value))
    assert live_settings() == settings()
