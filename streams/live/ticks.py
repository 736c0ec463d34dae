"""What happens to a partition beside its events: those ticks that an earlier worker made, to be done again, and new ones.

A tick is made known before it is done, so nothing here changes the partition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from events.times import SLOT_US
from population.findings import Finding
from streams.live.exchange import Exchange, as_many
from streams.live.intake import Intake
from streams.live.journal import Reload, Tick
from streams.live.merge import NEVER
from streams.live.topics import EVENTS

HOLD_US: Final = 30_000_000
LIVE_US: Final = 86_400_000_000
"""A clock further behind the wall clock is that of old events, which says nothing about how time goes on."""
STEP_US: Final = 10_000_000
"""Ticks come no closer to one another."""


class StreamClock:
    """How far a partition's event time `now` has come, and when (`moved_at`, wall time); both µs."""

    def __init__(self, now: int, moved_at: int) -> None:
        self.now, self.moved_at = now, moved_at

    def move(self, to: int, at: int) -> None:
        """It has come to `to`, if it was not there yet, at a wall time."""
        self.now, self.moved_at = max(self.now, to), at

    def by_wall(self, at: int, unseen: int) -> int:
        """How far it would have come by a wall time of which the last `unseen` does not count, less `HOLD_US` for what is on
        its way; old events go nowhere by it.
        """
        passed = self.now + at - unseen - self.moved_at - HOLD_US
        return passed if at - self.now <= LIVE_US and passed >= self.now + STEP_US else self.now


class Ticks:
    """One partition's. `known`: those to be done again, with their offsets; `next_offset`: behind the last one done; `again`:
    the ends of the topics (offsets) when an earlier worker had them and its rules were not known: it may have applied what is before.
    """

    def __init__(
        self,
        known: Iterable[tuple[int, Tick]],
        next_offset: int,
        epoch: int,
        again: Mapping[str, int],
        clock: StreamClock,
        exchange: Exchange,
        intake: Intake,
    ) -> None:
        self.known = deque(known)
        self.next_offset, self.epoch, self.again = next_offset, epoch, again
        self._clock, self._exchange, self._intake = clock, exchange, intake
        self._merger = intake.merger

    def limits(self) -> Mapping[str, int] | None:
        """The offsets of the events that come before the next known tick; None: there is none."""
        return self.known[0][1].positions if self.known else None

    def reached(self) -> bool:
        """Whether all that comes before the next known tick was read."""
        positions, intake = self.known[0][1].positions, self._intake
        return all(
            self._merger.queues[topic].received >= positions.get(topic, 0)
            or intake.later[topic]
            or topic in intake.anew
            for topic in EVENTS
        )

    def take(self) -> Tick | None:
        """The next known tick, now that the events before it were applied; None: the other partitions are not that far."""
        offset, tick = self.known[0]
        if self._merger.waiting or tick.to >= self._exchange.limit:
            return None
        self.known.popleft()
        self.next_offset = offset + 1
        return tick

    def held(self, now: float) -> bool:
        """Whether what comes next waits for other partitions at `now` (monotonic, s)."""
        limit = self._exchange.limit
        if self._merger.waiting:
            return self._merger.promise(now) >= limit
        return bool(self.known) and self.known[0][1].to >= limit

    def rests(self) -> bool:
        """Whether nothing is left to be done, or read."""
        return not self.known and not self._intake.waits and self._merger.drained()

    def onward(self, now: float, at: int, align: float, patient: bool) -> Tick | None:
        """How far the clock of a partition without events has come; None if nowhere (see Lane.tick)."""
        self._intake.settle()
        clock, exchange = self._clock.now, self._exchange
        if clock == 0 or not self.rests():
            return None
        to, seen = clock, self._merger.seen(now)
        if seen - exchange.newest_came >= align and (patient or exchange.newest // SLOT_US > clock // SLOT_US):
            to = max(to, exchange.newest)
        to = max(to, self._clock.by_wall(at, int((now - seen) * 1e6)))
        to = min(to, exchange.limit - 1)
        return self._record(to, at) if to > clock else None

    def obeying(self, now: float, at: int) -> Tick | None:
        """The taking over of what others were told or of the next that was found for all; None where nothing has its turn."""
        if self.known:
            return None
        reports, found = self._reports_due(now), self._exchange.to_obey
        if reports:
            return self._record(self._clock.now, at, reports=reports)
        return self._obeying(found[0], now, at) if found else None

    def _reports_due(self, now: float) -> list[str]:
        """What others were told of the network or the market and has its turn, before anything else has."""
        exchange = self._exchange
        if not exchange.to_apply:
            return []
        found = exchange.to_obey[0].at if exchange.to_obey else NEVER
        until = min(NEVER if self.rests() else self._merger.promise(now), exchange.limit - 1, found)
        return as_many([report for turn, report in exchange.to_apply if turn <= until])[0]

    def _obeying(self, finding: Finding, now: float, at: int) -> Tick | None:
        clock = self._clock.now
        if finding.at >= self._exchange.limit:
            return None
        if not (clock >= finding.at or self.rests() or self._merger.promise(now) >= finding.at):
            return None
        return self._record(max(clock, finding.at), at, finding=finding)

    def reloading(self, reload: Reload, at: int) -> Tick | None:
        """Other rules from here on; None when it is too early: what an earlier worker decided by its rules, and maybe said, is
        done again by the same.
        """
        if self.known:
            return None
        if self.again:
            queues = self._merger.queues
            if not self.rests() and any(queues[topic].position < offset for topic, offset in self.again.items()):
                return None
            self.again = {}
        return self._record(self._clock.now, at, reload)

    def _record(
        self,
        to: int,
        at: int,
        reload: Reload | None = None,
        finding: Finding | None = None,
        reports: Sequence[str] = (),
    ) -> Tick:
        positions = {topic: queue.position for topic, queue in self._merger.queues.items()}
        return Tick(to, at, positions, self.next_offset, self.epoch, reload, finding, [*reports])
