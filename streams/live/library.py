"""The bundles that a worker knows, by hash, and the engines that work by them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.guarding import Alarm, check_reloadable
from rules.faults import ConfigurationError
from rules.load import Configuration
from streams.live.bundle import Files, unpacked, written
from streams.live.journal import Covered, Reload, Tick

READY: Final = 6
"""Configurations that are kept ready: partitions are at most a few apart."""
Read = Callable[[Path], Configuration]
"""A folder's configuration; raises ConfigurationError."""
Make = Callable[[Configuration, dict[str, Any] | None], Any]
"""An engine, from its part of a checkpoint if there is one."""


class RefusedError(Exception):
    """A rule set that is not worked by; `why` is one word, the message says more."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class Library:
    """Bundles by hash, packed; those used last are kept as configurations. `read` takes what was once in force, as it stands."""

    def __init__(self, read: Read, make: Make, ready: int = READY) -> None:
        self.read, self.make, self.ready = read, make, ready
        self.bundles: dict[str, bytes] = {}
        self.compiled: dict[str, Configuration] = {}
        self.lock = threading.Lock()

    def add(self, digest: str, packed: bytes) -> None:
        """A bundle that was made known."""
        self.bundles.setdefault(digest, packed)

    def files(self, digest: str) -> dict[str, bytes]:
        """The files of a bundle. Raises KeyError, UnreadableRecordError."""
        return unpacked(self.bundles[digest], digest)

    def configuration(self, digest: str) -> Configuration:
        """What a bundle says. Raises KeyError, UnreadableRecordError, ConfigurationError (places are the bundle's names)."""
        with self.lock:  # partitions are opened at once, and by the same rules
            found = self.compiled.pop(digest, None) or self.compile(self.files(digest))
            return self._kept(digest, found)

    def accepted(self, digest: str, accept: Read, folder: str) -> Configuration:
        """The same, read by whoever says whether it may be taken up. Raises as `configuration` (places are in `folder`)."""
        with self.lock:
            return self._kept(digest, self.compile(self.files(digest), accept, folder))

    def _kept(self, digest: str, found: Configuration) -> Configuration:
        self.compiled.pop(digest, None)
        self.compiled[digest] = found  # the newest use stands last
        while len(self.compiled) > self.ready:
            self.compiled.pop(next(iter(self.compiled)))
        return found

    def compile(self, files: Files, read: Read | None = None, folder: str = "") -> Configuration:
        """The configuration of these files. Raises ConfigurationError."""
        with tempfile.TemporaryDirectory() as place:
            written(files, Path(place))
            try:
                return (read or self.read)(Path(place))
            except ConfigurationError as error:
                raise moved(error, f"{place}/", folder) from None

    def engine(self, digest: str, saved: dict[str, Any] | None) -> Any:
        """An engine that works by a bundle. Raises as `configuration`, and what `make` does."""
        return self.make(self.configuration(digest), saved)

    def reloaded(self, engine: Any, reload: Reload, /) -> tuple[Any, Sequence[Alarm]]:
        """The engine under other rules; where state rests on what differs and the order says so, one made of its state."""
        configuration = self.configuration(reload.rules)
        if reload.rebuild and needs_restart(engine.configuration, configuration):
            kept = {name: part if isinstance(part, bytes) else part.copy() for name, part in engine.snapshot().items()}
            return self.make(configuration, kept), ()
        return engine, engine.reload(configuration, reload.released)


def needs_restart(now: Configuration, new: Configuration) -> str:
    """Why state that the one made cannot simply go on by the other; nothing where it can."""
    try:
        check_reloadable(now.settings, new.settings)
    except ValueError as error:
        return str(error)
    return ""


def moved(error: ConfigurationError, place: str, to: str) -> ConfigurationError:
    """The same faults, of files that stand elsewhere."""
    return ConfigurationError(
        [replace(one, file=one.file.replace(place, to), message=one.message.replace(place, to)) for one in error.faults]
    )


def first_rules(covered: Covered, ticks: Sequence[tuple[int, Tick]]) -> str:
    """The bundle that a partition begins by: that of its checkpoint, else what its first owner began by; "" for none yet."""
    return covered.rules or next((tick.reload.rules for _, tick in ticks if tick.reload is not None), "")


def due(orders: Sequence[Reload], done: int) -> Sequence[Reload]:
    """What a partition that went by the order at `done` has still to do, each in its turn; a new one begins by the newest."""
    return [one for one in orders if one.order > done] if done >= 0 else orders[-1:]
