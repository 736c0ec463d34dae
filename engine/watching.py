"""Where the watches over all customers act: between two events of a batch, and while time passes without any."""

from __future__ import annotations

from collections.abc import Iterator

from customers.partition import Evaluate, Work
from engine.crowd import PartitionCrowd
from engine.parts import NO_LIMIT, Parts
from engine.reloading import Reloading
from engine.ticking import Ticking
from population.watches import Stop


class Watching:
    """Has watches act in their turn among the model's ticks, and the guard at midnight."""

    def __init__(self, parts: Parts, ticking: Ticking, reloading: Reloading, evaluate: Evaluate) -> None:
        self._parts = parts
        self._ticking = ticking
        self._reloading = reloading
        self._evaluate = evaluate

    def stretches(self, work: Work) -> Iterator[tuple[int, int | None, Stop | None]]:
        """Cut the batch where the model ticks and where a watch acts: (end of the stretch, what follows it)."""
        watches = self._parts.watches
        stop = watches.scan(work)
        for end, tick in self._ticking.cut(work):
            at = NO_LIMIT if tick is None else tick
            while stop is not None and (stop.position, stop.time) <= (end, at):
                yield stop.position, None, stop
                stop = watches.scan(work)
            yield end, tick, None

    def act(self, work: Work | None, stop: Stop) -> None:
        """Fire what is due before a watch acts, so that it is judged by what held then; then let it act."""
        parts = self._parts
        watches, partition = parts.watches, parts.partition
        parts.writer.versions["model"] = parts.evaluation.model_version
        ended = watches.day_ended(stop)
        if stop.changes or stop.fact is not None or ended is not None or watches.network.holds:
            partition.sweep(stop.time - 1, self._evaluate)
        counted = watches.peers_day(stop)
        if counted > partition.feeds.peers.newest:
            partition.sweep(stop.time - 1, self._evaluate)
            partition.feeds.peers.end_of_day(counted)
        if ended is not None:
            self._reloading.guard(stop.time)
        watches.act(stop, work, PartitionCrowd(partition, parts.evaluation, parts.names, work))

    def pass_time(self, to: int) -> None:
        """Let time pass up to `to`: what the watches and the model have to do on the way, in order of time."""
        stop = self._parts.watches.pass_time(to)
        while True:
            tick = self._ticking.next()
            if stop is not None and (tick is None or stop.time <= tick):
                self.act(None, stop)
                stop = self._parts.watches.pass_time(to)
            elif tick is not None and tick <= to:
                self._ticking.pass_by(tick, to)
            else:
                return
