"""Engines to run small streams through, and what of their results is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.engine import Engine, Step
from engine.model_inputs import model_inputs
from events.columns import Batch
from events.decode import decode
from models.champion import Champion
from models.settings import LearningSettings
from rules.load import Configuration, load
from streams.bootstrap import schema

ROOT = Path(__file__).parents[2]
DEFAULT, QUICK = ROOT / "config", ROOT / "tests" / "testdata" / "quick"
# A model that learns and speaks after a handful of examples, and that has to drop some.
EAGER = LearningSettings(
    horizon_days=1,
    pending_examples=24,
    examples_per_tick=3,
    positives_to_speak=1,
    negatives_to_speak=1,
    publish_every=1,
    rebin_days=2.0,
    trees=2,
    tree_grace=4,
    calibration_examples=64,
    anomaly_trees=3,
    anomaly_height=3,
    anomaly_window=5,
    anomaly_learned_per_day=3,
    anomaly_per_day=4,
    anomaly_sample=11,
    anomaly_to_speak=3,
)


class Outcome(NamedTuple):
    """All that a run says, the wall clock apart."""

    decisions: list[dict[str, Any]]
    scores: list[tuple[str, float | None, str | None]]
    report: dict[str, Any]
    counts: tuple[int, int, int]  # applied, duplicates, dead letters
    incidents: list[dict[str, Any]]


@cache
def configuration(folder: Path) -> Configuration:
    """A configuration folder, without the environment's overrides."""
    return load(folder, schema(), {})


def engine(folder: Path = QUICK, *, model: Champion | None = None, learning: LearningSettings = EAGER) -> Engine:
    """A fresh engine; its model learns unless one is given."""
    if model is None:
        model = Champion(*model_inputs({}), learning)
    return Engine(configuration(folder), model)


def frozen() -> Champion:
    """A model that knows nothing and learns nothing."""
    return Champion(*model_inputs({}), EAGER, learn=False)


def batch(part: Sequence[bytes], first: int = 1) -> Batch:
    """Lines as a batch."""
    return decode(b"".join(line + b"\n" for line in part), "f", first, received_at="now")


def cut(whole: Sequence[bytes], sizes: Iterable[int]) -> Iterable[list[bytes]]:
    """The lines in batches of these sizes; what is left over is the last."""
    start = 0
    for size in sizes:
        if start >= len(whole):
            return
        yield list(whole[start : start + size])
        start += size
    if start < len(whole):
        yield list(whole[start:])


def every(size: int, whole: Sequence[bytes]) -> list[list[bytes]]:
    """The lines in batches of one size."""
    return [list(whole[start : start + size]) for start in range(0, len(whole), size)]


def said(decision: Any) -> dict[str, Any]:
    """A decision without the wall clock."""
    return {name: value for name, value in msgspec.to_builtins(decision).items() if name != "decided_at"}


def ordered(decisions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The order in which the contract compares them."""
    return sorted(decisions, key=lambda each: (each["raised_at"], each["customer_id"], each["revision"]))


def newest(batches: Iterable[Batch]) -> int:
    """The newest occurred_at (µs); 0 for none."""
    return max((int(each.events["at"].max()) for each in batches if len(each)), default=0)


def run(engine: Engine, parts: Iterable[Sequence[bytes]], *, end: int | None = None) -> Outcome:
    """Every part is a batch; then time goes on to the newest event (or to `end`), and the scores are asked for."""
    steps: list[Step] = []
    latest = 0
    for number, part in enumerate(parts):
        one = batch(part)
        latest = max(latest, newest([one]))
        steps.append(engine.step(one, 1_000_000 * number))
    end = latest if end is None else end
    steps.append(engine.advance(end, 0))
    return Outcome(
        ordered(said(decision) for step in steps for decision in step.decisions),
        sorted(engine.scores(end)),
        {name: value for name, value in engine.report().items() if name != "state_bytes_per_customer"},
        (
            sum(step.applied for step in steps),
            sum(step.duplicates for step in steps),
            sum(len(step.dead) for step in steps),
        ),
        [msgspec.to_builtins(incident) for step in steps for incident in step.incidents],
    )


def copied(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot that the engine it is of no longer changes."""
    return {name: part if isinstance(part, bytes) else part.copy() for name, part in parts.items()}
