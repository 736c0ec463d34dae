"""Where daily feature rows lie: `<folder>/<day>.rows.zst` of a replay, `<folder>/<partition>/<day>-<epoch>.rows.zst` of workers.

An epoch is one worker's ownership of a partition (streams/live/store.py). Of a day that several owners recorded the highest
counts, and none has another's name, so what a worker writes that was paused while another took over changes nothing.
"""

from __future__ import annotations

import datetime as dt
import filecmp
import os
import re
import secrets
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import zstandard

from streams.checkpoint import sync_folder
from streams.daily_rows import Block, Head
from streams.problems import UsageError

ENDING: Final = ".rows.zst"
_WRITING: Final = ".writing"
_NAME: Final = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:-(\d+))?{re.escape(ENDING)}$")


class DayFile:
    """Writes a day; it gets its name when it is whole and on the disk. Raises OSError."""

    def __init__(self, folder: Path, head: Head) -> None:
        owner = f"-{head.epoch:012d}" if head.epoch else ""
        self.path = folder / f"{head.day}{owner}{ENDING}"
        self._owned = bool(owner)
        self._writing = folder / f"{self.path.name}.{secrets.token_hex(4)}{_WRITING}"
        self._raw: BinaryIO = self._writing.open("wb")
        self._out = zstandard.ZstdCompressor(level=1).stream_writer(self._raw, closefd=False)
        self._write(head)

    def _write(self, message: Head | Block) -> None:
        data = msgspec.msgpack.encode(message)
        self._out.write(struct.pack("<I", len(data)))
        self._out.write(data)

    def add(self, block: Block) -> None:
        """Some more customers."""
        self._write(block)

    def close(self) -> None:
        """The day is whole. Raises FileExistsError where another worker with the same epoch recorded something else."""
        self._out.close()  # type: ignore[no-untyped-call]  # zstandard's stubs do not say
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        if self._owned and self.path.exists() and not filecmp.cmp(self._writing, self.path, shallow=False):
            raise FileExistsError(f"{self.path} is there already: another owner has the same epoch")
        self._writing.replace(self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Nobody wants it any more."""
        with suppress(OSError):  # it would write what it still holds
            self._raw.close()
        self._writing.unlink(missing_ok=True)


def made_ready(folder: Path) -> None:
    """The folder is there, without what an owner before us began to write. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"*{ENDING}.*{_WRITING}"):
        path.unlink(missing_ok=True)


def tidied(folder: Path, head: Head, keep: int | None) -> None:
    """Without the same day of owners before, and without days `keep` or more before it. Raises OSError."""
    oldest = "" if keep is None else (dt.date.fromisoformat(head.day) - dt.timedelta(days=keep)).isoformat()
    for path in folder.iterdir():
        day, epoch = dated(path)
        if day and ((day == head.day and epoch < head.epoch) or day <= oldest):
            path.unlink(missing_ok=True)


def dated(path: Path) -> tuple[str, int]:
    """The day (ISO) and the epoch in a file's name; no day for another file."""
    match = _NAME.fullmatch(path.name)
    return (match[1], int(match[2] or 0)) if match else ("", 0)


def day_files(names: tuple[str, ...]) -> list[Path] | None:
    """The days that these folders and files hold, in order; None where none of the names is of daily rows.

    Of one day in one folder those of the highest epoch. Raises UsageError where daily rows and others are mixed, or a
    folder holds none.
    """
    found: list[Path] = []
    others = [name for name in names if not Path(name).is_dir() and not name.endswith(ENDING)]
    for name in names:
        path = Path(name)
        if path.is_dir():
            days = sorted(path.rglob(f"*{ENDING}"))
            if not days:
                raise UsageError(f"{name}: is a folder without daily rows (*{ENDING})")
            found += days
        elif name.endswith(ENDING):
            found.append(path)
    if found and others:
        raise UsageError(f"{others[0]}: events and daily rows cannot be mixed")
    return sorted(newest(found), key=lambda path: (dated(path)[0] or path.name, str(path))) or None


def newest(paths: Iterable[Path]) -> list[Path]:
    """Without what a later owner of the partition recorded too."""
    found: dict[tuple[Path, str], tuple[int, Path]] = {}
    for path in paths:
        day, epoch = dated(path)
        known = found.get((path.parent, day or path.name))
        if known is None or epoch > known[0]:
            found[path.parent, day or path.name] = epoch, path
    return [path for _, path in found.values()]
