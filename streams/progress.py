"""How far a replay has come: what a checkpoint holds beside the engine, and what the report adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.core import Step
from events.deadletters import DeadLetter
from streams.checkpoint import CheckpointFolder, State
from streams.inputs import Known

ENTRY = "replay"
"""The name of the progress among the entries of a checkpoint; the engine's begin with `engine/`."""
ENGINE = "engine/"


class Counts(msgspec.Struct):
    """Every line that is not blank is counted once: applied, duplicate, dead, or dated after `--score-at`."""

    events: int = 0
    duplicates: int = 0
    after_score_at: int = 0
    dead_letters: dict[str, int] = {}
    newest_at: int | None = None
    seconds: float = 0.0

    def add(self, step: Step) -> None:
        self.events += step.applied
        self.duplicates += step.duplicates
        self.add_dead(step.dead)

    def add_dead(self, dead: Iterable[DeadLetter]) -> None:
        for letter in dead:
            self.dead_letters[letter.reason] = self.dead_letters.get(letter.reason, 0) + 1

    def report(self) -> dict[str, Any]:
        """The counts as the contract names them."""
        return {
            "events": self.events,
            "events_per_second": round(self.events / self.seconds, 1) if self.seconds else None,
            "duplicates": self.duplicates,
            "dead_letters": dict(sorted(self.dead_letters.items())),
            "after_score_at": self.after_score_at,
        }


class Progress(msgspec.Struct):
    """Positions of every file ever read, lengths of every file ever written, and the counts so far.

    `started_at` (microseconds UTC) is the wall clock at the start of the run that is not `finished` yet: what counts as
    the future must not change when a run that died goes on.
    """

    started_at: int
    finished: bool = False
    inputs: list[Known] = []
    outputs: dict[str, int] = {}
    counts: Counts = msgspec.field(default_factory=Counts)

    def now_known(self, read: Iterable[Known]) -> None:
        """Replace what is known of these files; the newest stand first."""
        fresh = list(read)
        identities = {known.identity for known in fresh}
        self.inputs = fresh + [known for known in self.inputs if known.identity not in identities]


def save(folder: CheckpointFolder, progress: Progress, engine: Mapping[str, Any]) -> None:
    """One checkpoint of both; raises OSError."""
    folder.save({ENTRY: msgspec.json.encode(progress)} | {ENGINE + name: value for name, value in engine.items()})


def split(state: State, now: int) -> tuple[Progress, dict[str, Any]]:
    """The progress and the engine's part of a checkpoint."""
    encoded = state.get(ENTRY)
    progress = msgspec.json.decode(encoded, type=Progress) if isinstance(encoded, bytes) else Progress(now)
    if progress.finished:
        progress.started_at, progress.finished = now, False
    return progress, {name.removeprefix(ENGINE): value for name, value in state.items() if name.startswith(ENGINE)}
