"""The customers of a partition as the watches over the whole population ask about them."""

from __future__ import annotations

import numpy as np

from customers.layout import C, L, T
from customers.partition import Partition, Work
from detectors.features import CATALOGUE
from engine.evaluation import Evaluation
from engine.row_views import Names
from population.crowd import Customers

_HIGH = CATALOGUE["value_class"].values.index("high")


class PartitionCrowd:
    """Answers as of the moment that `work` has come to; without work, as of now."""

    def __init__(self, partition: Partition, evaluation: Evaluation, names: Names, work: Work | None) -> None:
        self._partition = partition
        self._evaluation = evaluation
        self._names = names
        self._work = work

    def at_home(self, home: int) -> Customers:
        """Those whose home cell this is, who have not left."""
        state = self._partition.customers
        found = np.flatnonzero(state.column("labels", L["home_cell"]) == home)
        records = state.records[found]
        here = (records["times"][:, T["first_seen"]] > 0) & (records["codes"][:, C["churned"]] == 0)
        return np.asarray(found[here], np.int64)

    def high_value(self, customers: Customers, at: int) -> int:
        """How many of them are of high value at `at` (µs)."""
        found = 0
        for rows, count in self._partition.look(customers, at, self._work):
            found += int(np.count_nonzero(self._evaluation.feature("value_class", rows, count) == _HIGH))
        return found

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._names.customer_id(customer)

    def region(self, label: int) -> str:
        """The name of a region."""
        return self._partition.profiles.labels["region"].text(label)

    def plan(self, label: int) -> str:
        """The name of a plan."""
        return self._partition.profiles.labels["plan"].text(label)
