"""Checkpoints of partitions, in a folder or in any storage that fsspec knows, for many workers at once.

    <root>/<partition>/<epoch>-<number>.checkpoint

An epoch is one worker's ownership of a partition; every new owner takes a higher one, and the highest is what counts. So
a worker that was paused while another took over (a zombie) may go on writing: nobody reads it, and it deletes only what is
older than its own. Two that never published may have one epoch, and nobody takes the other's name or half-written file. A file
gets its name only when it is whole; the ones before stay for the day it cannot be read.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import fsspec
import msgspec
from fsspec.implementations.local import LocalFileSystem

from streams.checkpoint import SUFFIX, UnreadableError, read_state, sync_folder, write_state
from streams.live.journal import Covered

ENTRY: Final = "live"
ENGINE: Final = "engine/"
KEEP: Final = 2
WITHOUT_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system answers that has one name for each file."""
_NAME: Final = re.compile(rf"(\d+)-(\d+){re.escape(SUFFIX)}$")


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
        there = self._there()
        self._forget_half_written()
        self.epoch = max([generation, *(epoch + 1 for epoch, _, _ in there)])
        self.number = 0

    def _there(self) -> list[tuple[int, int, str]]:
        """(epoch, number, path) of every checkpoint, the newest first."""
        self.files.invalidate_cache()
        found = []
        for path in self.files.ls(self.folder, detail=False):
            match = _NAME.search(path)
            if match is not None:
                found.append((int(match[1]), int(match[2]), path))
        return sorted(found, reverse=True)

    def _forget_half_written(self) -> None:
        """What owners before us began to write and nobody will end."""
        for path in Path(self.folder).glob("*.writing") if self.local else ():
            path.unlink(missing_ok=True)

    @property
    def empty(self) -> bool:
        """Whether there are no checkpoints."""
        return not self._there()

    def load(self) -> Loaded:
        """What to go on from; raises UnreadableError when there are checkpoints and none can be read, TooNewError, OSError."""
        troubles: list[str] = []
        for _, _, path in self._there():
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
        return Loaded(Covered({}, {}), None, troubles)

    def _ours(self, path: str, covered: Covered) -> Covered:
        if covered.partition not in (-1, self.partition):
            raise UnreadableError(f"{path}: of partition {covered.partition}, not {self.partition}")
        return covered

    def _read(self, path: str) -> dict[str, Any]:
        if self.local:
            return read_state(Path(path))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(path).name
            self.files.get_file(path, str(copy))
            return read_state(copy)

    def writing(self) -> Path:
        """Where the next checkpoint is to be written before it has its name; nobody else writes there."""
        self.number += 1
        name = f"{self.epoch:012d}-{self.number:012d}{SUFFIX}.{self.partition}-{secrets.token_hex(8)}.writing"
        return Path(self.folder if self.local else tempfile.gettempdir()) / name

    def publish(self, written: Path) -> int:
        """Give the file its name, and delete our older ones but one; gives its size in bytes.

        Raises OSError, also for what a storage raises of its own; what was written is gone then.
        """
        try:
            size = written.stat().st_size
            self._name(written, written.name.partition(SUFFIX)[0] + SUFFIX)
            mine = (self.epoch, self.number)
            for _, _, path in [one for one in self._there() if one[:2] <= mine][KEEP:]:
                self.files.rm_file(path)
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{self.folder}: {error!r}") from error
        finally:
            written.unlink(missing_ok=True)
        return size

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
