"""`make bench-tune`: whether what `churn rules tune` promises of the later part is kept, over many choices.

Each rule with its first parameter, at floors of 5, 15 and 30 %; choices that are the same count once. The events are simulated,
one file for each seed (BENCH_SEEDS=101,102), or given: BENCH_FILES=events.jsonl.gz. BENCH_CUSTOMERS (1,000) and BENCH_DAYS
(160) set the size, BENCH_SPLIT where values are chosen up to (0.6, or a day). Of each file one line, and what was not kept.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from rules.backtesting import Trial
from rules.load import Configuration
from rules.tuning import Goal, Promise, Tried, grid, split_after, split_at
from rules.variants import numeric
from streams import bootstrap
from streams.commands.tune import share_of
from streams.studies.tuning import Candidate, best_of_one, expected, fires

FLOORS = (0.05, 0.15, 0.3)
CHURN = [sys.executable, "-c", "from streams.commands.root import main; main()"]


class Told(NamedTuple):
    """A promise, and what came of it."""

    candidate: Candidate
    promised: Promise
    best: Tried


def candidates(configuration: Configuration) -> list[Candidate]:
    """Every rule with values of its first parameter."""
    found = [(rule, numeric(rule)) for rule in configuration.rules.rules]
    chosen = [(rule.id, *next(iter(numbers.items()))) for rule, numbers in found if numbers]
    return [Candidate(rule, name, value) for rule, name, number in chosen for value in grid(number, None, None)]


def promises(trial: Trial, fired: dict[Candidate, list[tuple[int, int]]], split: int) -> list[Told]:
    """What is promised of each rule at each floor, each choice once."""
    found: dict[Candidate, Told] = {}
    for rule in dict.fromkeys(one.rule for one in fired):
        mine = {one: lines for one, lines in fired.items() if one.rule == rule}
        for floor in FLOORS:
            goal = Goal(precision=floor)
            picked, best = best_of_one(trial, mine, split, goal)
            if best is None or picked[0] in found:
                continue
            told = expected(trial, mine, split, goal, best_of_one, picked, best)
            if told is not None:
                found[picked[0]] = Told(picked[0], told, best)
    return list(found.values())


def measured(name: str, file: Path, split: float | dt.date) -> tuple[int, int]:
    """How many were promised and kept; says so."""
    configuration = bootstrap.configuration(bootstrap.config_folder(None))
    trial, fired = fires([str(file)], configuration, candidates(configuration), 1.0, None, lambda *_: None)
    at = split_at(trial, split) if isinstance(split, float) else split_after(trial, split)
    told = promises(trial, fired, at)
    kept = [one for one in told if one.promised.kept(one.best.later)]
    alone = [one for one in told if _within(one.best)]
    say(f"{name}: {len(told)} promised, {len(kept)} kept ({len(alone)} by the interval of the earlier part alone)")
    for one in told:
        if one not in kept:
            a, b, p = one.best.earlier, one.best.later, one.promised
            say(
                f"  {one.candidate.rule} {one.candidate.value:g}: promised {p.low:.0%} to {p.high:.0%}, "
                f"earlier {a.churned}/{a.matured}, later {b.churned}/{b.matured}"
            )
    return len(told), len(kept)


def _within(best: Tried) -> bool:
    interval, later = best.earlier.interval, best.later.precision
    return interval is not None and later is not None and interval[0] <= later <= interval[1]


def say(text: str) -> None:
    """A figure."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure every file and every seed."""
    split = share_of(os.environ.get("BENCH_SPLIT", "0.6"))
    found = [measured(name, Path(name), split) for name in os.environ.get("BENCH_FILES", "").split()]
    seeds = os.environ.get("BENCH_SEEDS", "" if found else "101,102,103,104,105,106").split(",")
    size = {"--customers": os.environ.get("BENCH_CUSTOMERS", "1000"), "--days": os.environ.get("BENCH_DAYS", "160")}
    with tempfile.TemporaryDirectory() as name:
        for seed in filter(None, seeds):
            file = Path(name) / f"{seed}.jsonl"
            options = [text for option in size.items() for text in option]
            subprocess.run([*CHURN, "simulate", *options, "--seed", seed, "--out", str(file)], check=True)
            found.append(measured(f"seed {seed}", file, split))
            file.unlink()
    promised, kept = (sum(one[k] for one in found) for k in (0, 1))
    say(f"in all {promised} promised, {kept} kept")


if __name__ == "__main__":
    main()
