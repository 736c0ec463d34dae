"""Compiled windows: clear what has passed, add to the buckets an event falls in, sum what a window covers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from customers.layout import T
from customers.metrics import (
    BASE,
    BLOCK_OF,
    PLACE,
    RING_HELD,
    RING_SUMMED,
    RING_WIDTH,
    SCALE_OF,
    STRIDE,
)
from events.compiled import compiled

_ROLLED = T["rolled"]
_RINGS = len(RING_WIDTH)
_MID_MOST = 2**31 - 1
_SMALL_MOST = 2**16 - 1
_WIDE_MOST = 2**53

Slots = npt.NDArray[np.int64]
"""One bucket number per ring."""


@compiled
def roll(r: np.void, now: int) -> None:
    """Clear the buckets that `now` (µs) brings into the rings of the customer. Time never goes back here."""
    old = r["times"][_ROLLED]
    if now <= old:
        return
    r["times"][_ROLLED] = now
    for ring in range(_RINGS):
        width, held = RING_WIDTH[ring], RING_HELD[ring]
        newest, last = now // width, old // width
        if newest == last:
            continue
        for bucket in range(max(last + 1, newest - held + 1), newest + 1):
            k = bucket % held
            at = BASE[0, ring] + k * STRIDE[0, ring]
            r["wide"][at : at + STRIDE[0, ring]] = 0
            at = BASE[1, ring] + k * STRIDE[1, ring]
            r["mid"][at : at + STRIDE[1, ring]] = 0
            at = BASE[2, ring] + k * STRIDE[2, ring]
            r["small"][at : at + STRIDE[2, ring]] = 0


@compiled
def place(r: np.void, at: int, slots: Slots) -> None:
    """Which bucket of each ring an event dated `at` (µs) falls in, into `slots`; −1 where the ring does not hold it."""
    newest_time = r["times"][_ROLLED]
    for ring in range(_RINGS):
        width, held = RING_WIDTH[ring], RING_HELD[ring]
        bucket, newest = at // width, newest_time // width
        slots[ring] = bucket % held if newest - held < bucket <= newest else -1


@compiled
def add(r: np.void, metric: int, amount: float, slots: Slots) -> None:
    """Add `amount` (≥ 0, in the metric's unit) to the buckets in `slots` of every window of the metric.

    Sums saturate; adding what is not negative up to a ceiling gives the same sum in any order.
    """
    units = np.int64(min(np.rint(amount * SCALE_OF[metric]), float(_WIDE_MOST)))
    if units <= 0:
        return
    block = BLOCK_OF[metric]
    for ring in range(_RINGS):
        column = PLACE[metric, ring]
        if column < 0 or slots[ring] < 0:
            continue
        slot = BASE[block, ring] + slots[ring] * STRIDE[block, ring] + column
        if block == 0:
            r["wide"][slot] = min(r["wide"][slot] + units, _WIDE_MOST)
        elif block == 1:
            r["mid"][slot] = min(r["mid"][slot] + units, _MID_MOST)
        else:
            r["small"][slot] = min(r["small"][slot] + units, _SMALL_MOST)


@compiled
def bucket_value(r: np.void, metric: int, ring: int, bucket: int) -> float:
    """The sum (in the metric's unit) of one bucket of one ring; 0 where the ring no longer or not yet holds it."""
    held, newest = RING_HELD[ring], r["times"][_ROLLED] // RING_WIDTH[ring]
    if bucket <= newest - held or bucket > newest:
        return 0.0
    block = BLOCK_OF[metric]
    slot = BASE[block, ring] + (bucket % held) * STRIDE[block, ring] + PLACE[metric, ring]
    if block == 0:
        return float(r["wide"][slot]) / SCALE_OF[metric]
    if block == 1:
        return float(r["mid"][slot]) / SCALE_OF[metric]
    return float(r["small"][slot]) / SCALE_OF[metric]


@compiled
def window_sums(r: np.void, ring: int, block: int, newest: int, sums: npt.NDArray[np.int64]) -> None:
    """Sum, into `sums[:members]`, the summed buckets of one ring in one block (fixed-point units).

    `newest`: the place of the running bucket in the ring.
    """
    stride, held, base = STRIDE[block, ring], RING_HELD[ring], BASE[block, ring]
    sums[:stride] = 0
    bucket = newest
    for _ in range(RING_SUMMED[ring]):
        at = base + bucket * stride
        if block == 0:
            for k in range(stride):
                sums[k] += r["wide"][at + k]
        elif block == 1:
            for k in range(stride):
                sums[k] += r["mid"][at + k]
        else:
            for k in range(stride):
                sums[k] += r["small"][at + k]
        bucket = bucket - 1 if bucket > 0 else held - 1
