"""`churn demo`: the simulated operator's days through the engine, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from engine.core import Core
from events.decode import decode
from events.times import rfc3339
from rules.early_warning import EarlyWarning
from streams import clock
from streams.batches import pieces
from streams.progress import Counts

SOURCE = "simulator"
STEP_EVENTS = 4_096

Watch = Callable[[Iterable[EarlyWarning], str, int, float], None]
"""Is told new decisions, the newest event's time, the events so far, and the events a second of the last step."""


def play(engine: Core, days: Iterable[bytes], watch: Watch, day_seconds: float = 0.0) -> dict[str, Any]:
    """Feed the days to the engine and give the report; a simulated day takes at least `day_seconds`."""
    counts = Counts()
    line = 1
    for day in days:
        began = time.perf_counter()
        batch = decode(day, SOURCE, line, received_at=clock.now_text())
        line += batch.lines
        counts.add_dead(batch.dead)
        for piece in pieces(batch, STEP_EVENTS):
            if not len(piece):
                continue
            started = time.perf_counter()
            step = engine.step(piece, clock.now())
            counts.add(step)
            counts.newest_at = int(piece.events["at"].max())
            rate = len(piece) / (time.perf_counter() - started)
            watch(step.decisions, rfc3339(counts.newest_at), counts.events, rate)
            time.sleep(day_seconds * len(piece) / len(batch))
        counts.seconds += time.perf_counter() - began
    if counts.newest_at is not None:
        step = engine.advance(counts.newest_at, clock.now())
        counts.add(step)
        watch(step.decisions, rfc3339(counts.newest_at), counts.events, 0.0)
    return counts.report() | dict(engine.report())
