"""One partition of all topics: its engine, what is read of it, and how far that has been applied.

Everything here is told what happened and when; nothing waits, reads or writes. `accept` is called as records come, `work`
applies what may be applied, `tick` lets the clock of a partition without events go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from events.columns import Batch
from events.decode import decode
from events.packed import Records
from events.times import rfc3339
from population.reports import in_turn
from streams.admit import admit, arrivals
from streams.live.engines import Reloading, Sharing
from streams.live.exchange import Exchange, Statement
from streams.live.intake import Intake
from streams.live.journal import Covered, Reload, Tick
from streams.live.merge import LONG_AGO, NEVER, Merger
from streams.live.output import Output, counts_by_topic, output_of
from streams.live.ticks import HOLD_US, StreamClock, Ticks
from streams.live.topics import EVENTS, POPULATION

if TYPE_CHECKING:
    from streams.recording import Recorder

MOST_AT_ONCE: Final = 16_384


class LaneSettings(NamedTuple):
    """`align` in seconds, the local time's `utc_offset` in µs, the `epoch` of who owns the lane."""

    align: float
    utc_offset: int
    epoch: int = 0


class Lane:
    """`count` partitions there are; `covered` and `ticks` are what the checkpoint and the partition's ticks say, `again` the
    ends of the topics (offsets) when it was taken over, `recorder` writes its days down.
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
        recorder: Recorder | None = None,
    ) -> None:
        self.partition, self.count, self.engine = partition, count, engine
        self.library, self.rules, self.order = library, covered.rules, covered.order
        self.align, self.events = settings.align, covered.events
        self.exchange = Exchange(partition, count, covered.heard, covered.said, covered.reports, settings.utc_offset)
        self.exchange.to_apply, self.exchange.reported = in_turn(covered.to_apply), [*covered.reported]
        self.exchange.taken = [*covered.taken]
        self.exchange.found, self.exchange.to_obey = covered.found, [*covered.to_obey]
        self.recorder = recorder
        self._take_up(engine)
        self.merger = Merger(EVENTS, covered.positions, covered.turns, settings.align)
        self.intake = Intake(partition, count, self.merger)
        self.stream_clock = StreamClock(covered.clock, covered.moved_at)
        self.ticks = Ticks(
            ticks, covered.ticks, settings.epoch, again or {}, self.stream_clock, self.exchange, self.intake
        )
        self.received, self.spoken, self.known = self.intake.received, self.intake.spoken, self.ticks.known

    def _take_up(self, engine: Sharing) -> None:
        """Tell an engine that it is one of several, and where its days are written down."""
        if self.count > 1:
            engine.share(self.partition, self.count)
        if self.recorder is not None:
            engine.record(self.recorder)

    @property
    def clock(self) -> int:
        """How far event time has come (µs)."""
        return self.stream_clock.now

    @property
    def waiting(self) -> int:
        """Records read and not applied."""
        return self.intake.waiting

    def accept(self, topic: str, records: Records, came: float) -> None:
        """Records of a topic, in their order, that came at `came` (monotonic, s); what was accepted before is left out."""
        self.intake.accept(topic, records, came)

    def cover(self, topic: str, until: int) -> None:
        """Nothing of the topic before an offset is still to come: it was accepted, is none of ours, or was deleted."""
        self.received[topic] = max(self.received[topic], until)
        self.intake.covered[topic] = self.received[topic]

    def begin_anew(self, topic: str) -> None:
        """The topic is another of the same name: what is known of its offsets, also for ticks to be done again, says nothing."""
        self.received[topic] = self.intake.covered[topic] = 0
        self.intake.anew.add(topic)

    def drained(self, topic: str, at: float) -> None:
        """All that the broker had of the topic at a time (monotonic, s) was accepted; LONG_AGO: it has more."""
        self.spoken[topic] = at

    def at_end(self, topic: str) -> bool:
        """Whether all that the broker has of the topic was read and applied, as far as is known."""
        return self.spoken[topic] > LONG_AGO and not self.intake.pending(topic) and not self.merger.queues[topic].chunks

    def has_room(self, topic: str) -> bool:
        """Whether more of the topic should be read."""
        return self.intake.has_room(topic)

    def busy(self) -> bool:
        """Whether there is anything to apply, now or soon."""
        return bool(self.known) or self.intake.waits or self.engine.publishes

    def work(self, now: float, decided_at: int) -> Output | None:
        """Apply the next events that may be applied at `now` (monotonic, s); None when there are none yet.

        `decided_at` is the wall clock (µs), and changes no decision.
        """
        self.intake.settle()
        self.intake.decode(self.merger.seen(now) - self.align, self.ticks.limits(), rfc3339(decided_at))
        output = self._again(now, decided_at) if self.known else self._go_on(now, decided_at)
        decoded = self.intake.take()
        self.exchange.reported += decoded.reports
        if output is None and not (decoded.dead or decoded.misplaced):
            return None
        output = output or Output()
        return output._replace(dead=[*decoded.dead, *output.dead], misplaced=decoded.misplaced)

    def _go_on(self, now: float, decided_at: int) -> Output | None:
        reported = self.exchange.to_apply[0][0] if self.exchange.to_apply else NEVER
        found = self.exchange.to_obey[0].at if self.exchange.to_obey else NEVER
        batch = self.merger.release(now, MOST_AT_ONCE, min(self.exchange.limit, reported, found))
        if batch is not None:
            return self._apply(batch, decided_at, decided_at)
        incidents = self.engine.published()
        return Output(incidents=incidents) if incidents else None

    def _again(self, now: float, decided_at: int) -> Output | None:
        """What an earlier worker did after its checkpoint: its events up to its tick, then the tick."""
        reached = self.ticks.reached()
        batch = self.merger.release(now, MOST_AT_ONCE, self.exchange.limit, NEVER if reached else None)
        if batch is not None:
            return self._apply(batch, decided_at, decided_at)
        tick = self.ticks.take() if reached else None
        if tick is None:
            return None
        self.intake.decode_later(self.ticks.limits(), rfc3339(decided_at))
        return self._do(tick, decided_at)

    def held_by(self, now: float) -> dict[int, int]:
        """The partitions that this one's next event waits for, and the slots up to which they are known; none: it need not wait."""
        return self.exchange.missing() if self.ticks.held(now) else {}

    def _take_reports(self, tick: Tick, decided_at: int) -> Output:
        """What other partitions were told of the network or the market, which concerns everybody."""
        self.exchange.took(tick.reports)
        batch = decode("\n".join(tick.reports).encode(), POPULATION, received_at="")
        return self._apply(batch, tick.at, decided_at)._replace(came=None)  # they came here who knows when

    def _apply(self, batch: Batch, came: int, decided_at: int) -> Output:
        """Events, those that do not say when they came at `came`, a wall time as `decided_at` (µs)."""
        admitted, future, _ = admit(batch, arrivals(batch, came), None, rfc3339(decided_at))
        if not len(admitted):
            return Output(dead=future)
        step = self.engine.step(admitted, decided_at)
        self.stream_clock.move(int(admitted.events["clock"][-1]), came)
        self.events += step.applied
        oldest = self.merger.oldest
        by_topic = {} if step.counted is None else counts_by_topic(admitted, step.counted)
        return output_of(step, future)._replace(came=oldest if oldest < NEVER else None, by_topic=by_topic)

    def say(self, now: float) -> Statement | None:
        """What the other partitions should know at `now` (monotonic, s), if anything is new."""
        passed = max(self.clock, 0 if self.intake.arrived else self.merger.promise(now))
        if passed == 0 and self.ticks.rests():  # no customers here: nothing ever comes before what the others have
            passed = self.exchange.newest
        return self.exchange.say(self.engine, passed, self.merger.newest, now)

    def hear(self, statement: Statement, came: float) -> None:
        """What another partition said."""
        self.exchange.hear(self.engine, statement, came)

    def overhear(self, statement: Statement, offset: int) -> None:
        """What any partition said, ourselves included, as the topic has it at this offset; for the one that judges for all."""
        self.engine.overhear(statement, offset)

    def tick(self, now: float, at: int, patient: bool) -> Tick | None:
        """How far the clock of a partition without events has come, to be made known before it is applied; None if nowhere.

        As far as the others' newest event, when it is sure that none of ours before it is on its way; and, live, as the wall
        clock `at` (µs) went on since our own newest. Not `patient`: only where others may wait for us. `now` is monotonic (s).
        """
        return self.ticks.onward(now, at, self.align, patient)

    def obeying(self, now: float, at: int) -> Tick | None:
        """The record of taking over, here, what was found for all partitions or others were told, to be made known before it is
        done; None where nothing has its turn. `now` is monotonic (s), `at` wall time (µs).
        """
        return self.ticks.obeying(now, at)

    def reloading(self, reload: Reload, at: int) -> Tick | None:
        """The record of other rules from here on, to be made known before they are loaded; None when it is too early."""
        return self.ticks.reloading(reload, at)

    def apply_tick(self, offset: int, tick: Tick, decided_at: int) -> Output:
        """Let the clock go on, load rules, or take a finding over; `offset` is where the tick was made known."""
        self.ticks.next_offset = offset + 1
        return self._do(tick, decided_at)

    def _do(self, tick: Tick, decided_at: int) -> Output:
        if tick.reload is not None:
            return self._load(tick.reload)
        if tick.reports:
            return self._take_reports(tick, decided_at)
        if tick.finding is not None:
            self.exchange.obeyed(tick.finding)
            step = self.engine.obey(tick.finding, decided_at)
        else:
            step = self.engine.advance(tick.to, decided_at)
        if tick.finding is None or tick.to > self.clock:
            self.stream_clock.move(tick.to, tick.at - HOLD_US)
        return output_of(step)

    def _load(self, reload: Reload) -> Output:
        """Go on by other rules; what lost its rules closes with the next step."""
        if self.library is None:
            raise ValueError(f"rules {reload.rules[:12]} are to be loaded, and there is nowhere to find them")
        self.engine, alarms = self.library.reloaded(self.engine, reload)
        self._take_up(self.engine)
        self.rules, self.order = reload.rules, reload.order
        return Output(alarms=alarms)

    def covered(self, outputs: Mapping[str, int], population: int) -> Covered:
        """What has been applied by now; `outputs` are offsets behind what was delivered, by topic, and `population` the one
        behind what was heard of the others.
        """
        queues, exchange = self.merger.queues, self.exchange
        return Covered(
            positions={topic: queue.position for topic, queue in queues.items()},
            turns={topic: queue.turn for topic, queue in queues.items()},
            ticks=self.ticks.next_offset,
            outputs=dict(outputs),
            events=self.events,
            clock=self.clock,
            moved_at=self.stream_clock.moved_at,
            heard=dict(exchange.heard),
            said=exchange.said,
            population=population,
            reports=dict(exchange.reports),
            to_apply=[report for _, report in exchange.to_apply],
            reported=[*exchange.reported],
            rules=self.rules,
            order=self.order,
            found=exchange.found,
            to_obey=[*exchange.to_obey],
            taken=[*exchange.taken],
            partition=self.partition,
            count=self.count,
        )
