"""What partitions told of a slot, added up in the watches of who judges for all."""

from __future__ import annotations

import numpy as np

from customers.ids import Ids
from population.crowd import Customers
from population.findings import Counted
from population.tally import BILLS
from population.watches import Watches


class Labels:
    """What the watches ask about customers; only names of regions and plans are known."""

    def __init__(self) -> None:
        self.regions, self.plans = Ids(), Ids()

    def at_home(self, home: int) -> Customers:  # noqa: ARG002
        """None: the partitions know."""
        return np.empty(0, np.int64)

    def high_value(self, customers: Customers, at: int) -> int:  # noqa: ARG002
        """None: the partitions know."""
        return 0

    def customer_id(self, customer: int) -> str:  # noqa: ARG002
        """Not known."""
        return ""

    def region(self, label: int) -> str:
        """The name of a region."""
        return self.regions.text(label)

    def plan(self, label: int) -> str:
        """The name of a plan."""
        return self.plans.text(label)


def add(one: Counted, watches: Watches, labels: Labels) -> None:
    """Add what a partition counted; the slot is not closed yet, nor any before it open."""
    _add_cells(one, watches)
    _add_daily(one, watches, labels)


def _add_cells(one: Counted, watches: Watches) -> None:
    network, clock, k = watches.network, watches.clock, one.slot % 2
    rows = network.cells.rows(one.cells)
    for cell in range(int(clock.seen[0]), network.cells.count):
        network.met(cell)
    clock.seen[0] = network.cells.count
    records, known = network.cells.records, rows >= 0
    tried, used = np.frombuffer(one.tried, np.int32), np.frombuffer(one.used, np.int32)
    clock.tried[k] += int(tried.sum())
    np.add.at(records["tried"][:, k], rows[known], tried[known])
    np.add.at(records["used"][:, k], rows[known], used[known])
    place, before, customers = np.frombuffer(one.hits, np.int32).reshape(-1, 3).T
    cells, watched = rows[place], known[place]
    np.add.at(records["hit"][:, k], cells[watched], customers[watched])
    new = watched & (before < records["run"][cells])  # the first trouble since it began to look like one
    np.add.at(records["struck"], cells[new], customers[new])


def _add_daily(one: Counted, watches: Watches, labels: Labels) -> None:
    tally = watches.tally
    regions = [labels.regions.row(name) for name in one.regions] + [-1]  # −1 is the last
    plans = [labels.plans.row(name) for name in one.plans] + [-1]
    for series, day, region, plan, count in np.frombuffer(one.counts, np.int64).reshape(-1, 5).tolist():
        tally.count_in(series, day, regions[region], plans[plan], count)
        if series == BILLS:
            watches.clock.bills[0] += count
    for series, day, region, plan, customer in np.frombuffer(one.named, np.int64).reshape(-1, 5).tolist():
        tally.name(series, day, regions[region], customer, plans[plan])
