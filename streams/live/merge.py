"""The events of a partition's topics in one order: by `occurred_at`, each topic in its own order.

Kafka gives no order between topics. A topic's next event has its turn at the running maximum of the topic's times, as in a
replay of one file per topic. An event is held back while another topic that may still have an older one has not been read
to its end; when all are read, only until `align` later they still are, for what is on its way. What a topic's end was
before the event came says nothing: the broker may have been away since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.columns import Batch
from events.deadletters import DeadLetter
from streams.admit import beyond
from streams.batches import compacted, in_order, part
from streams.live.ahead import bytes_decoded

NEVER: Final = 2**62
LONG_AGO: Final = -float("inf")
CLOCKS_DIFFER_US: Final = 1_000_000


class Chunk(NamedTuple):
    """Records of one topic: their events, when each has its turn, what follows them, when they came (monotonic, s), and what
    they take.
    """

    batch: Batch
    turns: NDArray[np.int64]
    next_offset: int
    came: float
    size: int


class Queue:
    """What was read of one topic and is not released yet."""

    def __init__(self, position: int, turn: int) -> None:
        self.position = position  # the offset behind what was released
        self.received = position  # the offset behind what was read
        self.turn = turn  # of the event released last
        self.newest = turn  # of the event read last
        self.chunks: deque[Chunk] = deque()
        self.taken = 0  # events released of the first chunk
        self.events = 0
        self.size = 0  # bytes of the chunks, each of which is kept whole until all of it is released
        self.drained_at = LONG_AGO  # when (monotonic, s) all that the broker had was read; LONG_AGO: it has more
        self.oldest = float("inf")  # when the oldest of the events taken last came

    @property
    def drained(self) -> bool:
        """Whether the topic was read to its end, as far as is known."""
        return self.drained_at > LONG_AGO

    def add(self, batch: Batch, next_offset: int, came: float) -> None:
        """Events read; of none there may be dead letters and a position still."""
        turns = np.maximum(np.maximum.accumulate(times_of(batch)), self.newest) if len(batch) else np.empty(0, np.int64)
        if len(turns):
            self.newest = int(turns[-1])
        self.received = next_offset
        self.events += len(batch)
        self.chunks.append(Chunk(batch, turns, next_offset, came, bytes_decoded(batch)))
        self.size += self.chunks[-1].size

    def newest_before(self, came: float) -> int:
        """The turn of the newest event that came no later; −NEVER if there is none."""
        for chunk in reversed(self.chunks):
            if chunk.came <= came and len(chunk.turns):
                return int(chunk.turns[-1])
        return -NEVER

    def head(self) -> int | None:
        """The turn of the next event."""
        for index, chunk in enumerate(self.chunks):
            start = self.taken if index == 0 else 0
            if start < len(chunk.turns):
                return int(chunk.turns[start])
        return None

    def cut(self, most: int) -> int:
        """The turn that ends the next `most` events; NEVER when there are fewer."""
        left = most
        for index, chunk in enumerate(self.chunks):
            start = self.taken if index == 0 else 0
            if len(chunk.turns) - start > left:
                return int(chunk.turns[start + left - 1])
            left -= len(chunk.turns) - start
            if left == 0:
                return int(chunk.turns[-1])
        return NEVER

    def take(self, until: int) -> list[tuple[Batch, NDArray[np.int64]]]:
        """The events with a turn no later than `until`."""
        taken: list[tuple[Batch, NDArray[np.int64]]] = []
        self.oldest = float("inf")
        while self.chunks:
            chunk, start = self.chunks[0], self.taken
            end = int(np.searchsorted(chunk.turns, until, "right"))
            if end > start:
                taken.append((part(chunk.batch, start, end), chunk.turns[start:end]))
                self.events -= end - start
                self.oldest = min(self.oldest, chunk.came)
                self.turn = int(chunk.turns[end - 1])
            if end < len(chunk.turns):
                self.taken, self.position = max(start, end), chunk.batch.number(max(start, end))
                return taken
            self.size -= self.chunks.popleft().size
            self.taken, self.position = 0, chunk.next_offset
        return taken


def times_of(batch: Batch) -> NDArray[np.int64]:
    """When events have their turn (µs): at the time they came if they are dated later, or one false date held up all that
    follow; at once where they are dated so much later that they will be refused.
    """
    at, came = batch.events["at"], batch.events["clock"]
    later = np.where(beyond(batch, came), 0, came)
    times: NDArray[np.int64] = np.where((came > 0) & (at > came + CLOCKS_DIFFER_US), later, at)
    return times


class Merger:
    """The queues of a partition's topics, in the order that settles ties."""

    def __init__(
        self, topics: Sequence[str], positions: Mapping[str, int], turns: Mapping[str, int], align: float
    ) -> None:
        self.align = align
        self.queues = {topic: Queue(positions.get(topic, 0), turns.get(topic, -NEVER)) for topic in topics}
        self.dead: list[DeadLetter] = []

    @property
    def waiting(self) -> int:
        """Events that were read and not released."""
        return sum(queue.events for queue in self.queues.values())

    def seen(self, now: float) -> float:
        """Up to when (monotonic, s; not after `now`) the broker had nothing more of any topic that was read to its end."""
        return min([now, *(queue.drained_at for queue in self.queues.values() if queue.drained)])

    def until(self, now: float) -> int:
        """The turn up to which everything may be released at `now` (monotonic, s)."""
        queues = self.queues.values()
        unread = min((queue.newest for queue in queues if not queue.drained), default=NEVER)
        settled = self.seen(now) - self.align
        waited = max((queue.newest_before(settled) for queue in queues), default=-NEVER)
        return max(min(queue.newest for queue in queues), min(unread, waited))

    def release(self, now: float, most: int, below: int, until: int | None = None) -> Batch | None:
        """The next events with a turn before `below`, about `most` of each topic; None when there are none to release yet.

        `until` stands for the turn up to which everything may be released, where the caller knows better.
        """
        until = self.until(now) if until is None else until
        queues = list(self.queues.values())
        # All of a topic's events up to where it is cut are at hand: up to the earliest cut the order is complete.
        bound = min([until, below - 1, *(queue.cut(most) for queue in queues)])
        taken = [piece for queue in queues for piece in queue.take(bound)]
        return in_order([(compacted(piece), turns) for piece, turns in taken]) if taken else None

    def promise(self, now: float) -> int:
        """The time (µs) before which nothing more will be released, as far as `now` (monotonic, s) tells; 0: none."""
        heads = [turn for queue in self.queues.values() if (turn := queue.head()) is not None]
        return max(0, min(*heads, self.until(now) + 1)) if heads else 0

    @property
    def newest(self) -> int:
        """The turn of the newest event read; 0 for none."""
        return max(0, *(queue.newest for queue in self.queues.values()))

    @property
    def oldest(self) -> float:
        """When the oldest of the events released last came (monotonic, s)."""
        return min(queue.oldest for queue in self.queues.values())

    def drained(self) -> bool:
        """Nothing is left to read or to release."""
        return all(queue.drained and not queue.chunks for queue in self.queues.values())
