"""Episodes: one conversation per customer, raised once, tier up only, ended once."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

_ID_BYTES: Final = 12


class Episode(Struct):
    """An open episode. `rules`: those that hold it up, and since when (µs); `actions`: what was proposed last."""

    warning_id: str
    opened_at: int
    tier_rank: int
    cause: str
    held_out: bool
    rules: dict[int, int]
    revision: int = 1
    queue: str = ""
    ack_by: int | None = None
    resolve_by: int | None = None
    actions: tuple[str, ...] = ()


def warning_id(customer_id: str, opened_at: int, rule_id: str) -> str:
    """A function of the customer and of the decision that opened the episode, the same wherever it is worked out."""
    digest = hashlib.blake2b(
        f"{customer_id}\0{opened_at}\0{rule_id}".encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES
    )
    return digest.hexdigest()


def held_out(who: str, tier: str, share: float) -> bool:
    """Whether an account (or customer) belongs to the tier's hold-out: by hash, so for good and everywhere alike."""
    if share <= 0:
        return False
    digest = hashlib.blake2b(f"hold-out\0{tier}\0{who}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64
