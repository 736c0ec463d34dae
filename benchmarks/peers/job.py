"""The simpler job of the peers: a moving average per customer, and one online logistic regression over all."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import Any, NamedTuple

from river import linear_model

WEIGHT = 0.1
"""Of the newest event in the average."""


class Arguments(NamedTuple):
    """What a peer is started with."""

    servers: str
    group: str
    folder: str
    events: int
    topics: list[str]


def arguments() -> Arguments:
    """Those of this process."""
    servers, group, folder, events, topics = sys.argv[1:6]
    return Arguments(servers, group, folder, int(events), topics.split(","))


def value_of(event: dict[str, Any]) -> float:
    """How much an event is about; the same in benchmarks/kafka_streams."""
    get = event.get
    return math.log1p(abs((get("mb") or 0) + (get("seconds") or 0) + (get("amount") or 0) + (get("count") or 0)))


class Scorer:
    """River's logistic regression: says how likely an event is far below its customer's average, then learns whether it was."""

    def __init__(self) -> None:
        self.model: Any = linear_model.LogisticRegression()

    def step(self, value: float, before: float | None) -> float:
        """One event; gives the customer's new average."""
        before = value if before is None else before
        features = {"value": value, "ratio": value / before if before else 1.0}
        self.model.predict_proba_one(features)
        self.model.learn_one(features, value < 0.5 * before)
        return before + WEIGHT * (value - before)


class Meter:
    """Counts events; prints the result and ends the process with the last."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.events, self.first = wanted, 0, 0
        self.since, self.spent = 0.0, 0.0

    def count(self, some: int = 1) -> None:
        """So many more are done."""
        self.events += some
        if not self.first and self.events >= self.wanted / 10:
            self.first, self.since, self.spent = self.events, time.perf_counter(), time.process_time()
        if self.events >= self.wanted:
            seconds, cpu = time.perf_counter() - self.since, time.process_time() - self.spent
            said = json.dumps({"events": self.events - self.first, "seconds": seconds, "cpu": cpu})
            os.write(1, said.encode() + b"\n")  # Faust makes log entries of what is printed
            os._exit(0)  # frameworks take their time to end
