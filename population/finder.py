"""The desk and the tally of who judges for all partitions: what it would publish goes to them first, as findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from population.crowd import Crowd, Customers
from population.desk import IncidentDesk
from population.findings import Finding
from population.incident import IncidentStatus, Known
from population.tally import Tally


class Asked(np.ndarray[Any, np.dtype[np.int64]]):
    """Customers (hashes), with what was asked to find them: series, and local days from the first to the last."""

    series: list[int]
    days: tuple[int, int]


class AskedTally(Tally):
    """A tally whose answers know what was asked, for the partitions to ask their own."""

    def who(self, series: Iterable[int], days: Iterable[int], region: int) -> Customers:
        """As Tally.who."""
        wanted, of = [*series], [*days]
        found = super().who(wanted, of, region).view(Asked)
        found.series, found.days = wanted, (min(of, default=0), max(of, default=-1))
        return found


class Finder(IncidentDesk):
    """Writes findings; `number` is that of the next."""

    def __init__(self, utc_offset: int, versions: Mapping[str, str]) -> None:
        super().__init__(utc_offset, versions)
        self.number = 0
        self._found: list[Finding] = []

    def take_findings(self) -> list[Finding]:
        """Those since the last call."""
        found, self._found = self._found, []
        return found

    def _say(
        self, one: Known, status: IncidentStatus, at: int, customers: Customers, _crowd: Crowd, least: int = 0
    ) -> None:
        one.revision += 1
        one.customers = max(len(customers), least)
        series, days = (customers.series, customers.days) if isinstance(customers, Asked) else ([], (0, -1))
        self._found.append(
            Finding(
                self.number,
                at,
                one.kind,
                one.scope,
                one.started_at,
                status.value,
                one.revision,
                one.customers,
                series=series,
                days=days,
            )
        )
        self.number += 1
