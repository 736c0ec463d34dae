"""A simulated telecom operator: customers with habits, troubles and reasons, as events of the contract.

`simulate` writes a file, `days` yields the same events day by day in memory. Shares no code with the
engine that is judged on it. The mechanism is described in docs/simulator.md and in each module's opening.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from simulator.catalogue import CAUSES, PLANS, Plan
from simulator.output import opened, write_truth
from simulator.run import MOST_CUSTOMERS, MOST_DAYS, Operator
from simulator.scenario import Outage, Scenario, Summary

Progress = Callable[[int, int, int], None]


def simulate(
    customers: int,
    days: int,
    seed: int,
    out: Path | str | BinaryIO,
    truth: Path | None = None,
    scenario: Scenario | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Writes `days` days of `customers` customers to `out` (see `output.opened`) and the leavers to `truth`.

    The same arguments give the same bytes (per machine and numpy version). `progress` is called with days done, days in
    all and events so far. Raises ValueError for impossible sizes or an unknown suffix, and OSError.
    """
    began = time.perf_counter()
    operator = Operator(customers, days, seed, scenario)
    with opened(out) as sink:
        last = 0
        for day, chunk in operator.chunks():
            sink.write(chunk)
            if progress is not None and day != last:
                progress(day, days, operator.summary.events)
            last = day
    if truth is not None:
        write_truth(operator, truth)
    summary = operator.finish()
    summary.seconds = time.perf_counter() - began
    if progress is not None:
        progress(days, days, summary.events)
    return summary


def days(customers: int, days: int, seed: int, scenario: Scenario | None = None) -> Iterator[bytes]:
    """The same events, one bytes object of lines for each day (with late events, those that arrive that day)."""
    parts: list[bytes] = []
    current = 0
    for day, chunk in Operator(customers, days, seed, scenario).chunks():
        while current < day:
            yield b"".join(parts)
            parts, current = [], current + 1
        parts.append(chunk)
    yield b"".join(parts)


__all__ = [
    "CAUSES",
    "MOST_CUSTOMERS",
    "MOST_DAYS",
    "PLANS",
    "Operator",
    "Outage",
    "Plan",
    "Scenario",
    "Summary",
    "days",
    "simulate",
]
