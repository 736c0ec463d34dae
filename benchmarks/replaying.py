"""One measured replay in a process of its own: `python -m benchmarks.replaying EVENTS KNOWN MODEL`.

KNOWN is a file of events that the engine has seen before the clock starts, MODEL a saved model that scores every row and goes
on learning; EVENTS are then read as `churn replay` reads them, with warnings and dead letters written. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core import Core
from engine.engine import Engine
from engine.model_inputs import model_inputs
from models.champion import Champion
from models.settings import LearningSettings
from streams import bootstrap
from streams.replay import Job, replay
from streams.warmup import warm_up


def run(engine: Core, file: Path, folder: Path) -> dict[str, Any]:
    """Replay one file with its outputs in `folder`."""
    job = Job(
        [str(file)],
        warnings=folder / "warnings.jsonl",
        dead_letters=folder / "dead.jsonl",
    )
    return replay(job, lambda _: engine, print)


def state_bytes(snapshot: Mapping[str, Any]) -> int:
    """What a snapshot takes up."""
    return sum(value.nbytes if hasattr(value, "nbytes") else len(value) for value in snapshot.values())


def peak_memory() -> float:
    """Megabytes that this program held at most (getrusage would count what it was before exec, too)."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def main() -> None:
    """Warm up, learn to know the customers, measure."""
    events, known, model = map(Path, sys.argv[1:])
    configuration = bootstrap.configuration(bootstrap.config_folder(None))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm_up()
        learning = LearningSettings(horizon_days=configuration.settings.horizon_days)
        champion, _ = Champion.load(model.read_bytes(), *model_inputs({}), learning, learn=True)
        if not champion.speaking:
            raise RuntimeError("the model has nothing to say: it must learn from more events")
        engine = Engine(configuration, champion)
        run(engine, known, folder)
        began = time.perf_counter()
        report = run(engine, events, folder)
        seconds = time.perf_counter() - began
    peak = peak_memory()
    sizes = {name: state_bytes({name: value}) for name, value in engine.snapshot().items()}
    print(
        json.dumps(report | {"seconds": seconds, "peak_mb": peak, "state_bytes": sum(sizes.values()), "state": sizes})
    )


if __name__ == "__main__":
    main()
