"""The one that judges for all partitions, from what each tells of its own customers (docs/adr/0010-one-judge.md).

It is a function of the statements in the order of their topic, each heard once, so whoever takes it over from a saved state finds
the same again. The mathematics are those of one partition's watches, here of the sums: a slot is judged once all have told of it.
Nothing is known here of customers but their hashes; whom a finding concerns is what the partitions answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from events.times import SLOT_US
from population.bills import LEAST_BILLS
from population.finder import AskedTally, Finder
from population.findings import MOST_FINDINGS, Answer, Counted, Finding, Said, Word, unpacked
from population.holds import home_of
from population.incident import CELL, MOST_LISTED, Incident, IncidentKind, IncidentStatus, Known
from population.reports import Turn, facts_of, identity_of, turn_of
from population.slots import WAIT_US, close, pass_by
from population.sums import Labels, add
from population.watches import REMEMBERED_US, Stop, Watches


class Open(msgspec.Struct):
    """A finding that is not published yet: how many it concerns, how many of high value, their ids, by partition."""

    finding: Finding
    answers: dict[int, tuple[int, int, list[str]]] = {}


class Judge:
    """`lanes` partitions there are; `before[lane]`: the slot before which a partition has told everything."""

    def __init__(self, utc_offset: int, versions: Mapping[str, str], lanes: int = 0) -> None:
        self.lanes = lanes
        self.desk = Finder(utc_offset, versions)
        self.watches = Watches(utc_offset, versions, self.desk, AskedTally())
        self.labels = Labels()
        self.offset = 0  # of the statement to be heard next
        self.before: dict[int, int] = {}
        self.silent: set[int] = set()  # whom nobody waits for until they speak again
        self.reports: dict[int, int] = {}  # those heard, by their identity: when each has its turn (µs)
        self.waiting: list[Turn] = []  # reports whose turn has not come
        self.slots: dict[int, list[bytes]] = {}
        self.now = 0
        self.open: dict[int, Open] = {}  # by number, in order
        self.findings: list[Finding] = []  # not made known yet
        self.out: list[Incident] = []

    def hear(self, word: Word, offset: int | None = None) -> None:
        """What a partition said at this offset of the topic (None: of none); what was heard before is left out.

        Its findings are this one's own. Unless a saved state was lost they are known here, and numbers go on behind them anyway.
        """
        if offset is not None:
            if offset < self.offset:
                return
            self.offset = offset + 1
        self.silent.update(word.without)
        self.desk.number = max([self.desk.number, *(finding.number + 1 for finding in word.findings)])
        self._reported(word.reports)
        if word.said is not None:
            self._told(word.lane, word.said)
        self._publish()
        self._go_on()
        self._publish()

    def _told(self, lane: int, said: Said) -> None:
        told = self.before.get(lane, 0)
        for slot, raw in said.slots:
            if slot >= max(told, self.judged + 1):
                self.slots.setdefault(slot, []).append(raw)
        if said.before > told:
            self.before[lane] = said.before
            self.silent.discard(lane)
        for raw in said.answers:
            self._answered(lane, unpacked(raw, Answer))

    def _reported(self, reports: Sequence[str]) -> None:
        """Each counts once: who takes a partition over may say them again, in another order of the topics, and a producer may have
        sent it to two partitions.
        """
        for report in reports:
            key, turn = identity_of(report), turn_of(report)
            if key not in self.reports:
                self.reports[key] = turn
                self.waiting.append((turn, report))

    @property
    def judged(self) -> int:
        """The newest slot judged; 0: none."""
        return int(self.watches.clock.judged[0])

    def _awaited(self) -> list[int]:
        return [lane for lane in range(self.lanes) if lane not in self.silent]

    def _go_on(self) -> None:
        """Judge slots and take reports in, each in its turn; whom the last finding concerns is known before the next."""
        complete = min((self.before.get(lane, 0) for lane in self._awaited()), default=0)
        if self.judged == 0:
            if complete == 0:
                return
            self._begin(min([complete, *self.slots]))
        while not self.open:
            due = (self.judged + 2) * SLOT_US + WAIT_US
            report = min(self.waiting, default=None)
            if report is not None and report[0] < due:
                self.waiting.remove(report)
                self.now = max(self.now, report[0])
                for fact in facts_of(report[1]):
                    self.watches.reported(fact, self.now, self.labels)
            elif complete > self.judged + 1:
                quiet = min([complete, *self.slots, *((turn - WAIT_US) // SLOT_US for turn, _ in self.waiting)])
                if quiet > self.judged + 1:
                    self._pass_by(quiet)
                else:
                    self.now = due
                    self._judge(self.judged + 1)
            else:
                return
            self._found()

    def _begin(self, slot: int) -> None:
        clock = self.watches.clock
        clock.judged[0] = slot - 1
        clock.day[0] = (slot * SLOT_US + self.watches.offset) // (24 * 3_600_000_000)

    def _pass_by(self, until: int) -> None:
        """Slots before `until` of which nobody told anything, up to the next day's end."""
        watches = self.watches
        look = pass_by(watches.network.cells.records, watches.clock, watches.offset, LEAST_BILLS, until)
        self.now = (self.judged + 1) * SLOT_US + WAIT_US
        if look:
            self._act([], look=True)

    def _act(self, changes: list[tuple[int, int]], *, look: bool) -> None:
        self.watches.act(Stop(0, self.now, changes, look, None), None, self.labels)
        if look:
            self.reports = {key: turn for key, turn in self.reports.items() if turn > self.now - REMEMBERED_US}

    def _judge(self, slot: int) -> None:
        watches = self.watches
        for raw in self.slots.pop(slot, []):
            add(unpacked(raw, Counted), watches, self.labels)
        cells = watches.network.cells
        changed, what = np.empty(max(cells.count, 1), np.int32), np.empty(max(cells.count, 1), np.uint8)
        changes, look, _ = close(cells.records, watches.clock, watches.offset, LEAST_BILLS, changed, what)
        found = list(zip(changed[:changes].tolist(), what[:changes].tolist(), strict=True))
        self._act(found, look=look)

    def _found(self) -> None:
        """What was just found waits to be made known, and for whom it concerns."""
        for finding in self.desk.take_findings():
            one = finding
            if finding.kind == IncidentKind.NETWORK and finding.status == IncidentStatus.RESOLVED:
                hold = self.watches.network.holds.by_home[home_of(finding.scope[len(CELL) :])]
                one = msgspec.structs.replace(finding, grace=hold.until - hold.over)
            self.findings.append(one)
            self.open[one.number] = Open(one)

    def _answered(self, lane: int, answer: Answer) -> None:
        if answer.number in self.open:
            found = answer.customers, answer.high_value, answer.customer_ids
            self.open[answer.number].answers.setdefault(lane, found)

    def _publish(self) -> None:
        """What all have answered goes out, in order."""
        for number, one in [*self.open.items()]:
            if any(lane not in one.answers for lane in self._awaited()):
                return
            del self.open[number]
            self.out.append(self._written(one))

    def _written(self, one: Open) -> Incident:
        finding, answers = one.finding, [one.answers[lane] for lane in sorted(one.answers)]
        customers = max(sum(count for count, _, _ in answers), finding.least)
        known = self.desk.known.get((finding.kind, finding.scope))
        if known is not None and known.started_at == finding.started_at:
            known.customers = max(known.customers, customers)
            self._grown(known)
        high = sum(value for _, value, _ in answers)
        said = Known(
            finding.kind,
            finding.scope,
            finding.started_at,
            finding.revision,
            finding.status == IncidentStatus.RESOLVED,
            finding.at,
            customers,
            high,
        )
        ids = [customer for _, _, listed in answers for customer in listed][:MOST_LISTED]
        return self.desk.written(said, IncidentStatus(finding.status), ids)

    def _grown(self, known: Known) -> None:
        """So many are known to be concerned: a fault of a cell has grown when it strikes twice as many."""
        if known.kind == IncidentKind.NETWORK:
            cells = self.watches.network.cells
            cell = cells.find(known.scope[len(CELL) :])
            if cell is not None and cells.records[cell]["open"]:
                cells.records[cell]["told"] = max(int(cells.records[cell]["told"]), known.customers)

    def take_findings(self) -> list[Finding]:
        """The next of those that were not made known yet, as many as fit into a statement."""
        findings, self.findings = self.findings[:MOST_FINDINGS], self.findings[MOST_FINDINGS:]
        return findings

    def take(self) -> list[Incident]:
        """What goes out."""
        out, self.out = self.out, []
        return out

    def snapshot(self) -> dict[str, npt.NDArray[np.generic] | bytes]:
        """Everything."""
        rooms: dict[str, Mapping[str, npt.NDArray[np.generic] | bytes]] = {
            "watches": self.watches.snapshot(),
            "regions": self.labels.regions.snapshot(),
            "plans": self.labels.plans.snapshot(),
        }
        saved = {f"{room}.{name}": part for room, parts in rooms.items() for name, part in parts.items()}
        state = State(
            self.offset,
            self.desk.number,
            self.now,
            self.before,
            sorted(self.silent),
            self.reports,
            self.waiting,
            self.slots,
            [*self.open.values()],
            self.findings,
            self.out,
        )
        return {**saved, "state": msgspec.msgpack.encode(state)}

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Take over a snapshot; raises ValueError for one of another layout."""

        def of(room: str) -> dict[str, Any]:
            return {name[len(room) + 1 :]: part for name, part in parts.items() if name.startswith(room + ".")}

        self.watches.restore(of("watches"))
        self.labels.regions.restore(of("regions"))
        self.labels.plans.restore(of("plans"))
        state = msgspec.msgpack.decode(bytes(parts["state"]), type=State)
        self.offset, self.desk.number, self.now = state.offset, state.number, state.now
        self.before, self.silent, self.reports = state.before, set(state.silent), state.reports
        self.waiting, self.slots, self.findings, self.out = state.waiting, state.slots, state.findings, state.out
        self.open = {one.finding.number: one for one in state.open}


class State(msgspec.Struct):
    """What of a judge is no array."""

    offset: int
    number: int
    now: int
    before: dict[int, int]
    silent: list[int]
    reports: dict[int, int]
    waiting: list[Turn]
    slots: dict[int, list[bytes]]
    open: list[Open]
    findings: list[Finding]
    out: list[Incident]
