"""Checkpoints of partitions, in a folder or in any storage that fsspec knows, for many workers at once.

    <root>/<partition>/<epoch>-<number>.checkpoint

An epoch is one worker's ownership of a partition; every new owner takes a higher one (streams/live/ownership.py), and the
highest is what counts. So a worker that was paused while another took over (a zombie) may go on writing: nobody reads it, and
it deletes only what is older than its own. Nobody takes another's name or half-written file. A file gets its name only when
it is whole; the ones before stay for the day it cannot be read.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, NamedTuple

import fsspec
import msgspec
from fsspec.implementations.local import LocalFileSystem

from streams.checkpoint import SUFFIX, UnreadableError, read_state, sync_folder, write_state
from streams.live.aside import aside, own_name, sweep
from streams.live.journal import Covered
from streams.live.ownership import OWNER, Ownership, claims_in, owners_in
from streams.problems import OutsideError, UsageError

ENTRY: Final = "live"
ENGINE: Final = "engine/"
KEEP: Final = 2
WITHOUT_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system answers that has one name for each file."""
_NAME: Final = re.compile(rf"(\d+)-(\d+){re.escape(SUFFIX)}$")


Numbered = tuple[int, int, str]
"""Epoch, number and path of a checkpoint."""


def checkpoints_in(paths: Iterable[str]) -> list[Numbered]:
    """The checkpoints among a folder's files, the newest first."""
    matches = ((_NAME.search(path), path) for path in paths)
    return sorted(((int(match[1]), int(match[2]), path) for match, path in matches if match), reverse=True)


def reachable(root: str) -> None:
    """Make the folder of all checkpoints. Raises UsageError for a storage that nobody knows, OutsideError where that cannot be done."""
    try:
        files, base = fsspec.core.url_to_fs(root)
    except (ValueError, ImportError) as error:
        raise UsageError(f"CHURN_CHECKPOINTS: {root}: {error}") from error
    try:
        files.makedirs(base, exist_ok=True)
    except Exception as error:  # whatever a storage raises of its own
        raise OutsideError(f"CHURN_CHECKPOINTS: {root}: {error}") from error


class Loaded(NamedTuple):
    """The newest readable checkpoint: what it covers, the engine's part, and what was wrong with newer ones."""

    covered: Covered
    engine: dict[str, Any] | None
    troubles: list[str]


class PartitionStore:
    """The checkpoints of one partition, for one owner. `generation` is that of the consumer group."""

    def __init__(self, root: str, partition: int, generation: int) -> None:
        self.files, base = fsspec.core.url_to_fs(root)
        self.partition = partition
        self.folder = f"{base.rstrip('/')}/{partition}"
        self.local = isinstance(self.files, LocalFileSystem)
        self.files.makedirs(self.folder, exist_ok=True)
        self.generation, self.number = generation, 0
        self.ownership = Ownership(self.files, self.folder)
        self.epoch = self._free_epoch(self._paths())
        self.at_claim: list[str] | None = None  # the folder's files; None: there is no claim
        self._sweep_aside()

    def _free_epoch(self, paths: list[str]) -> int:
        taken = [*(epoch for epoch, _, _ in checkpoints_in(paths)), *(epoch for epoch, _ in claims_in(paths))]
        return max(self.generation, max(taken, default=-1) + 1)

    def claim(self) -> None:
        """Take an epoch that nobody has; ask then whether the partition is still ours, and `own` or `abandon` it. Raises OSError."""
        paths = self._paths()
        self.epoch = self._free_epoch(paths)
        self.ownership.claim(self.epoch)
        self.at_claim = paths

    def own(self) -> None:
        """The partition is ours: of older epochs only what was there at the claim is read from now on, or what has replaced all of
        it meanwhile; nothing where it could not be claimed. Raises OSError.
        """
        self._forget_half_written()  # first: a disk may be full of it
        if self.at_claim is None:
            return
        there = self._paths()
        found = [path for _, _, path in self._counting(self.at_claim) if path in there]
        self.ownership.own(found or [path for _, _, path in self._counting(there)], self.at_claim)

    def abandon(self) -> None:
        """The partition is another's. Raises OSError."""
        if self.at_claim is not None:
            self.ownership.abandon()

    def superseded(self) -> bool:
        """Whether another has taken the partition over since. Raises OSError."""
        return any(epoch > self.epoch for epoch, _ in owners_in(self._paths()))

    def _paths(self) -> list[str]:
        self.files.invalidate_cache()
        try:
            return [*self.files.ls(self.folder, detail=False)]
        except FileNotFoundError:  # object stores have no folders, only names
            if self.local:
                raise
            return []

    def _there(self) -> list[Numbered]:
        return checkpoints_in(self._paths())

    def _counting(self, paths: list[str]) -> list[Numbered]:
        """Those that an owner made while it was one, the newest first."""
        there = checkpoints_in(paths)
        for epoch, path in owners_in(paths)[:1]:
            found = self.ownership.found_by(path)
            if found is not None:
                return [one for one in there if one[0] >= epoch or PurePosixPath(one[2]).name in found]
        return there

    def _forget_half_written(self) -> None:
        """What owners before us began to write and nobody will end, or publish."""
        for path in Path(self.folder).glob("*.writing") if self.local else ():
            path.unlink(missing_ok=True)

    def _sweep_aside(self) -> None:
        """What killed processes left aside; of a folder's checkpoints nothing is ever there."""
        if not self.local:
            sweep()

    @property
    def empty(self) -> bool:
        """Whether there are no checkpoints."""
        return not self._there()

    def load(self) -> Loaded:
        """What to go on from; raises UnreadableError when there are checkpoints and none can be read, TooNewError, OSError."""
        troubles: list[str] = []
        paths = self._paths()
        counting = self._counting(paths)
        for _, _, path in counting:
            try:
                state = self._read(path)
                covered = self._ours(path, msgspec.json.decode(bytes(state[ENTRY]), type=Covered))
            except (UnreadableError, KeyError, msgspec.MsgspecError) as error:
                troubles.append(str(error))
                continue
            engine = {name.removeprefix(ENGINE): part for name, part in state.items() if name.startswith(ENGINE)}
            return Loaded(covered, engine, troubles)
        if troubles:
            raise UnreadableError(f"no checkpoint of this partition can be read: {'; '.join(troubles)}")
        if len(checkpoints_in(paths)) > len(counting):
            raise UnreadableError(
                f"{self.folder}: the only checkpoints are of workers that had lost the partition before they wrote them, or "
                f"came here some other way; to go on from them all the same delete the files *{OWNER}"
            )
        return Loaded(Covered({}, {}), None, troubles)

    def _ours(self, path: str, covered: Covered) -> Covered:
        if covered.partition not in (-1, self.partition):
            raise UnreadableError(f"{path}: of partition {covered.partition}, not {self.partition}")
        return covered

    def _read(self, path: str) -> dict[str, Any]:
        if self.local:
            return read_state(Path(path))
        copy = aside(Path(path).name, self.partition, "reading")
        try:
            self.files.get_file(path, str(copy))
            return read_state(copy)
        finally:
            copy.unlink(missing_ok=True)

    def writing(self) -> Path:
        """Where the next checkpoint is to be written before it has its name; nobody else writes there."""
        self.number += 1
        name = f"{self.epoch:012d}-{self.number:012d}{SUFFIX}"
        if self.local:
            return Path(self.folder) / own_name(name, self.partition, "writing")
        return aside(name, self.partition, "writing")

    def publish(self, written: Path) -> int:
        """Give the file its name, and delete our older ones but one; gives its size in bytes.

        Raises OSError, also for what a storage raises of its own; what was written is gone then.
        """
        try:
            size = written.stat().st_size
            if self.superseded():
                raise PermissionError(f"{self.folder}: another worker has taken this partition over")
            self._name(written, written.name.partition(SUFFIX)[0] + SUFFIX)
            self._prune()
            self._sweep_aside()
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{self.folder}: {error!r}") from error
        finally:
            written.unlink(missing_ok=True)
        return size

    def _prune(self) -> None:
        paths, mine = self._paths(), (self.epoch, self.number)
        kept = [one for one in self._counting(paths) if one[:2] <= mine][:KEEP]
        for one in checkpoints_in(paths):
            if one[:2] <= mine and one not in kept:
                self.files.rm_file(one[2])

    def _name(self, written: Path, name: str) -> None:
        path = f"{self.folder}/{name}"
        if not self.local:
            self._refuse_taken(name)
            self.files.put_file(str(written), path)
            return
        try:
            os.link(written, path)  # a rename would replace what has the name
        except FileExistsError:
            self._refuse_taken(name)
            raise
        except OSError as error:
            if error.errno not in WITHOUT_LINKS:
                raise
            self._refuse_taken(name)
            written.rename(path)
        sync_folder(Path(self.folder))

    def _refuse_taken(self, name: str) -> None:
        if any(Path(path).name == name for _, _, path in self._there()):
            raise FileExistsError(f"{self.folder}/{name} is there already: another owner has the same epoch")


class Stoppable:
    """A file that refuses to be written to once nobody wants it any more."""

    def __init__(self, file: BinaryIO, stopped: Callable[[], bool]) -> None:
        self.file, self.stopped = file, stopped

    def write(self, data: Any) -> int:
        if self.stopped():
            raise InterruptedError("nobody wants it any more")
        return self.file.write(data)


def write(path: Path, covered: Covered, engine: Mapping[str, Any], stopped: Callable[[], bool] = bool) -> None:
    """One checkpoint, durable under this name; raises OSError, also when it was `stopped`."""
    with path.open("wb") as file:
        write_state(
            Stoppable(file, stopped),
            {ENTRY: msgspec.json.encode(covered)} | {ENGINE + name: part for name, part in engine.items()},
        )
        file.flush()
        os.fsync(file.fileno())
    if stopped():
        raise InterruptedError("nobody wants it any more")
