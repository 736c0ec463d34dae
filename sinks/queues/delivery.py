"""Decisions into the queues: in batches, each revision once, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import redis

from rules.early_warning import EarlyWarning, EpisodeStatus
from sinks.queues import keys, scripts
from sinks.queues.connection import reached
from sinks.queues.recent import Recent
from sinks.queues.scripts import Step, Value, on_queue

CHUNK = 200
"""Decisions to a round trip."""
STREAM_LENGTH = 50_000
"""Entries of a queue's stream that are kept, some 2 KB each."""
REMEMBERED_MS = 7 * 86_400_000
"""How long what is over is known, so that a repetition changes nothing."""
ITEM_BYTES = 32_768
"""A decision that is longer loses reasons, then actions, then rules, the last first."""
MOST_TIERS = 16
"""As many as the order of items tells apart."""

_OPEN = frozenset((EpisodeStatus.RAISED, EpisodeStatus.ELEVATED))
_encoder = msgspec.json.Encoder()
_packer = msgspec.msgpack.Encoder()

Entry = tuple[str | int | bool, ...]
"""One decision for put.lua."""


class Delivered(NamedTuple):
    """How many decisions were new to the queues, known there (or older than what is known), and kept from them."""

    new: int
    known: int
    held_out: int


class Delivery:
    """Puts decisions into their queues. `tiers` are the configuration's, mildest first; `clock` as for `on_queue`."""

    def __init__(
        self,
        client: redis.Redis,
        tiers: Sequence[str],
        *,
        stream_length: int = STREAM_LENGTH,
        remembered_ms: int = REMEMBERED_MS,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.client, self.clock = client, clock
        self.ranks = {tier: min(rank, MOST_TIERS - 1) for rank, tier in enumerate(tiers)}
        self.top = tiers[-1]
        self.stream_length, self.remembered_ms = stream_length, remembered_ms
        self._queues: set[str] = set()
        self.recent = Recent(client)

    def register(self, queues: Sequence[str]) -> None:
        """Make queues known before their first warning; raises QueuesUnavailableError."""
        with reached(self.client):
            self._register(set(queues))

    def deliver(self, decisions: Sequence[EarlyWarning]) -> Delivered:
        """All of them or QueuesUnavailableError, after which the same ones are to be given again, in the same order.

        Blocks for a few seconds at most when Redis hangs. Held-out decisions go nowhere. Given none, it only looks whether
        Redis lost what it had confirmed, and delivers that again.
        """
        shown = [decision for decision in decisions if not decision.held_out]
        with reached(self.client):
            lost = self.recent.lost()
            if lost:
                self._queues.clear()
                self._deliver_all(lost)
            new = self._deliver_all(shown)
            self.recent.delivered([*lost, *shown], again=bool(lost))
        return Delivered(new, len(shown) - new, len(decisions) - len(shown))

    def _deliver_all(self, decisions: Sequence[EarlyWarning]) -> int:
        self._register({decision.queue for decision in decisions})
        return sum(self._deliver(decisions[first : first + CHUNK]) for first in range(0, len(decisions), CHUNK))

    def _register(self, queues: set[str]) -> None:
        missing = queues - self._queues
        if missing:
            self.client.sadd(keys.QUEUES, *sorted(missing))
            self._queues |= missing

    def _deliver(self, decisions: Sequence[EarlyWarning]) -> int:
        leaves = self._run(self._homes(decisions))
        new, puts = 0, dict[str, list[tuple[EarlyWarning, str]]]()
        for decision, queues in zip(decisions, leaves, strict=True):
            if queues == 0:  # older than its move to another queue
                continue
            carried = ""
            if queues:  # rare; what came before must be there, and is taken along
                new += self._put(puts)
                puts = {}
                moved = [self._run(self._move(decision, queue)) for queue in queues]
                carried = next(filter(None, reversed(moved)), "")
            puts.setdefault(decision.queue, []).append((decision, carried))
        return new + self._put(puts)

    def _put(self, puts: Mapping[str, Sequence[tuple[EarlyWarning, str]]]) -> int:
        steps = []
        for queue, carrying in puts.items():
            entries = _packer.encode([self._entry(decision, carried) for decision, carried in carrying])
            texts = [encoded(decision) for decision, _ in carrying]
            steps.append(on_queue("put", queue, self.clock, self.stream_length, self.remembered_ms, entries, *texts))
        return sum(scripts.run(self.client, steps))

    def _homes(self, decisions: Sequence[EarlyWarning]) -> Step:
        entries = [(one.warning_id, one.revision, one.queue, one.status in _OPEN) for one in decisions]
        first = keys.HOMES + decisions[0].warning_id
        return Step("home", [first], [keys.HOMES, self.remembered_ms, _packer.encode(entries)])

    def _move(self, decision: EarlyWarning, queue: str) -> Step:
        moved: tuple[Value, ...] = (decision.warning_id, decision.revision, decision.queue)
        return on_queue("move", queue, self.clock, *moved, self.stream_length, self.remembered_ms)

    def _run(self, step: Step) -> Any:
        return scripts.run(self.client, [step])[0]

    def _entry(self, decision: EarlyWarning, carried: str) -> Entry:
        return (
            decision.warning_id,
            decision.revision,
            decision.status in _OPEN,
            decision.status,
            decision.tier,
            self.ranks.get(decision.tier, 0),
            int(decision.tier == self.top),
            milliseconds(decision.ack_by),
            milliseconds(decision.resolve_by),
            decision.status_reason or "",
            carried,
        )


@lru_cache(4096)  # deadlines fall on the hours of work
def milliseconds(time: str | None) -> int | str:
    """RFC 3339 to milliseconds UTC; empty for none."""
    return "" if time is None else int(datetime.fromisoformat(time).timestamp() * 1000)


def encoded(decision: EarlyWarning, most: int = ITEM_BYTES) -> bytes:
    """The decision as JSON of the contract, of at most so many bytes."""
    text = _encoder.encode(decision)
    for field in ("reasons", "actions", "rules"):
        while len(text) > most and getattr(decision, field):
            decision = msgspec.structs.replace(decision, **{field: getattr(decision, field)[:-1]})
            text = _encoder.encode(decision)
    return text
