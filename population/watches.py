"""All watches of a partition, as the engine drives them.

Alone it judges what it counts. Where partitions share the customers it counts, and tells; one judges for all (population/judge.py),
and what that one finds is taken over (`obey`).

The engine asks for the next moment at which there is something to do (`scan`, or `pass_time` where no events come), folds up
to there, and has it done (`act`). So a batch is cut where a watch acts and nowhere else, at moments of event time, and the
incidents do not depend on how the stream was cut into batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from customers.measures import MEASURE
from customers.partition import Work
from customers.rounds import DUPLICATE, Rows
from events.codes import CAUSE, Kind
from events.columns import EVENT
from events.contract import MarketNoted, NetworkIncident
from events.times import SLOT_US
from population.bills import LEAST_BILLS, SHOCK, BillWatch
from population.crowd import Crowd
from population.desk import IncidentDesk
from population.findings import Finding, Said
from population.incident import PLAN, REGION, Incident, IncidentKind
from population.market import Market
from population.network import Network
from population.peaks import PeakWatch
from population.plan_bills import PlanBillWatch
from population.slots import CLOSED, END, MET, PEERS_AFTER_US, TOLD, WAIT_US, Clock, hits, scan
from population.tally import ALL, BILLS, GRIEVANCES, LEFT, NOWHERE, SHOCKS, SIGNS, Tally, plan_of
from population.telling import Telling

DAY_US: Final = 86_400_000_000
REMEMBERED_US: Final = 90 * DAY_US
SHARED_DAYS: Final = 20
"""Days of which a partition that shares knows who was counted: as many as a finding may ask for."""
_COUNTED: Final = np.zeros(256, np.bool_)
_COUNTED[
    [
        Kind.BILL_ISSUED,
        Kind.COMPLAINT_OPENED,
        Kind.PORTING_QUERIED,
        Kind.PORTING_REQUESTED,
        Kind.CANCELLATION_REQUESTED,
    ]
] = True
_OF_BILLS: Final = CAUSE["plan_price"]
_NO_EVENTS: Final = np.zeros(0, EVENT)


def clock_of(parts: npt.NDArray[np.int64]) -> Clock:
    """The scan's clock from its parts, shape (6,), as views."""
    return Clock(parts[0:1], parts[1:2], parts[2:3], parts[3:4], parts[4:6])


class Stop(NamedTuple):
    """A moment at which a watch acts: after the events before `position`, at `time` (µs).

    `changes`: (cell, what) found; `look`: the daily watches are due; `fact`: the index of what was reported of the network or the market.
    """

    position: int
    time: int
    changes: list[tuple[int, int]]
    look: bool
    fact: int | None


class Watches:
    """The watches over cells, bills and churn. `utc_offset` in µs; `desk` and `tally` for who needs others."""

    def __init__(
        self,
        utc_offset: int,
        versions: Mapping[str, str],
        desk: IncidentDesk | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.offset = utc_offset
        self.telling: Telling | None = None  # where partitions share the customers
        self.desk = IncidentDesk(utc_offset, versions) if desk is None else desk
        self.network = Network(self.desk)
        self.market = Market()
        self._bills = BillWatch(self.desk, utc_offset)
        self._plans = PlanBillWatch(self.desk, utc_offset)
        self._peaks = PeakWatch(self.desk, utc_offset)
        self.tally = Tally() if tally is None else tally
        self.clock = clock_of(np.zeros(6, np.int64))
        self.network.seen = self.clock.seen
        self._day = 0  # the newest local day that was ended here
        self._cells = np.zeros(0, np.int32)
        self._counted = np.zeros(1, np.bool_)
        self._at = 0

    def share(self) -> None:
        """Count for the one that judges for all, from now on; what was found here before is left to that one."""
        if self.telling is None:
            self.telling = Telling()
            self.network.leave((int(self.clock.judged[0]) + 1) * SLOT_US)
            self.desk.known = {}

    def begin(self, work: Work, customers: int) -> None:
        """A batch comes; `customers`: how many there are with it."""
        self._cells = self.network.number(work.batch, customers)
        self._counted = np.append(_COUNTED[work.batch.events["kind"]], False)  # timers' rows have event −1
        self._at = 0

    def scan(self, work: Work) -> Stop | None:
        """The next moment of the batch at which there is something to do."""
        return self._scan(work.batch.events, work.clocks, work.who, self._cells, self._at, 0)

    def pass_time(self, to: int) -> Stop | None:
        """The next moment up to `to` (µs) while no events come."""
        none = np.zeros(0, np.int32)
        return self._scan(_NO_EVENTS, np.zeros(0, np.int64), none, none, 0, to)

    def _scan(
        self,
        events: npt.NDArray[np.void],
        clocks: npt.NDArray[np.int64],
        who: npt.NDArray[np.int32],
        cells: npt.NDArray[np.int32],
        first: int,
        until: int,
    ) -> Stop | None:
        network = self.network
        room = max(network.cells.count, 1)
        changed, what = np.empty(room, np.int32), np.empty(room, np.uint8)
        why = MET
        while why in {MET, CLOSED}:
            struck = hits(0 if self.telling is None else len(events) + 1)
            why, first, time, changes, look = scan(
                events,
                clocks,
                who,
                cells,
                first,
                until,
                network.cells.records,
                network.marks,
                self.clock,
                self.offset,
                LEAST_BILLS,
                changed,
                what,
                struck,
            )
            if self.telling is not None and struck.count[0]:
                self.telling.struck(struck)
            if why == MET:
                network.met(int(cells[first]))
            elif why == CLOSED and self.telling is not None:
                self.telling.close(time, network.cells, int(self.clock.seen[0]))
        self._at = first
        if why == END:
            return None
        found = list(zip(changed[:changes].tolist(), what[:changes].tolist(), strict=True))
        return Stop(first, time, found, look, first - 1 if why == TOLD else None)

    def act(self, stop: Stop, work: Work | None, crowd: Crowd) -> None:
        """Do what is due at a stop."""
        for cell, what in stop.changes:
            self.network.changed(cell, what, stop.time, crowd)
        if stop.fact is not None and work is not None and work.fate[stop.fact] != DUPLICATE:
            fact = work.batch.facts.get(stop.fact)
            if isinstance(fact, NetworkIncident | MarketNoted):
                self.reported(fact, stop.time, crowd)
        if stop.look:
            self._look(stop.time, crowd)

    def reported(self, fact: NetworkIncident | MarketNoted, at: int, crowd: Crowd) -> None:
        """Something was reported of the network or the market, at `at` (µs)."""
        if isinstance(fact, MarketNoted):
            self.market.noted(fact, at)
        if self.telling is not None:
            return  # incidents are for the one that judges
        if isinstance(fact, NetworkIncident):
            self.network.reported(fact, at, crowd)
        else:
            self._peaks.noted(fact, at)

    def obey(self, finding: Finding, crowd: Crowd) -> None:
        """Take over what was found in what all partitions counted, and say whom it concerns here."""
        self.desk.take_over(finding)
        if finding.kind == IncidentKind.NETWORK:
            affected = self.network.obey(finding, self.desk.known[finding.kind, finding.scope].incident_id, crowd)
        else:
            days = range(finding.days[0], finding.days[1] + 1)
            affected = self.tally.who(finding.series, days, self._place(finding.scope, days, crowd))
        if self.telling is not None:
            self.telling.answer(finding.number, affected, finding.at, crowd)

    def _place(self, scope: str, days: range, crowd: Crowd) -> int:
        """The place of a scope in what was counted on these days."""
        if scope.startswith(PLAN):
            places = [place for place in self.tally.plans(days) if PLAN + crowd.plan(plan_of(place)) == scope]
        elif scope.startswith(REGION):
            regions = {region for day in days for region in self.tally.regions(day)}
            places = [region for region in regions if REGION + crowd.region(region) == scope]
        else:
            return ALL
        return places[0] if places else NOWHERE

    def said(self, passed: int, crowd: Crowd) -> Said | None:
        """What the one that judges does not know yet, if anything; `passed` (µs): nothing comes before it any more."""
        if self.telling is None:
            return None
        judged = int(self.clock.judged[0])
        return self.telling.take(
            judged + 1 if judged else max(passed - WAIT_US, 0) // SLOT_US, self.network.cells, crowd
        )

    def peers_day(self, stop: Stop) -> int:
        """The newest local day (days since 1970) whose uses all partitions know of at a stop."""
        return (stop.time - WAIT_US - PEERS_AFTER_US + self.offset) // DAY_US - 1

    def day_ended(self, stop: Stop) -> int | None:
        """The local day (days since 1970) that has ended by a stop and was not looked at yet."""
        ended = (stop.time - WAIT_US + self.offset) // DAY_US - 1
        return ended if stop.look and self._day < ended else None

    def _look(self, at: int, crowd: Crowd) -> None:
        today = (at - WAIT_US + self.offset) // DAY_US
        ended = today - 1
        if self.telling is not None:
            self._keep_house(today, at)
        elif self._day < ended:
            general = self._bills.struck(self.tally, ended)
            self._plans.end_of_day(self.tally, ended, at, crowd, general=general)
            self._bills.end_of_day(self.tally, ended, at, crowd, explained=self._plans.explains(self.tally, ended))
            self._peaks.end_of_day(self.tally, ended, at, crowd)
            self.network.end_of_day(at, crowd)
            self.market.forget(at)
            self._day = ended
            self.tally.forget(min(watch.keeps(today) for watch in (self._bills, self._peaks, self._plans)))
            self.desk.forget(at - REMEMBERED_US)
        else:
            self._plans.look(self.tally, today, at, crowd, general=self._bills.struck(self.tally, today))
            self._bills.look(self.tally, today, at, crowd, explained=self._plans.explains(self.tally, today))

    def _keep_house(self, today: int, at: int) -> None:
        """What is left to do at a day's end where another judges."""
        if self._day < today - 1:
            self._day = today - 1
            self.network.holds.forget(at)
            self.market.forget(at)
            self.tally.forget(today - SHARED_DAYS)
            self.desk.forget(at - REMEMBERED_US)

    def _count(self, series: int, at: int, region: int, customer: int, plan: int = -1) -> None:
        day = (at + self.offset) // DAY_US
        self.tally.add(series, day, region, customer, plan)
        if self.telling is not None:
            self.telling.add(at, (series, day, region, plan, customer))

    def rows(self, rows: Rows, count: int, kinds: npt.NDArray[np.uint8]) -> None:
        """Count what the rows of a round bring; `kinds` of the batch's events."""
        for i in np.flatnonzero(self._counted[rows.event[:count]]).tolist():
            region = rows.measures[i, MEASURE["region"]]
            place, now = -1 if region != region else int(region), int(rows.now[i])
            plan = rows.measures[i, MEASURE["plan"]]
            customer, of = int(rows.customer[i]), -1 if plan != plan else int(plan)
            kind = kinds[rows.event[i]]
            if kind == Kind.COMPLAINT_OPENED:
                if rows.measures[i, MEASURE["complaint_cause"]] == _OF_BILLS:
                    self._count(GRIEVANCES, now, place, customer, of)
            elif kind != Kind.BILL_ISSUED:
                self._count(SIGNS, now, place, customer)
            else:
                self._count(BILLS, now, place, customer, of)
                if rows.measures[i, MEASURE["bill_ratio"]] >= SHOCK:
                    self._count(SHOCKS, now, place, customer, of)

    def left(self, customer: int, at: int, region: int) -> None:
        """A customer left of their own will, which was told at `at` (µs)."""
        self._count(LEFT, at, region, customer)

    def take(self) -> list[Incident]:
        """The incidents' revisions since the last call."""
        return self.desk.take()

    def _rest(self) -> tuple[Any, ...]:
        """The parts whose snapshots go as JSON."""
        return self.desk, self._bills, self._peaks, self.tally, self.market, self._plans

    def snapshot(self) -> dict[str, npt.NDArray[np.generic] | bytes]:
        """Everything."""
        arrays, network = self.network.snapshot()
        state = [network, self._day, [part.snapshot() for part in self._rest()]]
        telling = {} if self.telling is None else {"telling": self.telling.snapshot()}
        return {**arrays, **telling, "clock": np.concatenate(self.clock), "state": msgspec.json.encode(state)}

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises ValueError for one of another layout.
        """
        network, self._day, rest = msgspec.json.decode(bytes(parts["state"]))
        self.network.restore(parts, network)
        for part, saved in zip(self._rest(), rest, strict=True):
            part.restore(saved)
        clock = np.array(parts["clock"], np.int64)
        self.clock = clock_of(clock)
        self.network.seen = self.clock.seen
        if "telling" in parts:
            self.telling = Telling()
            self.telling.restore(bytes(parts["telling"]))
