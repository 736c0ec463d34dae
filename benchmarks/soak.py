"""`make soak`: a worker at half load for SOAK_MINUTES (30): does its memory grow, does it fall behind, does it log errors?

A worker has to know the events of a day of usage, and of 90 days of everything else, when they come again: at such a rate
that would be all there ever are. So event time passes as fast as makes the rate that of so many customers, each with
SOAK_EVENTS a day (6.4, the simulator's), and half an hour is some months. BENCH_CUSTOMERS, BENCH_EVENTS (to find the top
rate, or BENCH_TOP in events/s); KAFKA_BOOTSTRAP as in benchmarks/live.py.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec
import uvloop

from benchmarks.broker import bounded, broker
from benchmarks.events import EVENTS_PER_DAY, made
from benchmarks.figures import table
from benchmarks.latency import EVERY, TOP
from benchmarks.live import COUNT, CUSTOMERS
from benchmarks.load import at_once, load
from benchmarks.queues import server
from benchmarks.worker import LiveWorker

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
EVENTS = float(os.environ.get("SOAK_EVENTS", str(EVENTS_PER_DAY)))
DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
PARTS = 6
LOOK_SECONDS = 5
MOST_RATE = 500_000.0
"""No worker is expected to be faster: customers are made known so long before."""
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(worker: LiveWorker) -> float:
    """MB of memory that the worker has."""
    return int(Path(f"/proc/{worker.process.pid}/statm").read_text().split()[1]) * PAGE / 1e6


def pace_of(rate: float) -> float:
    """How many times as fast as ours the time of events passes."""
    return rate * DAY_SECONDS / (CUSTOMERS * EVENTS)


def errors(log: Path) -> list[str]:
    """What it logged as errors."""
    lines = [msgspec.json.decode(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return [line["event"] for line in lines if line["level"] in {"error", "critical"}]


def main() -> None:
    """Fill, soak, say it by sixths of the time."""
    known, file = made(str(CUSTOMERS), CUSTOMERS, int(os.environ.get("BENCH_FILE", str(COUNT))))
    rows = []
    with broker() as servers, server("always") as redis, tempfile.TemporaryDirectory() as folder:
        uvloop.run(bounded(servers))
        longest = 60 * MINUTES * pace_of(MOST_RATE) + DAY_SECONDS
        events = uvloop.run(at_once(servers, known, before=longest))
        with LiveWorker(servers, Path(folder), CHURN_CHECKPOINT_EVERY=EVERY, CHURN_REDIS_URL=redis) as worker:
            rate = min(TOP or worker.drain(events).rate, 2 * MOST_RATE) / 2
            days = 60 * MINUTES * pace_of(rate) / DAY_SECONDS
            print(f"{CUSTOMERS:,} customers, {rate:,.0f} events/s for {MINUTES:g} minutes, {days:.0f} days", flush=True)
            with load(servers, file, rate, 60 * MINUTES + 60, pace_of(rate), longest - HOUR_SECONDS):
                for part in range(PARTS):
                    until, sizes, lags, before = time.monotonic() + 60 * MINUTES / PARTS, [], [], worker.applied()
                    begun = time.monotonic()
                    while time.monotonic() < until:
                        time.sleep(LOOK_SECONDS)
                        sizes.append(resident(worker))
                        lags.append(worker.metric("churn_consumer_lag_records"))
                    done = (worker.applied() - before) / (time.monotonic() - begun)
                    rows.append([
                        f"{part + 1} of {PARTS}", f"{done:,.0f}", f"{median(sizes):,.0f}", f"{max(sizes):,.0f}",
                        f"{median(lags):,.0f}", f"{max(lags):,.0f}", f"{os.getloadavg()[0]:.1f}",
                    ])  # fmt: skip
                    print(*rows[-1], flush=True)
            said, items = worker.metric("churn_decisions_total"), worker.metric("churn_queue_items")
        print(table(["part", "events/s", "RSS MB", "most", "lag", "most", "load"], rows))
        print(f"decisions: {said:,.0f}, items in the care queues: {items:,.0f}")
        print(f"errors logged: {errors(worker.log)}")


if __name__ == "__main__":
    main()
