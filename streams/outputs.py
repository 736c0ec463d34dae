"""What a replay writes while it runs: decisions, incidents, dead letters and would-be warnings of shadow rules, each to its file if one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from engine.core import Step
from events.deadletters import DeadLetter
from sinks.jsonl import JsonLines
from streams.files import shown_name


class Outputs:
    """`lengths` is what a checkpoint knows of each file, by its path. Raises OSError, sinks.jsonl.ShorterError."""

    def __init__(
        self,
        warnings: Path | None = None,
        incidents: Path | None = None,
        dead_letters: Path | None = None,
        lengths: Mapping[str, int] | None = None,
        shadow: Path | None = None,
    ) -> None:
        self.stack = ExitStack()
        self.lengths = dict(lengths or {})
        with ExitStack() as opening:
            self.warnings = self.open(opening, warnings)
            self.incidents = self.open(opening, incidents)
            self.dead_letters = self.open(opening, dead_letters)
            self.shadow = self.open(opening, shadow)
            self.stack = opening.pop_all()

    def open(self, stack: ExitStack, path: Path | None) -> JsonLines | None:
        """A file that goes on where the checkpoint says; none when nobody asked for it."""
        if path is None:
            return None
        return stack.enter_context(JsonLines(path, self.lengths.get(key_of(path), 0)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def write(self, step: Step) -> None:
        """Decisions (those of held-out customers are for the report alone), incidents and dead letters of a step."""
        write_if_open(self.warnings, [one for one in step.decisions if not one.held_out])
        write_if_open(self.incidents, step.incidents)
        if self.shadow is not None:
            write_if_open(self.shadow, step.shadow)
        self.write_dead(step.dead)

    def write_dead(self, dead: Iterable[DeadLetter]) -> None:
        write_if_open(self.dead_letters, dead)

    def sync(self) -> dict[str, int]:
        """Make everything durable and give the length of every file that was ever written."""
        for out in (self.warnings, self.incidents, self.dead_letters, self.shadow):
            if out is not None:
                self.lengths[key_of(out.path)] = out.sync()
        return dict(self.lengths)


def key_of(path: Path) -> str:
    """What a file is known by in a checkpoint."""
    return shown_name(str(path.resolve()))


def write_if_open(out: JsonLines | None, objects: Iterable[Any]) -> None:
    """Nothing is written where nothing is asked for."""
    if out is not None:
        out.write(objects)
