"""Decisions, incidents and dead letters as lines of JSON in a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import msgspec

from sinks.named import named


class ShorterError(Exception):
    """A file that was written before has lost what it had."""


class JsonLines:
    """One object per line. `keep` bytes of what an earlier run wrote stay; anything behind them is cut off.

    Raises OSError, and ShorterError when the file does not have that much (a missing file is begun anew).
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self.path = path
        keep = keep if path.exists() else 0
        self.file = path.open("r+b" if keep else "wb")
        status = os.fstat(self.file.fileno())
        self.regular = stat.S_ISREG(status.st_mode)
        if keep and self.regular:
            if status.st_size < keep:
                self.file.close()
                raise ShorterError(f"{path} has {status.st_size} bytes, but {keep} were written to it before")
            self.file.truncate(keep)
            self.file.seek(keep)
        self.length = keep
        self.encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with named(self.path):
            self.file.close()

    def write(self, objects: Iterable[Any]) -> None:
        """Append structs or plain objects."""
        data = self.encoder.encode_lines(objects)
        with named(self.path):
            self.length += self.file.write(data)

    def sync(self) -> int:
        """Make everything durable; gives the file's length, for the next run's `keep`."""
        with named(self.path):
            self.file.flush()
            if self.regular:
                os.fsync(self.file.fileno())
        return self.length
