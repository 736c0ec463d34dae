"""Whose a partition's checkpoints are: files beside them that say who took the partition over, and what it found.

    <epoch>-<token>.claim    somebody is about to own the partition
    <epoch>-<token>.owner    it does, by the consumer group's word; in it, the names of the checkpoints that it found

An epoch is above all that were ever claimed. Who is assigned a partition claims first and then asks the group whether it
still is; so of two owners the later one saw the claim of the earlier, whatever happened to the group's generations, and
has the higher epoch. What appears later of an older epoch was written by one that had lost the partition.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

CLAIM: Final = ".claim"
OWNER: Final = ".owner"
_NAME: Final = re.compile(r"(\d+)-[0-9a-f]{16}\.(claim|owner)$")


def claims_in(paths: list[str]) -> list[tuple[int, str]]:
    """(epoch, path) of every claim and owner among a folder's files, the newest first."""
    return sorted(((int(match[1]), path) for path in paths if (match := _NAME.search(path))), reverse=True)


def owners_in(paths: list[str]) -> list[tuple[int, str]]:
    """Those of owners."""
    return [one for one in claims_in(paths) if one[1].endswith(OWNER)]


class Ownership:
    """One owner's files in a folder of some storage (`files`, of fsspec). Every method raises OSError."""

    def __init__(self, files: Any, folder: str) -> None:
        self.files, self.folder = files, folder
        self.stem = ""

    def claim(self, epoch: int) -> None:
        """Let others know that this epoch is taken."""
        self.stem = f"{self.folder}/{epoch:012d}-{secrets.token_hex(8)}"
        self.files.pipe_file(self.stem + CLAIM, b"")

    def own(self, found: list[str], paths: list[str]) -> None:
        """It was confirmed. `found`: the checkpoints that were there at the claim; `paths`: the folder's files then, of which
        older claims say nothing any more.
        """
        self.files.pipe_file(self.stem + OWNER, msgspec.json.encode([PurePosixPath(path).name for path in found]))
        self.abandon()
        for _, path in claims_in(paths):
            self._forget(path)

    def abandon(self) -> None:
        """There is no claim (any more)."""
        self._forget(self.stem + CLAIM)

    def _forget(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self.files.rm_file(path)

    def found_by(self, path: str) -> set[str] | None:
        """The names that an owner found; None where its file is cut off, or gone since it was seen."""
        try:
            return set(msgspec.json.decode(self.files.cat_file(path), type=list[str]))
        except (msgspec.MsgspecError, FileNotFoundError):
            return None
