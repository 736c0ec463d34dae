"""What people do with an item: claim it, acknowledge, resolve or give it back.

One item has one holder. A claim is a lease by the server's clock: it runs out, and the item is there for others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec
import redis
from msgspec import Struct

from sinks.queues.connection import reached
from sinks.queues.delivery import REMEMBERED_MS
from sinks.queues.items import Item, item_of, paired, rfc3339
from sinks.queues.looking import NoSuchItemError, Queues
from sinks.queues.outbox import MOST_WAITING
from sinks.queues.scripts import Step, on_queue, run

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
CLAIM_MS, ACK_MS = 30 * MINUTE_MS, 4 * HOUR_MS
"""How long a claim lasts, and from its acknowledgement on."""
COME_BACK: Final = {"unreachable": 4 * HOUR_MS, "callback": 24 * HOUR_MS}
"""The outcomes that end nothing, and when the item is back unless a time is given (ms)."""
SOURCE = "care-queue"
_ATTEMPTS = 5


class NotNowError(Exception):
    """It cannot be done as things stand: taken by another, paused, over, or nothing there."""


class Resolution(Struct, frozen=True, kw_only=True):
    """What came of it, as the contract's `care.resolved` says it; `back_at` (ms UTC) for those that end nothing."""

    outcome: str
    cause: str | None = None
    offer: str | None = None
    offer_cost: float | None = None
    note: str | None = None
    back_at: int | None = None


class Work:
    """The work on all queues. `clock` as for `scripts.on_queue`.

    Every method raises QueuesUnavailableError, NotNowError when things stand otherwise, and NoSuchItemError.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], int] | None = None) -> None:
        self.client, self.clock, self.queues = client, clock, Queues(client, clock)

    def claim(self, warning_id: str, agent: str, lease_ms: int = CLAIM_MS) -> Item:
        """This item for this agent alone, for so long."""
        return self._on_item("claim", warning_id, warning_id, agent, lease_ms, "")

    def claim_next(
        self, agent: str, queues: Collection[str] = (), tiers: Collection[str] = (), lease_ms: int = CLAIM_MS
    ) -> Item:
        """The most urgent item of all queues, or of those queues and tiers."""
        chosen, names = f" {' '.join(tiers)} " if tiers else "", self.queues.names(queues)
        looks = self._run([self._step("claim", name, "", "", lease_ms, chosen) for name in names])
        first = sorted((float(look[1]), name) for name, look in zip(names, looks, strict=True) if look[0] == "first")
        for _, name in first:
            (answer,) = self._run([self._step("claim", name, "", agent, lease_ms, chosen)])
            if answer[0] == "claimed":
                return item_of(name, paired(answer[1]))
        held = [name for name, look in zip(names, looks, strict=True) if look[0] == "paused"]
        raise NotNowError("nothing to claim" + (f" (paused: {', '.join(held)})" if held else ""))

    def ack(self, warning_id: str, agent: str | None = None, lease_ms: int = ACK_MS) -> Item:
        """The holder has taken it up: `ack_by` is met, and the claim lasts so long from now."""
        return self._on_item("ack", warning_id, warning_id, agent or "", lease_ms)

    def release(self, warning_id: str, agent: str | None = None) -> Item:
        """Given back: there for others at once."""
        return self._on_item("release", warning_id, warning_id, agent or "")

    def resolve(self, warning_id: str, resolution: Resolution, agent: str | None = None) -> Item:
        """What came of it, into the outbox and onto the item in one step.

        An unclaimed item is claimed and resolved at once. The holder of an item that was withdrawn meanwhile may still
        say what came of it.
        """
        for _ in range(_ATTEMPTS):
            before = self.queues.find(warning_id)
            (answer,) = self._run([self._resolve(before, resolution, agent)])
            if answer[0] not in {"changed", "moved"}:
                return self._item(before, answer)
        raise NotNowError(f"{warning_id} is being changed by others; try again")

    def _resolve(self, before: Item, resolution: Resolution, agent: str | None) -> Step:
        held = before.state in {"claimed", "withdrawn"}
        claim, now = before.claims + (not held), self._now()
        again = COME_BACK.get(resolution.outcome)
        back_at = "" if again is None else resolution.back_at or now + again
        event = event_of(before, resolution, agent or before.agent, claim, now)
        return self._step(
            "resolve", before.queue, before.warning_id, agent or "", claim, resolution.outcome, back_at,
            msgspec.json.encode(event), REMEMBERED_MS, MOST_WAITING,
        )  # fmt: skip

    def _on_item(self, script: str, warning_id: str, *arguments: str | int) -> Item:
        for _ in range(_ATTEMPTS):
            before = self.queues.find(warning_id)
            (answer,) = self._run([self._step(script, before.queue, *arguments)])
            if answer[0] != "moved":
                return self._item(before, answer)
        raise NotNowError(f"{warning_id} is being changed by others; try again")

    def _item(self, before: Item, answer: Sequence[Any]) -> Item:
        """The item of an answer; raises what it says instead."""
        if len(answer) == 2 and isinstance(answer[1], list):
            return item_of(before.queue, paired(answer[1]))
        state, who = answer[0], answer[1] if len(answer) > 1 else ""
        if state == "unknown":
            raise NoSuchItemError(f"{before.warning_id}: no such item in any queue")
        raise NotNowError(_said(before, state, who))

    def _step(self, script: str, queue: str, *arguments: str | bytes | int) -> Step:
        return on_queue(script, queue, self.clock, *arguments)

    def _run(self, steps: Sequence[Step]) -> list[Any]:
        with reached(self.client):
            return run(self.client, steps)

    def _now(self) -> int:
        if self.clock is not None:
            return self.clock()
        with reached(self.client):
            seconds, micros = self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000


def event_of(item: Item, resolution: Resolution, agent: str | None, claim: int, now: int) -> dict[str, Any]:
    """The `care.resolved` event of the contract. Its id names the claim, so that said twice it is one event."""
    said = msgspec.structs.asdict(resolution)
    del said["back_at"]
    event = {
        "type": "care.resolved",
        "event_id": f"care-{item.warning_id}-{claim}",
        "customer_id": item.warning.get("customer_id"),
        "account_id": item.warning.get("account_id"),
        "occurred_at": rfc3339(now),
        "source": SOURCE,
        "warning_id": item.warning_id,
        "agent": agent,
        **said,
    }
    return {name: value for name, value in event.items() if value is not None}


def _said(item: Item, state: str, who: str) -> str:
    name, queue = item.warning_id, item.queue
    return {
        "claimed": f"{name} is claimed by {who}",
        "paused": f"queue {queue} is paused",
        "ready": f"{name} is not claimed; claim it first",
        "later": f"{name} is not claimed; claim it first",
        "withdrawn": f"{name} was withdrawn ({item.ended})",
        "resolved": f"{name} is resolved already ({item.outcome})",
        "full": f"too many outcomes of queue {queue} wait to be forwarded; is a worker running?",
    }.get(state, f"{name} is {state}")
