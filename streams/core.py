"""The engine as its drivers see it: what they give it and what they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from events.columns import Batch
from events.deadletters import DeadLetter
from rules.early_warning import EarlyWarning


class Step(Protocol):
    """What came of a batch, or of time passing."""

    @property
    def decisions(self) -> Sequence[EarlyWarning]: ...
    @property
    def incidents(self) -> Sequence[Any]: ...
    @property
    def dead(self) -> Sequence[DeadLetter]: ...
    @property
    def applied(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def shadow(self) -> Sequence[EarlyWarning]: ...


class Core(Protocol):
    """One partition's engine. Times are microseconds UTC; `decided_at` is the wall clock and changes no decision."""

    def save_model(self) -> bytes: ...
    def step(self, batch: Batch, decided_at: int, /) -> Step: ...
    def advance(self, to: int, decided_at: int, /) -> Step: ...
    def scores(self, at: int, /) -> Iterable[tuple[str, float | None, str | None]]: ...
    def report(self) -> Mapping[str, Any]: ...
    def snapshot(self) -> Mapping[str, NDArray[Any] | bytes]: ...
