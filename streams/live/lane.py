"""One partition of all topics: its engine, what is read of it, and how far that has been applied.

Everything here is told what happened and when; nothing waits, reads or writes. `accept` is called as records come, `work`
applies what may be applied, `tick` lets the clock of a partition without events go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from events.columns import Batch, empty_batch
from events.contract import MarketNoted, NetworkIncident
from events.deadletters import DeadLetter, Reason, dead_letter
from events.decode import decode
from events.records import Read, decode_records
from events.times import SLOT_US, rfc3339, time_of
from population.findings import Finding, Said
from population.incident import Incident
from rules.early_warning import EarlyWarning
from streams.admit import admit
from streams.core import Core, Step
from streams.guarding import Alarm
from streams.live.exchange import Exchange, Statement, Teller
from streams.live.merge import LONG_AGO, NEVER, Merger
from streams.live.placement import misplaced
from streams.live.topics import EVENTS, POPULATION

HOLD_US: Final = 30_000_000
LIVE_US: Final = 86_400_000_000
"""A clock further behind the wall clock is that of old events, which says nothing about how time goes on."""
STEP_US: Final = 10_000_000
"""Ticks come no closer to one another."""
MOST_WAITING: Final = 60_000
"""Events of a topic that wait to be applied, beyond which no more are read."""
MOST_AT_ONCE: Final = 16_384


class Reload(msgspec.Struct, frozen=True):
    """Other rules: the bundle of this hash, by the order at this offset of the topic (live.bundle)."""

    order: int
    rules: str
    released: list[str] = []
    rebuild: bool = False


Arrival = tuple[str, Sequence[Read], float]
"""Records of a topic, and when they came (monotonic, s)."""


class Tick(msgspec.Struct, frozen=True):
    """What happened to a partition beside its events, after those before `positions`: its clock moved to `to` (`at` wall
    time, µs), with `reload` its rules became others, or it took over what was found for all partitions (`finding`).

    `after` is the offset behind the tick before it, as its maker of this `epoch` knew it.
    """

    to: int
    at: int
    positions: dict[str, int]
    after: int
    epoch: int
    reload: Reload | None = None
    finding: Finding | None = None


class Covered(msgspec.Struct, frozen=True):
    """What a checkpoint of a partition covers: offsets behind the events applied, the topics' times, the ticks' next offset.

    `outputs`: offsets behind what was delivered; `heard`, `said`, `reports`, `found`, `to_obey`: of the exchange, which was read up to `population`. `rules` is the bundle in force and `order` the order that made it so. `clock` is the stream clock, which events moved at `moved_at` (both µs).
    """

    positions: dict[str, int]
    turns: dict[str, int]
    ticks: int = 0
    outputs: dict[str, int] = {}
    events: int = 0
    clock: int = 0
    moved_at: int = 0
    heard: dict[int, int] = {}
    said: int = 0
    population: int = 0
    reports: dict[int, int] = {}
    to_apply: list[str] = []
    reported: list[str] = []
    rules: str = ""
    order: int = -1
    found: int = 0
    to_obey: list[Finding] = []


class Output(NamedTuple):
    """What came of some work."""

    decisions: Sequence[EarlyWarning] = ()
    incidents: Sequence[Incident] = ()
    dead: Sequence[DeadLetter] = ()
    applied: int = 0
    duplicates: int = 0
    misplaced: int = 0
    shadow: Sequence[EarlyWarning] = ()
    alarms: Sequence[Alarm] = ()
    came: float | None = None
    """When the oldest event of this came (monotonic, s); None without events."""
    by_topic: Mapping[str, int] = {}
    """Events applied, by the topic they came from."""


class LaneSettings(NamedTuple):
    """`align` in seconds, the local time's `utc_offset` in µs, the `epoch` of who owns the lane."""

    align: float
    utc_offset: int
    epoch: int = 0


class Sharing(Core, Teller, Protocol):
    """An engine of one partition among others."""

    def share(self, lane: int, count: int, /) -> None: ...
    def overhear(
        self,
        offset: int | None,
        lane: int,
        said: Said | None,
        reports: Sequence[str],
        findings: Sequence[Finding],
        without: Collection[int],
        /,
    ) -> None: ...
    def obey(self, finding: Finding, decided_at: int, /) -> Step: ...
    def published(self) -> Sequence[Incident]: ...
    @property
    def publishes(self) -> bool: ...
    def open_by_tier(self) -> Mapping[str, int]: ...
    def in_force(self) -> Mapping[str, str]: ...


class Reloading(Protocol):
    """Who has the rules of every version."""

    def reloaded(self, engine: Any, reload: Reload, /) -> tuple[Any, Sequence[Alarm]]:
        """The engine to go on with, and the rules that the guard holds since."""


class Dated(msgspec.Struct, frozen=True):
    """When something happened."""

    occurred_at: str = ""


class Lane:
    """`count` partitions there are; `covered` and `ticks` are what the checkpoint and the partition's ticks say, `again` the
    ends of the topics (offsets) when it was taken over.
    """

    def __init__(
        self,
        partition: int,
        count: int,
        engine: Sharing,
        covered: Covered,
        ticks: Iterable[tuple[int, Tick]],
        settings: LaneSettings,
        library: Reloading | None = None,
        again: Mapping[str, int] | None = None,
    ) -> None:
        self.again = again or {}  # an earlier worker may have applied what is before these offsets, by the rules it had
        self.partition, self.count, self.engine = partition, count, engine
        self.library, self.rules, self.order = library, covered.rules, covered.order
        self.align, self.epoch = settings.align, settings.epoch
        self.exchange = Exchange(partition, count, covered.heard, covered.said, covered.reports, settings.utc_offset)
        self.exchange.to_apply, self.exchange.reported = [*covered.to_apply], [*covered.reported]
        self.exchange.found, self.exchange.to_obey = covered.found, [*covered.to_obey]
        if count > 1:
            engine.share(partition, count)
        self.merger = Merger(EVENTS, covered.positions, covered.turns, settings.align)
        self.events = covered.events
        self.next_tick = covered.ticks  # offset behind the last tick applied
        self.known: deque[tuple[int, Tick]] = deque(ticks)  # ticks of an earlier worker, to be done again
        self.later: dict[str, deque[tuple[Sequence[Read], float]]] = {topic: deque() for topic in EVENTS}
        self.arrived: deque[Arrival] = deque()
        self.received = {topic: self.merger.queues[topic].position for topic in EVENTS}
        self.spoken = dict.fromkeys(EVENTS, LONG_AGO)
        self.pending = dict.fromkeys(EVENTS, 0)  # records accepted and not decoded yet
        self.clock, self.moved_at = covered.clock, covered.moved_at

    def accept(self, topic: str, records: Sequence[Read], came: float) -> None:
        """Records of a topic, in their order, that came at `came` (monotonic, s); what was accepted before is left out."""
        fresh = records
        if fresh and fresh[0].offset < self.received[topic]:
            fresh = [record for record in records if record.offset >= self.received[topic]]
        if fresh:
            self.received[topic] = fresh[-1].offset + 1
            self.pending[topic] += len(fresh)
            self.arrived.append((topic, fresh, came))

    def drained(self, topic: str, at: float) -> None:
        """All that the broker had of the topic at a time (monotonic, s) was accepted; LONG_AGO: it has more."""
        self.spoken[topic] = at

    def at_end(self, topic: str) -> bool:
        """Whether all that the broker has of the topic was read and applied, as far as is known."""
        return self.spoken[topic] > LONG_AGO and not self.pending[topic] and not self.merger.queues[topic].chunks

    def _settle(self) -> None:
        """Take over what the broker has said of the topics' ends; before what arrived, which is no older."""
        for topic, at in [*self.spoken.items()]:
            self.merger.queues[topic].drained_at = at

    def has_room(self, topic: str) -> bool:
        """Whether more of the topic should be read."""
        return self.pending[topic] + self.merger.queues[topic].events < MOST_WAITING

    def busy(self) -> bool:
        """Whether there is anything to apply, now or soon."""
        return self._waits() or bool(self.exchange.to_apply) or self.engine.publishes

    def _waits(self) -> bool:
        return bool(self.arrived or self.known or any(queue.chunks for queue in self.merger.queues.values()))

    def work(self, now: float, decided_at: int) -> Output | None:
        """Apply the next events that may be applied at `now` (monotonic, s); None when there are none yet.

        `decided_at` is the wall clock (µs), and changes no decision.
        """
        dead: list[DeadLetter] = []
        strays = 0
        self._settle()
        arrived = [self.arrived.popleft() for _ in range(len(self.arrived))]  # more may come meanwhile
        for topic, records, came in gathered(arrived, self.merger.seen(now) - self.align):
            strays += self._decode(topic, records, came, dead, decided_at)
        if self.known:
            return self._again(now, decided_at, dead, strays)
        reported = min(map(report_time, self.exchange.to_apply), default=NEVER)
        found = self.exchange.to_obey[0].at if self.exchange.to_obey else NEVER
        batch = self.merger.release(now, MOST_AT_ONCE, min(self.exchange.limit, reported, found))
        if batch is None:
            batch = self._next_report(now)
        if batch is None:
            incidents = self.engine.published()
            return Output(incidents=incidents, dead=dead, misplaced=strays) if incidents or dead or strays else None
        return self._apply(batch, decided_at, dead, strays)

    def held_by(self, now: float) -> dict[int, int]:
        """The partitions that this one's next event waits for, and the slots up to which they are known; none: it need not wait."""
        if self.merger.waiting:
            held = self.merger.promise(now) >= self.exchange.limit
        else:
            held = bool(self.known) and self.known[0][1].to >= self.exchange.limit
        return self.exchange.missing() if held else {}

    def _next_report(self, now: float) -> Batch | None:
        """What another partition was told of the network or the market, which concerns everybody, when it has its turn."""
        if not self.exchange.to_apply:
            return None
        report = min(self.exchange.to_apply, key=report_time)
        at = report_time(report)
        if at >= self.exchange.limit or not (self._rests() or self.merger.promise(now) >= at):
            return None
        self.exchange.to_apply.remove(report)
        return decode(report.encode(), POPULATION, received_at="")

    def _again(self, now: float, decided_at: int, dead: list[DeadLetter], strays: int) -> Output | None:
        """What an earlier worker did after its checkpoint: its events up to its tick, then the tick."""
        offset, tick = self.known[0]
        whole = all(
            self.merger.queues[topic].received >= tick.positions.get(topic, 0) or self.later[topic] for topic in EVENTS
        )
        batch = self.merger.release(now, MOST_AT_ONCE, self.exchange.limit, NEVER if whole else None)
        if batch is not None:
            return self._apply(batch, decided_at, dead, strays)
        if not whole or self.merger.waiting or tick.to >= self.exchange.limit:
            return Output(dead=dead, misplaced=strays) if dead or strays else None
        self.known.popleft()
        self.next_tick = offset + 1
        for topic, held in self.later.items():
            again, self.later[topic] = held, deque()
            for records, came in again:
                self._decode(topic, records, came, dead, decided_at)
        done = self._advance(tick, decided_at)
        return done._replace(dead=[*dead, *done.dead], misplaced=strays)

    def _decode(self, topic: str, records: Sequence[Read], came: float, dead: list[DeadLetter], decided_at: int) -> int:
        limit = self.known[0][1].positions.get(topic, 0) if self.known else NEVER
        if records[-1].offset >= limit:  # behind the tick that is to be done again first
            self.later[topic].append(([record for record in records if record.offset >= limit], came))
            records = [record for record in records if record.offset < limit]
            if not records:
                return 0
        self.pending[topic] -= len(records)
        received_at = rfc3339(decided_at)
        place, strays = f"{topic}/{self.partition}", misplaced(records, self.partition, self.count)
        next_offset = records[-1].offset + 1
        if strays:
            dead.extend(
                stray_letter(records[index], place, wanted, self.count, received_at) for index, wanted in strays
            )
            stray = {index for index, _ in strays}
            records = [record for index, record in enumerate(records) if index not in stray]
        batch = decode_records(records, place, received_at=received_at) if records else empty_batch()
        dead.extend(batch.dead)
        batch.dead = []
        for index, fact in batch.facts.items():
            if isinstance(fact, NetworkIncident | MarketNoted):
                self.exchange.reported.append(batch.payload(index).decode())
        self.merger.queues[topic].add(batch, next_offset, came)
        return len(strays)

    def _apply(self, batch: Batch, decided_at: int, dead: list[DeadLetter], strays: int) -> Output:
        arrived = np.where(batch.events["clock"] > 0, batch.events["clock"], decided_at)
        admitted, future, _ = admit(batch, arrived, None, rfc3339(decided_at))
        dead.extend(future)
        if not len(admitted):
            return Output(dead=dead, misplaced=strays)
        step = self.engine.step(admitted, decided_at)
        self.clock, self.moved_at = max(self.clock, int(admitted.events["clock"][-1])), decided_at
        self.events += step.applied
        came = self.merger.oldest
        by_topic = {} if step.counted is None else counts_by_topic(admitted, step.counted)
        return output_of(step, dead, strays)._replace(came=came if came < NEVER else None, by_topic=by_topic)

    def say(self, now: float) -> Statement | None:
        """What the other partitions should know at `now` (monotonic, s), if anything is new."""
        passed = max(self.clock, 0 if self.arrived else self.merger.promise(now))
        if passed == 0 and self._rests():  # no customers here: nothing ever comes before what the others have
            passed = self.exchange.newest
        return self.exchange.say(self.engine, passed, self.merger.newest)

    def hear(self, statement: Statement, came: float) -> None:
        """What another partition said."""
        self.exchange.hear(self.engine, statement, came)

    def overhear(self, statement: Statement, offset: int) -> None:
        """What any partition said, ourselves included, as the topic has it at this offset; for the one that judges for all."""
        self.engine.overhear(
            offset, statement.lane, statement.said, statement.reports, statement.findings, statement.without
        )

    def _rests(self) -> bool:
        return not self.known and not self._waits() and self.merger.drained()

    def tick(self, now: float, at: int, patient: bool) -> Tick | None:
        """How far the clock of a partition without events has come, to be made known before it is applied; None if nowhere.

        As far as the others' newest event, when it is sure that none of ours before it is on its way; and, live, as the wall
        clock `at` (µs) went on since our own newest, less `HOLD_US` for what is on its way. Not `patient`: only where others
        may wait for us. `now` is monotonic (s).
        """
        self._settle()
        if self.clock == 0 or not self._rests():
            return None
        exchange, to, seen = self.exchange, self.clock, self.merger.seen(now)
        if seen - exchange.newest_came >= self.align and (
            patient or exchange.newest // SLOT_US > self.clock // SLOT_US
        ):
            to = max(to, exchange.newest)
        passed = self.clock + at - int((now - seen) * 1e6) - self.moved_at - HOLD_US
        if at - self.clock <= LIVE_US and passed >= self.clock + STEP_US:
            to = max(to, passed)
        to = min(to, exchange.limit - 1)
        if to <= self.clock:
            return None
        return self._tick(to, at)

    def obeying(self, now: float, at: int) -> Tick | None:
        """The record of taking over, here, the next of what was found for all partitions, to be made known before it is done; None
        where nothing has its turn. `now` is monotonic (s), `at` wall time (µs).
        """
        if self.known or not self.exchange.to_obey:
            return None
        finding = self.exchange.to_obey[0]
        if finding.at >= self.exchange.limit:
            return None
        if not (self.clock >= finding.at or self._rests() or self.merger.promise(now) >= finding.at):
            return None
        return self._tick(max(self.clock, finding.at), at, finding=finding)

    def reloading(self, reload: Reload, at: int) -> Tick | None:
        """The record of other rules from here on, to be made known before they are loaded; None when it is too early: what an
        earlier worker decided by its rules, and maybe said, is done again by the same.
        """
        if self.known:
            return None
        if self.again:
            queues = self.merger.queues
            if not self._rests() and any(queues[topic].position < offset for topic, offset in self.again.items()):
                return None
            self.again = {}
        return self._tick(self.clock, at, reload)

    def _tick(self, to: int, at: int, reload: Reload | None = None, finding: Finding | None = None) -> Tick:
        positions = {topic: queue.position for topic, queue in self.merger.queues.items()}
        return Tick(to, at, positions, self.next_tick, self.epoch, reload, finding)

    def apply_tick(self, offset: int, tick: Tick, decided_at: int) -> Output:
        """Let the clock go on, load rules, or take a finding over; `offset` is where the tick was made known."""
        self.next_tick = offset + 1
        return self._advance(tick, decided_at)

    def _advance(self, tick: Tick, decided_at: int) -> Output:
        if tick.reload is not None:
            return self._load(tick.reload)
        if tick.finding is not None:
            self.exchange.obeyed(tick.finding)
            step = self.engine.obey(tick.finding, decided_at)
        else:
            step = self.engine.advance(tick.to, decided_at)
        if tick.finding is None or tick.to > self.clock:
            self.clock, self.moved_at = max(self.clock, tick.to), tick.at - HOLD_US
        return output_of(step, [], 0)

    def _load(self, reload: Reload) -> Output:
        """Go on by other rules; what lost its rules closes with the next step."""
        if self.library is None:
            raise ValueError(f"rules {reload.rules[:12]} are to be loaded, and there is nowhere to find them")
        self.engine, alarms = self.library.reloaded(self.engine, reload)
        if self.count > 1:
            self.engine.share(self.partition, self.count)
        self.rules, self.order = reload.rules, reload.order
        return Output(alarms=alarms)

    def covered(self, outputs: Mapping[str, int], population: int) -> Covered:
        """What has been applied by now; `outputs` are offsets behind what was delivered, by topic, and `population` the one
        behind what was heard of the others.
        """
        queues = self.merger.queues
        return Covered(
            {topic: queue.position for topic, queue in queues.items()},
            {topic: queue.turn for topic, queue in queues.items()},
            self.next_tick,
            dict(outputs),
            self.events,
            self.clock,
            self.moved_at,
            dict(self.exchange.heard),
            self.exchange.said,
            population,
            dict(self.exchange.reports),
            [*self.exchange.to_apply],
            [*self.exchange.reported],
            self.rules,
            self.order,
            self.exchange.found,
            [*self.exchange.to_obey],
        )

    @property
    def waiting(self) -> int:
        """Records read and not applied."""
        return sum(self.pending.values()) + self.merger.waiting


def gathered(arrived: Iterable[Arrival], settled: float) -> list[Arrival]:
    """What arrived, in as few pieces as may be decoded at once, for each costs half a millisecond, however small.

    What came no later than `settled` (monotonic, s) no longer waits for other topics: of a topic it is one piece, as old as
    its oldest.
    """
    pieces: list[Arrival] = []
    whole: dict[str, list[Read]] = {}
    for topic, records, came in arrived:
        if came > settled:
            pieces.append((topic, records, came))
        elif topic in whole:
            whole[topic].extend(records)
        else:
            whole[topic] = [*records]
            pieces.append((topic, whole[topic], came))
    return pieces


def report_time(report: str) -> int:
    """When a report of the network or the market is dated (µs); 0 where it does not say."""
    at = msgspec.json.decode(report, type=Dated).occurred_at
    return time_of(at, "occurred_at") if at else 0


def output_of(step: Step, dead: Sequence[DeadLetter], strays: int) -> Output:
    """What goes out of a step, with what was refused on the way to it."""
    everything = [*dead, *step.dead]
    return Output(
        step.decisions, step.incidents, everything, step.applied, step.duplicates, strays, step.shadow, step.alarms
    )


def counts_by_topic(batch: Batch, counted: NDArray[np.bool_]) -> dict[str, int]:
    """How many of the events that are marked came from each topic of events."""
    starts = np.fromiter((origin.at for origin in batch.origins), np.int64, len(batch.origins))
    origins = np.searchsorted(starts, batch.events["start"][counted], "right") - 1
    found: dict[str, int] = {}
    for origin, count in zip(batch.origins, np.bincount(origins, minlength=len(starts)).tolist(), strict=True):
        topic = origin.name.partition("/")[0]
        if topic in EVENTS:  # not what another partition reported and counted
            found[topic] = found.get(topic, 0) + count
    return found


def stray_letter(record: Read, place: str, wanted: int, count: int, received_at: str) -> DeadLetter:
    """The dead letter of a record at a place (`topic/partition`) that its key does not belong in."""
    detail = (
        f"the record key belongs in partition {wanted} of {count} by Kafka's default partitioner: "
        "the producer uses another one (librdkafka: set partitioner=murmur2_random)"
    )
    at = f"{place}/{record.offset}"
    return dead_letter(Reason.OUT_OF_RANGE, detail, at, received_at, record.value or b"")
