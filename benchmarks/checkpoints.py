"""`make bench-checkpoints`: what a worker's checkpoints cost, and how much they write, for uniformly random and for skewed customers.

Slices of events are drained in turn with checkpoints (every BENCH_EVERY seconds, 10) and without any. BENCH_CUSTOMERS,
BENCH_EVENTS (of a slice), BENCH_ROUNDS; KAFKA_BOOTSTRAP as in benchmarks/live.py.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.broker import broker, filled
from benchmarks.events import made
from benchmarks.figures import Measured, ratios, table
from benchmarks.live import COUNT, CUSTOMERS, ROUNDS
from benchmarks.worker import LiveWorker

EVERY = os.environ.get("BENCH_EVERY", "10")
NEVER = "1e9"


def row(skewed: bool) -> list[str]:
    """One table row: how customers are drawn, rates with and without, by processor time too, MB/s."""
    name = f"{CUSTOMERS}-skewed" if skewed else str(CUSTOMERS)
    file_events = int(os.environ.get("BENCH_FILE", str(COUNT * ROUNDS * 2)))
    known, file = made(name, CUSTOMERS, file_events, skewed=skewed)
    measured: dict[str, list[Measured | None]] = {EVERY: [], NEVER: []}
    written = []
    with broker() as servers, tempfile.TemporaryDirectory() as folder, file.open("rb") as lines:
        with known.open("rb") as first:
            count = asyncio.run(filled(servers, first))
        with LiveWorker(servers, Path(folder)) as worker:
            worker.drain(count)
        for number in range(ROUNDS):
            for every in (EVERY, NEVER) if number % 2 else (NEVER, EVERY):
                count = asyncio.run(filled(servers, islice(lines, COUNT)))
                with LiveWorker(servers, Path(folder), CHURN_CHECKPOINT_EVERY=every) as worker:
                    measured[every].append(worker.drain(count))
                if every == EVERY:
                    written.append(worker.written / 1e6)
            said = ", ".join(
                f"every {every} s: {of[-1].rate:,.0f}/s, {of[-1].per_cpu:,.0f} by CPU"
                for every, of in measured.items()
                if of[-1] is not None
            )
            load = os.getloadavg()[0]
            print(f"{name}, round {number + 1}: {said}, {written[-1]:.1f} MB/s written; load {load:.1f}", flush=True)
    rates = [f"{median(one.rate for one in of if one is not None):,.0f}" for of in measured.values()]
    pair = ratios(measured[EVERY], measured[NEVER]) or (0.0, 0.0)
    return ["skewed" if skewed else "uniform", *rates, *(f"{one:.2f}" for one in pair), f"{median(written):.0f}"]


def main() -> None:
    """Measure both kinds, say it."""
    heads = ["customers", f"every {EVERY} s", "none", "with/without", "by CPU", "MB/s written"]
    print(table(heads, [row(skewed=False), row(skewed=True)]))


if __name__ == "__main__":
    main()
