"""Simulated files for measuring, made once and kept in .bench/."""

from __future__ import annotations

from pathlib import Path

import simulator
from streams import bootstrap
from streams.replay import Job, replay

FOLDER = Path(".bench")
SEED = 11
EVENTS_PER_DAY = 6.4
"""Of one customer in the default scenario, about."""


def made(name: str, customers: int, events: int, *, skewed: bool = False) -> tuple[Path, Path]:
    """A file that introduces all customers, and one of `events` events that follow it."""
    known, file = FOLDER / f"{name}-{events}.known.jsonl", FOLDER / f"{name}-{events}.jsonl"
    if file.exists():
        return known, file
    FOLDER.mkdir(exist_ok=True)
    days = int(events / (customers * EVENTS_PER_DAY) * 1.3) + 3
    stream = simulator.days(customers, days, SEED, simulator.Scenario(skewed=skewed))
    known.write_bytes(next(stream))
    half_made = file.with_suffix(".writing")
    left = events
    with half_made.open("wb") as out:
        for day in stream:
            lines = day.splitlines(keepends=True)[:left]
            out.writelines(lines)
            left -= len(lines)
            if left <= 0:
                break
    half_made.rename(file)
    return known, file


def trained() -> Path:
    """A model that learned from half a year of another operator."""
    model, history = FOLDER / "model", FOLDER / "history.jsonl"
    if not model.exists():
        FOLDER.mkdir(exist_ok=True)
        simulator.simulate(2_000, 180, SEED + 1, history)
        configuration = bootstrap.configuration(bootstrap.config_folder(None))
        job = Job([str(history)], save_model=model)
        replay(job, lambda _: bootstrap.engine(configuration, None, None), print)
    return model
