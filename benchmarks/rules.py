"""`make bench-rules`: what many rules cost. The default set, then 100, 500 and 1,000 rules over the same events.

The many are copies of the default rules with numbers of their own (up to a third less or more), so they fire as often as those,
share no comparison, and wait as long. BENCH_EVENTS (1,000,000) and BENCH_CUSTOMERS (200,000) set the size; batches are of
5,000 events. Each row is a process of its own on one core; processor time is counted, so that a busy machine matters little.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.bench import measured
from benchmarks.events import made, trained
from engine.engine import Engine
from engine.model_inputs import model_inputs
from models.champion import Champion
from models.settings import LearningSettings
from rules.load import Configuration
from rules.ruleset import Rule
from rules.variants import numeric, with_parameter
from streams import bootstrap
from streams.replay import Job, replay
from streams.warmup import warm_up

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "200000"))
SIZES = (0, 100, 500, 1000)
"""Rules; 0 is the default set."""
BATCH = 5_000


def many(configuration: Configuration, size: int) -> Configuration:
    """The default rules and copies of them, `size` in all."""
    schema, chance, numbers = configuration.schema, random.Random(1), count()
    rules = list(configuration.rules.rules)
    sources = [rule for rule in rules if numeric(rule)]
    for rule in cycle(sources):
        if len(rules) >= size:
            break
        copy: Rule = rule
        for name, value in numeric(rule).items():
            copy = with_parameter(
                copy, name, value * chance.uniform(0.67, 1.33), schema, configuration.settings.currency
            )
        number = next(numbers)
        rules.append(replace(copy, id=f"{rule.id}-{number}", alert=f"{rule.alert}{number}", mode="live"))
    return replace(configuration, rules=replace(configuration.rules, rules=tuple(rules[: size or None])))


def one(size: int, events: str, known: str, model: str) -> dict[str, float]:
    """Seconds of a replay with so many rules, after the customers are known."""
    configuration = bootstrap.configuration(bootstrap.config_folder(None))
    if size:
        configuration = many(configuration, size)
    warm_up()
    learning = LearningSettings(horizon_days=configuration.settings.horizon_days)
    champion, _ = Champion.load(Path(model).read_bytes(), *model_inputs({}), learning, learn=True)
    began = time.process_time()
    engine = Engine(configuration, champion)
    compiled = time.process_time() - began
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(file: str) -> float:
            begun = time.process_time()
            job = Job([file], warnings=folder / "warnings.jsonl", step_events=BATCH)
            replay(job, lambda _: engine, print)
            return time.process_time() - begun

        run(known)
        seconds = run(events)
    fired = sum(len(line.rules) for line in engine.decider.log.episodes)
    return {"rules": len(engine.decider.rules), "seconds": seconds, "compile": compiled, "fired": fired}


def main() -> None:
    """Measure every size, then all in a table."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(one(int(sys.argv[1]), *sys.argv[2:5])) + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    known, file = made(str(CUSTOMERS), CUSTOMERS, EVENTS)
    table = Table("rules", "fired", "µs an event", "against the default set", "more, µs", "to make ready, s")
    base = 0.0
    for size in SIZES:
        found = measured("benchmarks.rules", Path(str(size)), file, known, trained())
        each = found["seconds"] / EVENTS * 1e6
        base = base or each
        row = (
            f"{found['rules']:,}",
            f"{found['fired']:,}",
            f"{each:.2f}",
            f"{each / base:.2f}",
            f"{each - base:.2f}",
            f"{found['compile']:.2f}",
        )
        console.print("  ".join(row))
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
