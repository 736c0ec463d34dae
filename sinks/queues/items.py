"""An item as people see it: the newest decision on an episode, and where the work on it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Item(Struct, frozen=True, kw_only=True):
    """One item of a queue. Times are RFC 3339; `state` is ready, later, claimed, resolved or withdrawn.

    `claims` counts how often it was claimed, `tries` how often an outcome was given. `warning` is the newest decision
    as the contract writes it, empty once nobody needs it any more.
    """

    warning_id: str
    revision: int
    queue: str
    state: str
    tier: str
    due: str | None
    agent: str | None
    claimed_until: str | None
    acked_at: str | None
    back_at: str | None
    claims: int
    tries: int
    outcome: str | None
    ended: str | None
    warning: dict[str, Any]


def item_of(queue: str, found: Mapping[str, str]) -> Item:
    """The item of a hash."""
    claimed = found["state"] == "claimed"
    return Item(
        warning_id=found["id"],
        revision=int(found["revision"]),
        queue=queue,
        state=found["state"],
        tier=found["tier"],
        due=_time(found.get("due") if found["state"] in {"ready", "later"} else _due(found)),
        agent=found.get("agent") or None,
        claimed_until=_time(found.get("lease")) if claimed else None,
        acked_at=_time(found.get("acked_at")),
        back_at=_time(found.get("not_before")) if found["state"] == "later" else None,
        claims=int(found.get("claims", 0)),
        tries=int(found.get("tries", 0)),
        outcome=found.get("outcome"),
        ended=found.get("ended"),
        warning=msgspec.json.decode(found["warning"]) if found.get("warning") else {},
    )


def paired(flat: Sequence[str]) -> dict[str, str]:
    """What HGETALL in a script gives, as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _due(found: Mapping[str, str]) -> str | None:
    """Of a claimed item: to be acknowledged, then to be resolved."""
    return found.get("resolve_by" if "acked_at" in found else "ack_by")


def _time(milliseconds: str | None) -> str | None:
    return rfc3339(int(milliseconds)) if milliseconds else None


def rfc3339(milliseconds: int) -> str:
    """Milliseconds UTC as text, as all times of the contract are written (events.times would load the compiler)."""
    at = _EPOCH + timedelta(milliseconds=milliseconds)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
