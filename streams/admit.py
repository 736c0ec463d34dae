"""Which events are let in by their date alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from events.columns import Batch
from events.deadletters import DeadLetter, Reason, dead_letter
from events.times import rfc3339

FUTURE_TOLERANCE = 86_400_000_000
"""Microseconds: an event dated more than a day after its arrival cannot be true (contract, section 1)."""


def arrivals(batch: Batch, otherwise: int) -> NDArray[np.int64]:
    """When events came (µs): a record tells, a line does not and came at `otherwise`."""
    clocks = batch.events["clock"]
    came: NDArray[np.int64] = np.where(clocks > 0, clocks, otherwise)
    return came


def beyond(batch: Batch, arrived_at: int | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which events are dated too far in the future to be true."""
    refused: NDArray[np.bool_] = batch.events["at"] > arrived_at + FUTURE_TOLERANCE
    return refused


def admit(
    batch: Batch, arrived_at: int | NDArray[np.int64], until: int | None, received_at: str
) -> tuple[Batch, list[DeadLetter], int]:
    """The events that may be applied, dead letters of those from the future, and how many are dated after `until`.

    `arrived_at` (of all, or i8[event]) and `until` are microseconds UTC.
    """
    at = batch.events["at"]
    future = beyond(batch, arrived_at)
    after = ~future & (at > until) if until is not None else np.zeros(len(at), bool)
    refused = future | after
    if not refused.any():
        return batch, [], 0
    arrived = np.broadcast_to(arrived_at, at.shape)
    stamped, stamp = batch.events["clock"] > 0, ("", "the record's timestamp ")  # of a line nobody says when it came
    dead = [
        dead_letter(
            Reason.IN_FUTURE,
            f"occurred_at is {rfc3339(int(at[index]))}, more than a day after {stamp[bool(stamped[index])]}"
            f"{rfc3339(int(arrived[index]))}",
            batch.place(index),
            received_at,
            batch.payload(index),
        )
        for index in np.flatnonzero(future).tolist()
    ]
    return batch.take(np.flatnonzero(~refused)), dead, int(after.sum())
