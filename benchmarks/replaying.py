"""One measured replay in a process of its own: `python -m benchmarks.replaying EVENTS [KNOWN]`.

KNOWN is a file of events that the engine has seen before the clock starts; EVENTS are then read as `churn replay` reads them,
with warnings, dead letters and scores written. Prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams import bootstrap
from streams.core import Core
from streams.replay import Job, replay
from streams.warmup import warm_up


def run(engine: Core, file: Path, folder: Path) -> dict[str, Any]:
    """Replay one file with its outputs in `folder`."""
    job = Job(
        [str(file)],
        warnings=folder / "warnings.jsonl",
        dead_letters=folder / "dead.jsonl",
        scores=folder / "scores.csv",
    )
    return replay(job, lambda _: engine, print)


def state_bytes(snapshot: Mapping[str, Any]) -> int:
    """What a snapshot takes up."""
    return sum(value.nbytes if hasattr(value, "nbytes") else len(value) for value in snapshot.values())


def main() -> None:
    """Warm up, learn to know the customers, measure."""
    events = Path(sys.argv[1])
    configuration = bootstrap.configuration(bootstrap.config_folder(None))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm_up()
        engine = bootstrap.engine(configuration, None, None)
        if len(sys.argv) > 2:
            run(engine, Path(sys.argv[2]), folder)
        began = time.perf_counter()
        report = run(engine, events, folder)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = {name: state_bytes({name: value}) for name, value in engine.snapshot().items()}
    print(
        json.dumps(report | {"seconds": seconds, "peak_mb": peak, "state_bytes": sum(sizes.values()), "state": sizes})
    )


if __name__ == "__main__":
    main()
