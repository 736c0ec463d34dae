"""The bundles that a worker knows, by hash, and the engines that work by them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.guarding import Alarm, check_reloadable
from rules.faults import ConfigurationError
from rules.load import Configuration
from streams.live.bundle import Files, bundle_record, digest, unpacked, written
from streams.live.journal import Covered, Reload, Tick

READY: Final = 6
"""Configurations that are kept ready: partitions are at most a few apart."""
Read = Callable[[Path], Configuration]
"""A folder's configuration; raises ConfigurationError."""
Make = Callable[[Configuration, dict[str, Any] | None], Any]
"""An engine, from its part of a checkpoint if there is one."""


REASONS: Final = ("faults", "settings", "approval", "outdated", "missing", "unreadable")


class RefusedError(Exception):
    """A rule set that is not worked by; `why` is one of REASONS, the message says more."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class Library:
    """Bundles by hash, packed: those that were made known, and what is `offered`. Those used last are kept as configurations; `read`
    takes what was once in force, as it stands.
    """

    def __init__(self, read: Read, make: Make, ready: int = READY) -> None:
        self.read, self.make, self.ready = read, make, ready
        self.bundles: dict[str, bytes] = {}
        self.offered: dict[str, bytes] = {}
        self.compiled: dict[str, Configuration] = {}
        self.lock = threading.Lock()

    def add(self, bundle: str, packed: bytes) -> None:
        """A bundle that was made known."""
        self.bundles.setdefault(bundle, packed)

    @contextmanager
    def offering(self, files: Files) -> Iterator[None]:
        """Know a bundle that may become known, until the end of the block: one that is refused leaves nothing behind."""
        name = digest(files)
        self.offered[name] = bundle_record(files)[1]
        try:
            yield
        finally:
            del self.offered[name]

    def files(self, bundle: str) -> dict[str, bytes]:
        """The files of a bundle. Raises KeyError, UnreadableRecordError."""
        return unpacked(self.bundles.get(bundle) or self.offered[bundle], bundle)

    def configuration(self, bundle: str) -> Configuration:
        """What a bundle says. Raises KeyError, UnreadableRecordError, ConfigurationError (places are the bundle's names)."""
        with self.lock:  # partitions are opened at once, and by the same rules
            found = self.compiled.pop(bundle, None) or self.compile(self.files(bundle))
            return self._kept(bundle, found)

    def accepted(self, files: Files, accept: Read, folder: str) -> Configuration:
        """The same of files, read by whoever says whether they may be taken up. Raises ConfigurationError (places are in `folder`)."""
        with self.lock:
            return self._kept(digest(files), self.compile(files, accept, folder))

    def _kept(self, bundle: str, found: Configuration) -> Configuration:
        self.compiled.pop(bundle, None)
        self.compiled[bundle] = found  # the newest use stands last
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

    def engine(self, bundle: str, saved: dict[str, Any] | None) -> Any:
        """An engine that works by a bundle. Raises as `configuration`, and what `make` does."""
        return self.make(self.configuration(bundle), saved)

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
