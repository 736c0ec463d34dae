"""What is counted per customer over windows of event time, and how the counts lie in memory.

A metric is declared once, in `METRICS`. Its sums are fixed-point integers, so that late and in-order events agree to the
last bit. A window of 1, 7, 30 or 90 days is a ring of buckets at most a sixth of the window wide; the ring also holds the
running bucket, so a window covers its days and up to one bucket more. The 7-day ring holds one day beyond that: the own
normal learns from the seven days that are closed (older than the lateness of 24 h).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


class Ring(NamedTuple):
    """One ring of buckets: the window in days, a bucket's width in microseconds, buckets held, buckets summed."""

    days: int
    width_us: int
    held: int
    summed: int


RINGS: Final = (
    Ring(1, 4 * HOUR_US, 7, 7),
    Ring(7, DAY_US, 9, 8),
    Ring(30, 5 * DAY_US, 7, 7),
    Ring(90, 15 * DAY_US, 7, 7),
)
DAY_RING: Final = 1
RING_COUNT: Final = len(RINGS)

# Feeds: what must have been seen at all before its absence means anything.
FEEDS: Final = (
    "usage",
    "quality",  # a failed or dropped session was ever reported
    "speed",
    "bills",
    "payments",
    "topups",
    "balances",
    "complaints",
    "surveys",
    "contacts",
    "porting",
    "care",
    "outcomes",
    "contracts",
)
FEED: Final = {name: i for i, name in enumerate(FEEDS)}


class Metric(NamedTuple):
    """A windowed sum. `scale`: units per one; `block`: wide (48 bits), mid (31), small (16) or tiny (8), saturating.

    `tiny` is for what one customer cannot have 255 of within a bucket.
    """

    name: str
    unit: str
    scale: int
    windows: tuple[int, ...]
    block: str
    feed: str


METRICS: Final = (
    Metric("uses", "sessions", 1, (1, 7, 30, 90), "mid", "usage"),
    Metric("voice_seconds", "s", 10, (7, 30), "mid", "usage"),
    Metric("data_mb", "MB", 1_000_000, (7, 30), "wide", "usage"),
    Metric("messages", "messages", 1, (7, 30), "small", "usage"),
    Metric("charge", "money", 10_000, (30,), "wide", "usage"),
    Metric("failed", "attempts", 1, (7, 30), "small", "quality"),
    Metric("dropped", "sessions", 1, (1, 7, 30), "small", "quality"),
    Metric("voice_day_seconds", "s", 10, (30,), "mid", "usage"),
    Metric("voice_evening_seconds", "s", 10, (30,), "mid", "usage"),
    Metric("voice_night_seconds", "s", 10, (30,), "mid", "usage"),
    Metric("calls_day", "calls", 1, (30,), "small", "usage"),
    Metric("calls_evening", "calls", 1, (30,), "small", "usage"),
    Metric("calls_night", "calls", 1, (30,), "small", "usage"),
    Metric("international_seconds", "s", 10, (30,), "mid", "usage"),
    Metric("international_calls", "calls", 1, (30,), "small", "usage"),
    Metric("roaming_uses", "sessions", 1, (30,), "small", "usage"),
    Metric("voicemails", "messages", 1, (30,), "small", "usage"),
    Metric("broadband_mb", "MB", 10, (30,), "mid", "usage"),
    Metric("other_uses", "sessions", 1, (30,), "small", "usage"),
    Metric("offnet_seconds", "s", 10, (30,), "mid", "usage"),
    Metric("speed_sum", "Mbit/s", 10, (30,), "mid", "speed"),
    Metric("speed_count", "records", 1, (30,), "small", "speed"),
    Metric("topup_amount", "money", 100, (90,), "mid", "topups"),
    Metric("topups", "top-ups", 1, (90,), "tiny", "topups"),
    Metric("complaints", "complaints", 1, (7, 30, 90), "tiny", "complaints"),
    Metric("reopened", "complaints", 1, (90,), "tiny", "complaints"),
    Metric("unsatisfied", "answers", 1, (90,), "tiny", "complaints"),
    Metric("survey_sum", "score 0..1", 100, (90,), "small", "surveys"),
    Metric("survey_count", "answers", 1, (90,), "tiny", "surveys"),
    Metric("contacts", "contacts", 1, (30,), "tiny", "contacts"),
    Metric("wait_seconds", "s", 1, (30,), "mid", "contacts"),
    Metric("transfers", "transfers", 1, (30,), "tiny", "contacts"),
    Metric("contact_steps", "steps", 1, (30,), "small", "contacts"),
    Metric("unresolved_contacts", "contacts", 1, (30,), "tiny", "contacts"),
    Metric("care_contacts", "contacts", 1, (30,), "tiny", "care"),
    Metric("porting_queries", "queries", 1, (30,), "tiny", "porting"),
)
METRIC: Final = {metric.name: i for i, metric in enumerate(METRICS)}

BLOCKS: Final = ("wide", "mid", "small", "tiny")


def _layout() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], dict[str, int]]:
    """Place every (metric, ring): buckets of a ring are neighbours, so that clearing one is one short run.

    Returns base[block, ring], stride[block, ring] (metrics in that ring), place[metric, ring] (−1: not kept) and the
    width of each block.
    """
    base = np.zeros((len(BLOCKS), len(RINGS)), np.int64)
    stride = np.zeros((len(BLOCKS), len(RINGS)), np.int64)
    place = np.full((len(METRICS), len(RINGS)), -1, np.int64)
    width = dict.fromkeys(BLOCKS, 0)
    for b, block in enumerate(BLOCKS):
        for r, ring in enumerate(RINGS):
            members = [m for m, metric in enumerate(METRICS) if metric.block == block and ring.days in metric.windows]
            base[b, r], stride[b, r] = width[block], len(members)
            place[members, r] = np.arange(len(members))
            width[block] += ring.held * len(members)
    return base, stride, place, width


BASE, STRIDE, PLACE, WIDTH = _layout()
BLOCK_OF: Final = np.array([BLOCKS.index(metric.block) for metric in METRICS], np.int64)
SCALE_OF: Final = np.array([metric.scale for metric in METRICS], np.float64)
FEED_OF: Final = np.array([FEED[metric.feed] for metric in METRICS], np.int64)
RING_WIDTH: Final = np.array([ring.width_us for ring in RINGS], np.int64)
RING_HELD: Final = np.array([ring.held for ring in RINGS], np.int64)
RING_SUMMED: Final = np.array([ring.summed for ring in RINGS], np.int64)
