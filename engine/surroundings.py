"""What of the network and the market concerns the customers of rows: it is known beside their own measures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from customers.measures import MEASURE
from customers.partition import Partition
from customers.rounds import Rows
from population.holds import Holds
from population.market import Market


class Surroundings:
    """Incidents of home cells (`holds`) and the market."""

    def __init__(self, partition: Partition, holds: Holds, market: Market) -> None:
        self._partition = partition
        self._holds = holds
        self._market = market

    def tell(self, rows: Rows, count: int) -> None:
        """Write it beside the measures of the first `count` rows."""
        self._tell_incidents(rows, count)
        self._tell_market(rows, count)

    def _tell_incidents(self, rows: Rows, count: int) -> None:
        if self._holds:
            homes = rows.measures[:count, MEASURE["home_cell"]]
            some = self._holds.among(homes)  # the others have been measured as without an incident
            homes, now = homes[some], rows.now[some]
            rows.measures[some, MEASURE["incident_open"]] = self._holds.open(homes, now)
            rows.measures[some, MEASURE["days_since_incident"]] = self._holds.days_since(homes, now)
            rows.measures[some, MEASURE["incidents_30d"]] = self._holds.lately(homes, now)

    def _tell_market(self, rows: Rows, count: int) -> None:
        if self._market:
            labels = self._partition.profiles.labels
            self._market.tell(rows.measures[:count], rows.now[:count], labels["region"], labels["plan"])

    def explained(self, rows: Rows, count: int) -> npt.NDArray[np.bool_] | None:
        """In which rows an incident of the customer's cell explains use and network; None while there is none at all."""
        if not self._holds:
            return None
        homes, explained = rows.measures[:count, MEASURE["home_cell"]], np.zeros(count, np.bool_)
        some = self._holds.among(homes)
        explained[some] = self._holds.explained(homes[some], rows.now[some])
        return explained

    def incident_id(self, rows: Rows, row: int) -> str | None:
        """The incident that is open in a row's home cell."""
        return self._holds.incident_id(float(rows.measures[row, MEASURE["home_cell"]]), int(rows.now[row]))
