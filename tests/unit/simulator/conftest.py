"""One run shared by the tests of this room: 1,200 customers over 100 days, Spring Festival among them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import simulator

Event = dict[str, Any]


@dataclass(frozen=True)
class Run:
    events: list[Event]
    leavers: dict[str, dict[str, str]]
    stayers: dict[str, dict[str, str]]
    summary: simulator.Summary

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event["type"] in kinds]


def read_truth(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["customer_id"]: row for row in csv.DictReader(file)}


Simulated = Callable[..., Run]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Runs the operator in memory: customers, days, seed, scenario."""

    def run(customers: int, days: int, seed: int, scenario: simulator.Scenario | None = None) -> Run:
        sink, truth = io.BytesIO(), tmp_path_factory.mktemp("truth") / "truth.csv"
        summary = simulator.simulate(customers, days, seed, sink, truth, scenario)
        events = [json.loads(line) for line in sink.getvalue().splitlines()]
        return Run(events, read_truth(truth), read_truth(truth.with_name("truth.stayers.csv")), summary)

    return run


@pytest.fixture(scope="session")
def run(simulated: Simulated) -> Run:
    return simulated(1200, 100, 11, simulator.Scenario(usage_per_day=1.6, monthly_churn=0.08))
