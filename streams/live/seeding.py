"""Day one: history in files becomes the first checkpoint of every partition (docs/adr/0009-seeding-by-replay.md).

Each partition's engine is given its own customers' events, all of them in one order of time, and what the partitions have
to tell one another passes between them as it does in workers (streams/live/exchange.py), at once and without a topic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from customers.feeds import LATER
from engine.core import Step
from events.columns import Batch
from events.times import SLOT_US, rfc3339
from population.findings import Finding, Word
from population.reports import Fact, report_of
from streams import clock
from streams.admit import admit
from streams.batches import part
from streams.inputs import Source, merged
from streams.live.engines import Sharing
from streams.live.journal import Covered
from streams.live.placement import partitions_in
from streams.problems import UsageError
from streams.progress import Counts

EVERYWHERE: Final = -1
Watch = Callable[[int, int], None]


class Seeding:
    """Engines of all partitions on their way through history. `clock` (µs): of the newest event applied; `counts`: of them."""

    def __init__(self, engines: Sequence[Sharing]) -> None:
        self.engines = engines
        self.clock = 0
        self.told = 0  # the slot before which each partition has told the others everything
        self.started_at = clock.now()
        self.counts = Counts()
        self.unsaid = 0  # decisions, which nobody is told of
        self.reports: list[str] = []  # of the network and the market, not given to who judges yet
        self.found = 0
        for lane, engine in enumerate(engines if len(engines) > 1 else ()):
            engine.share(lane, len(engines))

    def read_all(self, readers: Sequence[Source], watch: Watch) -> None:
        """Apply everything; raises UsageError when there is nothing."""
        for batch in merged(readers, self.started_at):
            self.counts.add_dead(batch.dead)
            batch.dead = []
            admitted, future, _ = admit(batch, self.started_at, None, rfc3339(self.started_at))
            self.counts.add_dead(future)
            self.apply(admitted)
            watch(sum(reader.stored_bytes for reader in readers), self.counts.events)
        if self.clock == 0:
            raise UsageError("no events that could be applied: nothing to begin with")
        self._share(self.clock)

    def apply(self, batch: Batch) -> None:
        """The next events, in the order of their turns."""
        if not len(batch):
            return
        clocks = np.maximum.accumulate(np.maximum(batch.events["at"], self.clock))
        lanes = lanes_of(batch, len(self.engines))
        self.reports += [report_of(fact) for fact in batch.facts.values() if isinstance(fact, Fact)]
        start = 0
        while start < len(batch):
            if clocks[start] >= self._limit():
                self._share(int(clocks[start]))
            end = int(np.searchsorted(clocks, self._limit()))
            self._stretch(part(batch, start, end), lanes[start:end], int(clocks[end - 1]))
            start = end

    def _limit(self) -> int:
        """The time (µs) up to which everybody knows what concerns them of the others."""
        return (self.told + LATER) * SLOT_US

    def _share(self, at: int) -> None:
        """All that happened before `at` (µs) has been applied: everybody tells everybody."""
        self.told = at // SLOT_US
        said = [engine.told(self.told) for engine in self.engines]
        for listener, engine in enumerate(self.engines):
            for speaker, told in enumerate(said):
                if speaker != listener:
                    engine.hear(told)
        if len(self.engines) > 1:
            self._judge(at)

    def _judge(self, at: int) -> None:
        """What all have counted is judged, and everybody takes over what was found; whom it concerns nobody is told."""
        judge = self.engines[0]
        judge.overhear(Word(lane=EVERYWHERE, reports=self.reports))
        self.reports = []
        findings = self._told_judge(at)
        while findings:
            for finding in findings:
                self.found = finding.number + 1
                for engine in self.engines:
                    self._count(engine.obey(finding, self.started_at))
            findings = self._told_judge(at)
        judge.published()

    def _told_judge(self, at: int) -> list[Finding]:
        """Counts and answers reach who judges; gives what came of them."""
        for lane, engine in enumerate(self.engines):
            while (said := engine.said(at)) is not None:
                self.engines[0].overhear(Word(lane=lane, said=said))
        return self.engines[0].findings()

    def _stretch(self, batch: Batch, lanes: NDArray[np.int64], until: int) -> None:
        for lane, engine in enumerate(self.engines):
            mine = np.flatnonzero((lanes == lane) | (lanes == EVERYWHERE))
            if len(mine):
                self._count(engine.step(batch.take(mine), self.started_at))
            self._count(engine.advance(until, self.started_at))
        self.clock = until

    def _count(self, step: Step) -> None:
        self.counts.add(step)
        self.unsaid += len(step.decisions)

    def covered(
        self, lane: int, positions: dict[str, int], outputs: dict[str, int], ticks: int, population: int
    ) -> Covered:
        """What a partition's first checkpoint covers: offsets where its topics are read on, and the ends of the others."""
        others = (other for other in range(len(self.engines)) if other != lane)
        return Covered(
            positions,
            {},
            ticks,
            outputs,
            clock=self.clock,
            moved_at=self.started_at,
            heard=dict.fromkeys(others, self.told),
            said=self.told,
            population=population,
            found=self.found,
            count=len(self.engines),
            partition=lane,
        )


def lanes_of(batch: Batch, count: int) -> NDArray[np.int64]:
    """The partition of each event; `EVERYWHERE` for what is reported of the network or the market."""
    events = batch.events
    lanes = partitions_in(batch.text, events["id_at"].astype(np.int64), events["id_len"].astype(np.int64), count)
    lanes[[index for index, fact in batch.facts.items() if isinstance(fact, Fact)]] = EVERYWHERE
    return lanes
