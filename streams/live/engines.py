"""The engine of a lane, as it sees it, and who gives it other rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.core import Core, Step
from engine.guarding import Alarm
from population.findings import Finding, Word
from population.incident import Incident
from streams.live.exchange import Teller
from streams.live.journal import Reload

if TYPE_CHECKING:
    from streams.recording import Recorder


class Sharing(Core, Teller, Protocol):
    """An engine of one partition among others."""

    def share(self, lane: int, count: int, /) -> None: ...
    def overhear(self, word: Word, offset: int | None = None, /) -> None: ...
    def obey(self, finding: Finding, decided_at: int, /) -> Step: ...
    def published(self) -> Sequence[Incident]: ...
    @property
    def publishes(self) -> bool: ...
    def open_by_tier(self) -> Mapping[str, int]: ...
    def in_force(self) -> Mapping[str, str]: ...
    def record(self, recorder: Recorder, /) -> None: ...


class Reloading(Protocol):
    """Who has the rules of every version."""

    def reloaded(self, engine: Any, reload: Reload, /) -> tuple[Any, Sequence[Alarm]]:
        """The engine to go on with, and the rules that the guard holds since."""
