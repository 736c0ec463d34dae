"""The radio network: cells in regions, each of its own quality, with faults that come and go.

A fault has a severity between 0 (nothing) and 1 (nothing works). Most faults are announced as `network.incident` events,
opened a little after they begin; some never are. A scenario's outage is one more fault, total, in a cell of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats, Ints, Random, pick
from simulator.catalogue import REGIONS
from simulator.clock import DAY, HOUR
from simulator.scenario import Outage

CUSTOMERS_PER_CELL = 250
FAULTS_PER_CELL_DAY = 1 / 80
FAULT_KINDS = ("power", "transmission", "congestion", "hardware", "interference", "fibre_cut")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a cell, from `begins` to `ends` (ms); `kind` is None when it is never announced."""

    cell: int
    begins: int
    ends: int
    severity: float
    kind: str | None


class Cells:
    """All cells: `ids`, `region` and `weakness` (added chance of failure in ordinary times)."""

    def __init__(self, customers: int, random: Random) -> None:
        count = max(len(REGIONS) * 2, customers // CUSTOMERS_PER_CELL)
        self.region: Ints = np.concatenate(
            [np.arange(len(REGIONS)), pick(random, [w for _, w in REGIONS], count - len(REGIONS))]
        ).astype(np.int64)
        self.ids = [f"{REGIONS[r][0][:2]}-{number:05d}" for number, r in enumerate(self.region.tolist())]
        weak = random.random(count) < 0.08
        self.weakness: Floats = np.where(weak, random.uniform(0.02, 0.06, count), random.uniform(0.0, 0.006, count))
        self.pull: Floats = random.gamma(3.0, 1.0, count)
        self.by_region = [np.flatnonzero(self.region == r) for r in range(len(REGIONS))]
        self.faults: dict[int, list[Fault]] = {}

    def homes(self, account: Ints, outage: Outage | None, random: Random) -> tuple[Ints, Ints]:
        """Cell at home (the same for an account) and at work (same region); the outage's residents stay in its cell."""
        home = pick(random, self.pull, int(account[-1]) + 1)[account] if len(account) else account.copy()
        work = home.copy()
        for cells in self.by_region:
            mine = np.flatnonzero(np.isin(home, cells))
            work[mine] = cells[random.integers(0, len(cells), len(mine))]
        if outage is not None:
            home[: outage.customers] = 0
            work[: outage.customers] = 0
            others = self.by_region[0][1:]
            for place in (home[outage.customers :], work[outage.customers :]):
                place[place == 0] = others[0] if len(others) else 0
        return home, work

    def draw_faults(self, days: int, outage: Outage | None, random: Random) -> list[Fault]:
        """Plans the faults of the whole run, files them under each day they touch, and returns them."""
        number = random.poisson(len(self.ids) * days * FAULTS_PER_CELL_DAY)
        cell = random.integers(0, len(self.ids), number)
        begins = (random.random(number) * days * DAY).astype(np.int64)
        length = (np.exp(random.normal(np.log(5), 0.9, number)) * HOUR).astype(np.int64)
        severity = random.beta(1.2, 2.5, number)
        announced = random.random(number) < 0.35 + 0.6 * severity
        kinds = random.integers(0, len(FAULT_KINDS), number)
        faults = [
            Fault(int(c), int(b), int(b + n), float(s), FAULT_KINDS[k] if told else None)
            for c, b, n, s, told, k in zip(cell, begins, length, severity, announced, kinds, strict=True)
            if outage is None or c != 0
        ]
        if outage is not None:
            begin = int(outage.day * DAY + outage.hour * HOUR)
            faults.append(Fault(0, begin, begin + int(outage.hours * HOUR), 1.0, "power"))
        for fault in faults:
            for day in range(fault.begins // DAY, fault.ends // DAY + 1):
                self.faults.setdefault(day, []).append(fault)
        return faults

    def severity(self, day: int) -> Floats:
        """Cell × quarter of an hour of one day: how bad the faults of that time are."""
        table = np.zeros((len(self.ids), 96))
        for fault in self.faults.get(day, ()):
            first = max(0, (fault.begins - day * DAY) // (HOUR // 4))
            last = min(96, (fault.ends - day * DAY) // (HOUR // 4) + 1)
            table[fault.cell, first:last] = np.maximum(table[fault.cell, first:last], fault.severity)
        return table
