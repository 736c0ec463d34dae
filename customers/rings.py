"""Compiled windows: clear what has passed, add to the buckets an event falls in, sum what a window covers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from customers.layout import T
from customers.metrics import (
    BASE,
    BLOCK_OF,
    BLOCKS,
    DAY_RING,
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
_TINY_MOST = 2**8 - 1
_WIDE_MOST = 2**48 - 1
_LOW_MOST = 2**32 - 1

Slots = npt.NDArray[np.int64]
"""One bucket number per ring."""


_SPAN, _DAY, _FIVE, _FIFTEEN = (int(width) for width in RING_WIDTH)  # constants: dividing by one is a multiplication
_HELD0, _HELD1, _HELD2, _HELD3 = (int(held) for held in RING_HELD)


@compiled(inline=True, borrows=True)
def _buckets(at: int, out: Slots) -> None:
    """The number of the bucket of each ring that a time (µs) falls in, counted from 1970."""
    out[0], out[1], out[2], out[3] = at // _SPAN, at // _DAY, at // _FIVE, at // _FIFTEEN


@compiled(inline=True, borrows=True)
def _slot(bucket: int, ring: int) -> int:
    if ring == DAY_RING:
        return bucket % _HELD1
    return bucket % _HELD0  # all others hold as many as the first


if not _HELD0 == _HELD2 == _HELD3:
    raise NotImplementedError("rings but the daily one hold the same number of buckets (_slot)")


@compiled(borrows=True)
def _clear(r: np.void, ring: int, last: int, newest: int) -> None:
    held = RING_HELD[ring]
    for bucket in range(max(last + 1, newest - held + 1), newest + 1):
        k = bucket % held
        for n in range(STRIDE[0, ring]):
            r["wide"][BASE[0, ring] + k * STRIDE[0, ring] + n] = 0
            r["high"][BASE[0, ring] + k * STRIDE[0, ring] + n] = 0
        for n in range(STRIDE[1, ring]):
            r["mid"][BASE[1, ring] + k * STRIDE[1, ring] + n] = 0
        for n in range(STRIDE[2, ring]):
            r["small"][BASE[2, ring] + k * STRIDE[2, ring] + n] = 0
        for n in range(STRIDE[3, ring]):
            r["tiny"][BASE[3, ring] + k * STRIDE[3, ring] + n] = 0


@compiled(borrows=True)
def roll(r: np.void, now: int) -> None:
    """Clear the buckets that `now` (µs) brings into the rings of the customer. Time never goes back here."""
    old = r["times"][_ROLLED]
    if now <= old:
        return
    r["times"][_ROLLED] = now
    if now // _SPAN == old // _SPAN:
        return  # the narrowest bucket goes on, so all do
    for ring in range(_RINGS):
        width = RING_WIDTH[ring]
        newest, last = now // width, old // width
        if newest != last:
            _clear(r, ring, last, newest)


@compiled(borrows=True)
def place(r: np.void, at: int, slots: Slots) -> None:
    """Which bucket of each ring an event dated `at` (µs) falls in, into `slots`; −1 where the ring does not hold it."""
    rolled = r["times"][_ROLLED]
    _buckets(at, slots)
    if at // _SPAN == rolled // _SPAN:
        for ring in range(_RINGS):
            slots[ring] = _slot(slots[ring], ring)
        return
    for ring in range(_RINGS):
        newest, held = rolled // RING_WIDTH[ring], RING_HELD[ring]
        slots[ring] = slots[ring] % held if newest - held < slots[ring] <= newest else -1


@compiled(inline=True, borrows=True)
def _wide(r: np.void, slot: int) -> int:
    return np.int64(r["wide"][slot]) | np.int64(r["high"][slot]) << 32


@compiled(borrows=True)
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
            total = min(_wide(r, slot) + units, _WIDE_MOST)
            r["wide"][slot], r["high"][slot] = total & _LOW_MOST, total >> 32
        elif block == 1:
            r["mid"][slot] = min(r["mid"][slot] + units, _MID_MOST)
        elif block == 2:
            r["small"][slot] = min(r["small"][slot] + units, _SMALL_MOST)
        else:
            r["tiny"][slot] = min(r["tiny"][slot] + units, _TINY_MOST)


@compiled(borrows=True)
def bucket_value(r: np.void, metric: int, ring: int, bucket: int) -> float:
    """The sum (in the metric's unit) of one bucket of one ring; 0 where the ring no longer or not yet holds it."""
    held, newest = RING_HELD[ring], r["times"][_ROLLED] // RING_WIDTH[ring]
    if bucket <= newest - held or bucket > newest:
        return 0.0
    block = BLOCK_OF[metric]
    slot = BASE[block, ring] + (bucket % held) * STRIDE[block, ring] + PLACE[metric, ring]
    if block == 0:
        return float(_wide(r, slot)) / SCALE_OF[metric]
    if block == 1:
        return float(r["mid"][slot]) / SCALE_OF[metric]
    if block == 2:
        return float(r["small"][slot]) / SCALE_OF[metric]
    return float(r["tiny"][slot]) / SCALE_OF[metric]


def _summing(block: str, ring: int) -> Callable[[np.void, int, npt.NDArray[np.float64]], None]:
    """Compiled sums of the windows of one block and ring, to their place in `out`, in the metrics' units.

    All sizes are constants, so that the loops are unrolled and vectorised. Every sum is exact in float64.
    """
    number = BLOCKS.index(block)
    first = int(STRIDE[:, :ring].sum() + STRIDE[:number, ring].sum())
    stride, held, base = int(STRIDE[number, ring]), int(RING_HELD[ring]), int(BASE[number, ring])
    beyond = held - int(RING_SUMMED[ring])  # buckets held, but older than the window
    members = np.argsort(PLACE[:, ring] + np.where((number == BLOCK_OF) & (PLACE[:, ring] >= 0), 0, 1_000))[:stride]
    scales = tuple(float(SCALE_OF[metric]) for metric in members)
    whole = all(scale == 1.0 for scale in scales)
    wide = block == "wide"

    @compiled(borrows=True)
    def sums(r: np.void, newest: int, out: npt.NDArray[np.float64]) -> None:
        x, high = r[block], r["high"]
        for k in range(stride):
            total = 0.0
            for bucket in range(held):
                total += float(x[base + bucket * stride + k])
                if wide:
                    total += 4294967296.0 * float(high[base + bucket * stride + k])
            out[first + k] = total
        if beyond > 0:
            at = base + ((newest + 1) % held) * stride
            for k in range(stride):
                out[first + k] -= float(x[at + k])
                if wide:
                    out[first + k] -= 4294967296.0 * float(high[at + k])
        if not whole:
            for k in range(stride):
                out[first + k] /= scales[k]

    return sums


# The blocks that each ring has metrics in; compiled code knows no list of functions.
_DAY_MID, _DAY_SMALL = _summing("mid", 0), _summing("small", 0)
_WEEK_WIDE, _WEEK_MID, _WEEK_SMALL, _WEEK_TINY = (_summing(block, 1) for block in BLOCKS)
_MONTH_WIDE, _MONTH_MID, _MONTH_SMALL, _MONTH_TINY = (_summing(block, 2) for block in BLOCKS)
_QUARTER_MID, _QUARTER_SMALL, _QUARTER_TINY = _summing("mid", 3), _summing("small", 3), _summing("tiny", 3)
if STRIDE[0, 0] or STRIDE[3, 0] or STRIDE[0, 3]:
    raise NotImplementedError("a metric is in a block and ring that sum_windows leaves out: add its sum there")


@compiled(borrows=True)
def sum_windows(r: np.void, day: int, out: npt.NDArray[np.float64]) -> None:
    """All windows into `out`, ring by ring and block by block; `day`: the newest bucket of the daily ring."""
    _DAY_MID(r, day, out)
    _DAY_SMALL(r, day, out)
    _WEEK_WIDE(r, day, out)
    _WEEK_MID(r, day, out)
    _WEEK_SMALL(r, day, out)
    _WEEK_TINY(r, day, out)
    _MONTH_WIDE(r, day, out)
    _MONTH_MID(r, day, out)
    _MONTH_SMALL(r, day, out)
    _MONTH_TINY(r, day, out)
    _QUARTER_MID(r, day, out)
    _QUARTER_SMALL(r, day, out)
    _QUARTER_TINY(r, day, out)
