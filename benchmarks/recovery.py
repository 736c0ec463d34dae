"""`make bench-recovery`: how soon a worker is back at work after kill -9, and after a restart, with many customers in state.

A worker knows BENCH_CUSTOMERS (1,000,000) customers and works at half of the rate that it came to while it learned of them
(BENCH_TOP: of this, events/s). It is killed and another started at once. Apart: detection (until the group gives it the
partitions; nobody before the session of the dead ends), load (checkpoints), catch-up (until less than a second of events
waits). Then the same after SIGTERM, where the group is told. KAFKA_BOOTSTRAP as in benchmarks/live.py.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec
import uvloop

from benchmarks.broker import broker
from benchmarks.events import made
from benchmarks.figures import table
from benchmarks.load import at_once, load
from benchmarks.worker import LiveWorker

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
FILE_EVENTS = int(os.environ.get("BENCH_FILE", "3000000"))
TOP = float(os.environ.get("BENCH_TOP", "0"))
EVERY = os.environ.get("BENCH_EVERY", "30")
STEADY_SECONDS = 2 * float(EVERY) + 15
"""At half load before the worker dies: long enough for a checkpoint of everybody."""
LONGEST = 300.0
LOOK_SECONDS = 0.1
HEADS = ["", "stop s", "detection s", "load s", "catch-up s", "load + catch-up s", "all s"]


def moments(log: Path, said: str, after: float) -> list[float]:
    """When (s since 1970) a worker said something, after a moment."""
    found = []
    for line in log.read_bytes().splitlines():
        if said.encode() in line:
            told = msgspec.json.decode(line)
            at = datetime.fromisoformat(told["timestamp"]).timestamp()
            if told["event"] == said and at > after:
                found.append(at)
    return found


def caught_up(worker: LiveWorker, rate: float) -> float:
    """Wait until less than a second of events waits, and goes on to; gives when that began (s since 1970)."""
    began, until = 0.0, time.monotonic() + LONGEST
    while time.monotonic() < until:
        there = worker.applied() > 0 and worker.metric("churn_consumer_lag_records") < rate
        began = 0.0 if not there else began or time.time()
        if began and time.time() - began >= 3:
            return began
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"not back after {LONGEST:.0f} s: {worker.log.read_text()[-3000:]}")


def back_at_work(worker: LiveWorker, how: int, rate: float) -> list[str]:
    """End a worker in some way, start it again; the row of how long that took."""
    begun = time.time()
    worker.process.send_signal(how)
    worker.process.wait(150)
    ended = time.time()
    worker.start()
    back = caught_up(worker, rate)
    given = moments(worker.log, "partitions assigned", ended)[-1]
    loaded = max(moments(worker.log, "partition taken over", given))
    spans = [ended - begun, given - ended, loaded - given, back - loaded, back - given, back - begun]
    name = "kill -9" if how == signal.SIGKILL else "restart"
    return [name, *(f"{span:.1f}" for span in spans)]


def main() -> None:
    """Fill, work at half load, die, come back."""
    known, file = made(str(CUSTOMERS), CUSTOMERS, FILE_EVENTS)
    rows = []
    with broker() as servers, tempfile.TemporaryDirectory() as folder:
        events = uvloop.run(at_once(servers, known))
        with LiveWorker(servers, Path(folder), CHURN_CHECKPOINT_EVERY=EVERY) as worker:
            top = TOP or worker.drain(events).rate
            print(f"{CUSTOMERS:,} customers made known by {events:,} events; top rate {top:,.0f} events/s", flush=True)
            with load(servers, file, top / 2):
                time.sleep(STEADY_SECONDS)
                for how in (signal.SIGKILL, signal.SIGTERM):
                    print(f"lag {worker.metric('churn_consumer_lag_records'):,.0f}; load {os.getloadavg()[0]:.1f}")
                    rows.append(back_at_work(worker, how, top / 2))
                    print(table(HEADS, rows), flush=True)
                    time.sleep(STEADY_SECONDS)


if __name__ == "__main__":
    main()
