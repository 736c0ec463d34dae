"""`make bench`: how fast the engine is on this machine, and what it needs.

BENCH_EVENTS (10,000,000) sets the size. Each row is a process of its own on one core; the ratio is to the bare msgspec decode of
the same file, measured just before it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.events import made, trained

EVENTS = int(os.environ.get("BENCH_EVENTS", "10000000"))
CASES = (
    # name, customers, share of EVENTS, skewed
    ("200,000 customers", 200_000, 1.0, False),
    ("20,000 customers", 20_000, 0.3, False),
    ("1,000,000 customers", 1_000_000, 0.3, False),
    ("200,000, 1 % of them half of the events", 200_000, 0.3, True),
)


def measured(module: str, *arguments: Path) -> dict[str, Any]:
    """What a measurement says, run on one core."""
    one_core = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    command = [*one_core, sys.executable, "-m", module, *map(str, arguments)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


HEAD = (
    "customers known before",
    "events",
    "decode /s",
    "engine /s",
    "ratio",
    "peak MB",
    "B/customer",
    "+ ids, dedup, model",
)


def case(name: str, customers: int, count: int, *, skewed: bool) -> tuple[str, ...]:
    """Make the files, measure both, give the row."""
    known, file = made(f"{customers}{'-skewed' if skewed else ''}", customers, count, skewed=skewed)
    decoding = measured("benchmarks.decoding", file)
    replaying = measured("benchmarks.replaying", file, known, trained())
    decode_rate, rate = decoding["events"] / decoding["seconds"], count / replaying["seconds"]
    alone, everything = replaying["state_bytes_per_customer"], replaying["state_bytes"] / replaying["customers"]
    ratio, peak = rate / decode_rate, replaying["peak_mb"]
    return (
        name,
        f"{count:,}",
        f"{decode_rate:,.0f}",
        f"{rate:,.0f}",
        f"{ratio:.2f}",
        f"{peak:,.0f}",
        f"{alone:,.0f}",
        f"{everything:,.0f}",
    )


def main() -> None:
    """Measure every case, each told as soon as it is known, then all in a table."""
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    table = Table(*HEAD)
    for name, customers, share, skewed in CASES:
        count = int(EVENTS * share)
        console.print(f"{name}, {count:,} events: simulating if they are not there yet, then measuring")
        row = case(name, customers, count, skewed=skewed)
        console.print("  " + ", ".join(f"{head} {value}" for head, value in zip(HEAD[2:], row[2:], strict=True)))
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
