"""Incidents of the network: reported by the network, or found in what customers of a cell live through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from events.columns import Batch
from events.contract import NetworkIncident
from events.times import SLOT_US, time_of
from population.cells import Cells
from population.crowd import Crowd, Customers
from population.desk import IncidentDesk
from population.findings import Finding
from population.holds import LEAST_GRACE_US, Holds, home_of
from population.incident import CELL, IncidentKind, IncidentStatus
from population.slots import CALMED, GREW, OPENED, REST_SLOTS, YEAR_SLOTS, Marks

DAY_US: Final = 86_400_000_000
MOST_OPEN_US: Final = 7 * DAY_US
"""After so long an incident counts as over: its end was not told, or the cell is no more."""
AGAIN_US: Final = 6 * 3_600_000_000
"""A fault that comes back so soon after its end is the same fault, unless it has been going on for MOST_OPEN_US."""
_NETWORK: Final = IncidentKind.NETWORK
_FOUND, _REPORTED = 1, 2


class Network:
    """The watch over cells; what it decides goes to the desk, and holds warnings that it explains."""

    def __init__(self, desk: IncidentDesk) -> None:
        self.cells = Cells()
        self.holds = Holds()
        self.marks = Marks(np.zeros(0, np.int32), np.zeros(0, np.int32))
        self._desk = desk
        self._reported: dict[str, int] = {}  # when each report that stands was dated, µs
        self.seen = np.zeros(1, np.int64)  # cells that the scan has met: a batch numbers them ahead of it

    def number(self, batch: Batch, customers: int) -> npt.NDArray[np.int32]:
        """The cells of a batch's events; room for the marks of so many customers."""
        if customers > len(self.marks.cell):
            for array in self.marks:
                array.resize(max(customers, int(len(array) * 1.25)), refcheck=False)
        return self.cells.number(batch)

    def _cell(self, name: str) -> int | None:
        """The number of a cell that was met."""
        cell = self.cells.find(name)
        return cell if cell is not None and cell < self.seen[0] else None

    def met(self, cell: int) -> None:
        """A cell is used for the first time; the network may have spoken of it before."""
        name, record = self.cells.names.text(cell), self.cells.records[cell]
        known = self._desk.known.get((_NETWORK.value, CELL + name))
        if known is None:
            return
        if not known.resolved:
            record["open"], record["told"] = _REPORTED, known.customers
        elif home_of(name) in self.holds.by_home:
            record["rest"] = self.holds.by_home[home_of(name)].over // SLOT_US + REST_SLOTS

    def changed(self, cell: int, what: int, at: int, crowd: Crowd) -> None:
        """What the counts say of a cell at `at` (µs)."""
        record, name = self.cells.records[cell], self.cells.names.text(cell)
        if what == OPENED:
            self._open(name, int(record["run"]) * SLOT_US, at, _FOUND, crowd)
        elif what == GREW:
            residents = crowd.at_home(home_of(name))
            record["told"] = int(record["struck"])
            self._desk.update(_NETWORK, CELL + name, at, residents, crowd, int(record["struck"]))
        elif what == CALMED:
            self._resolve(name, at, at, crowd)

    def reported(self, fact: NetworkIncident, at: int, crowd: Crowd) -> None:
        """The network says that a fault began or ended; an older word than the last one changes nothing."""
        dated = min(time_of(fact.occurred_at, "occurred_at"), at)
        if dated < self._reported.get(fact.cell_id, 0) or at - dated > MOST_OPEN_US:
            return
        self._reported[fact.cell_id] = dated
        if fact.status == "opened":
            self._open(fact.cell_id, dated, at, _REPORTED, crowd)
        elif self._desk.is_open(_NETWORK, CELL + fact.cell_id):
            self._resolve(fact.cell_id, dated, at, crowd)

    def _open(self, name: str, started: int, at: int, by: int, crowd: Crowd) -> None:
        cell = self._cell(name)
        if self._desk.is_open(_NETWORK, CELL + name):  # found first, reported now: the same goes on
            if cell is not None:
                self.cells.records[cell]["open"] = by
            return
        residents, known = crowd.at_home(home_of(name)), self._desk.known.get((_NETWORK.value, CELL + name))
        again = None
        if known is not None and known.started_at < started and at - known.started_at <= MOST_OPEN_US:
            again = self._desk.reopen(_NETWORK, CELL + name, at, residents, crowd, AGAIN_US)
        one = again or self._desk.open(_NETWORK, CELL + name, started, at, residents, crowd)
        if one is None:
            return
        self.holds.begin(home_of(name), at, one.incident_id, again=again is not None)
        if cell is not None:
            record = self.cells.records[cell]
            record["open"], record["calm"], record["quiet"] = by, 0.0, 0
            record["told"] = max(one.customers, int(record["struck"]))

    def _resolve(self, name: str, over: int, at: int, crowd: Crowd) -> None:
        """It was over at `over`, which is known at `at` (µs)."""
        cell, felt = self._cell(name), False
        if cell is not None:
            record = self.cells.records[cell]
            felt = record["open"] == _FOUND or max(record["burst"], record["hush"]) >= np.log(YEAR_SLOTS)
            for field in ("burst", "hush", "calm", "quiet", "struck", "open"):
                record[field] = 0
            record["rest"] = at // SLOT_US + REST_SLOTS
        one = self._desk.resolve(_NETWORK, CELL + name, at, crowd.at_home(home_of(name)), crowd)
        self.holds.end(home_of(name), at, over - one.started_at, felt=bool(felt))

    def obey(self, finding: Finding, incident_id: str, crowd: Crowd) -> Customers:
        """Hold for what was found, or reported, of a cell by who judges for all partitions; gives whom it concerns here."""
        name, at = finding.scope[len(CELL) :], finding.at
        home, cell, status = home_of(name), self._cell(name), IncidentStatus(finding.status)
        if status is IncidentStatus.RESOLVED:
            if home in self.holds.by_home:
                self.holds.let_go(home, at, finding.grace)
            if cell is not None:
                self.cells.records[cell]["open"], self.cells.records[cell]["rest"] = 0, at // SLOT_US + REST_SLOTS
        elif status is not IncidentStatus.UPDATED:
            self.holds.begin(home, at, incident_id, again=status is IncidentStatus.REOPENED)
            if cell is not None:
                self.cells.records[cell]["open"] = _FOUND
        return crowd.at_home(home)

    def leave(self, at: int) -> None:
        """What is open is left to another, who finds it again if it is so at `at` (µs)."""
        for home, hold in [*self.holds.by_home.items()]:
            if hold.over > at:
                self.holds.let_go(home, at, LEAST_GRACE_US)
        for field in ("open", "tried", "used", "hit"):
            self.cells.records[field] = 0

    def end_of_day(self, at: int, crowd: Crowd) -> None:
        """Close what has been open for too long, and forget what is long over."""
        for known in [*self._desk.known.values()]:
            if known.kind == _NETWORK and not known.resolved and at - known.started_at > MOST_OPEN_US:
                self._resolve(known.scope[len(CELL) :], at, at, crowd)
        self.holds.forget(at)
        self._reported = {cell: dated for cell, dated in self._reported.items() if at - dated <= 2 * MOST_OPEN_US}

    def snapshot(self) -> tuple[dict[str, npt.NDArray[np.generic]], list[Any]]:
        """Arrays, and what goes as JSON."""
        marks = {"marks_cell": self.marks.cell, "marks_slot": self.marks.slot}
        holds = [[home, *hold] for home, hold in self.holds.by_home.items()]
        return {**self.cells.snapshot(), **marks}, [holds, list(self._reported.items())]

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], saved: list[Any]) -> None:
        """Take over a snapshot; raises ValueError for one of another layout."""
        self.cells.restore(arrays)
        self.marks = Marks(*(np.array(arrays[name], np.int32) for name in ("marks_cell", "marks_slot")))
        holds, reported = saved
        self.holds.take({int(home): hold for home, *hold in holds})
        self._reported = {cell: int(dated) for cell, dated in reported}
