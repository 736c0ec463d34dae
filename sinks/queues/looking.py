"""What is in the queues, and holding a queue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

import redis

from sinks.queues import keys, scripts
from sinks.queues.connection import known, reached
from sinks.queues.items import Item, item_of

PAGE = 500
STATES: Final = ("ready", "claimed", "later")
_INDEX: Final = {"ready": keys.ready, "claimed": keys.claimed, "later": keys.later}


class NoSuchItemError(Exception):
    """No queue knows this warning, or no queue has this name."""


class Counts(NamedTuple):
    """Items of a queue: unclaimed, coming back later, claimed, and unclaimed beyond their time."""

    ready: int
    later: int
    claimed: int
    overdue: int


class Queues:
    """All care queues. `clock` as for `scripts.on_queue`. Every method raises QueuesUnavailableError."""

    def __init__(self, client: redis.Redis, clock: Callable[[], int] | None = None) -> None:
        self.client, self.clock = client, clock

    def names(self, asked_for: Collection[str] = ()) -> list[str]:
        """All queues, or those asked for; raises NoSuchItemError for one that is not known."""
        with reached(self.client):
            there = known(self.client)
        for name in asked_for:
            if name not in there:
                raise NoSuchItemError(f"no queue {name}; there are: {', '.join(there) or 'none yet'}")
        return sorted(set(asked_for)) if asked_for else there

    def counts(self, queues: Collection[str] = ()) -> dict[str, Counts]:
        """How many items by queue, after bringing back what is due to come back."""
        names = self.names(queues)
        with reached(self.client):
            found = scripts.run(self.client, [scripts.on_queue("sweep", name, self.clock) for name in names])
        return {name: Counts(*counts) for name, counts in zip(names, found, strict=True)}

    def listed(
        self, queues: Collection[str] = (), tiers: Collection[str] = (), states: Sequence[str] = STATES
    ) -> Iterator[Item]:
        """Items by state in the order given: ready ones the most urgent first, the others by when they come back."""
        names = list(self.counts(queues))
        for state in states:
            with reached(self.client):
                pipeline = self.client.pipeline(transaction=False)
                for name in names:
                    pipeline.zrange(_INDEX[state](name), 0, -1, withscores=True)
                found = pipeline.execute()
            places = sorted(
                (score, item, name) for name, of_one in zip(names, found, strict=True) for item, score in of_one
            )
            for first in range(0, len(places), PAGE):
                for item in self._read([(name, one) for _, one, name in places[first : first + PAGE]]):
                    if item.state == state and (not tiers or item.tier in tiers):
                        yield item

    def find(self, warning_id: str) -> Item:
        """The item of an episode, whatever its state; raises NoSuchItemError."""
        with reached(self.client):
            queue = self.client.hget(keys.HOMES + warning_id, "queue")
        for item in self._read([(str(queue), warning_id)]) if queue else ():
            return item
        raise NoSuchItemError(f"{warning_id}: no such item in any queue")

    def _read(self, places: Sequence[tuple[str, str]]) -> list[Item]:
        """The items of (queue, warning_id) that are there."""
        with reached(self.client):
            pipeline = self.client.pipeline(transaction=False)
            for queue, item in places:
                pipeline.hgetall(keys.items(queue) + item)
            found = pipeline.execute()
        return [item_of(queue, fields) for (queue, _), fields in zip(places, found, strict=True) if fields]

    def pause(self, queue: str, said: str) -> None:
        """No claims from now on; items still arrive. `said` is shown to those who try."""
        self.names([queue])
        with reached(self.client):
            self.client.set(keys.paused(queue), said)

    def resume(self, queue: str) -> None:
        """Claims are possible again."""
        self.names([queue])
        with reached(self.client):
            self.client.delete(keys.paused(queue))

    def paused(self) -> dict[str, str]:
        """The queues on hold, and what was said."""
        names = self.names()
        with reached(self.client):
            pipeline = self.client.pipeline(transaction=False)
            for name in names:
                pipeline.get(keys.paused(name))
            return {name: said for name, said in zip(names, pipeline.execute(), strict=True) if said is not None}
