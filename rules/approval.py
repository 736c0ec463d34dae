"""Which rule set was in force when, and by whose word: an append-only log beside the rules, each line sealing the one before.

    approvals.jsonl            one entry a line: proposed, approved, rolled_back
    versions/<hash>/*.yaml     every rule set that was ever proposed, so that going back is one command

The hash is over the names and bytes of all files of `rules/`, tests included.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

LOG: Final = "approvals.jsonl"
VERSIONS: Final = "versions"
_SHORT: Final = 12
Act = Literal["proposed", "approved", "rolled_back"]


class ApprovalError(ValueError):
    """What was asked for may not be done; the message says why."""


class Entry(msgspec.Struct, frozen=True):
    """One act. `files` is the hash of the rule set, `version` what its warnings say; `previous` seals the line before."""

    act: Act
    files: str
    version: str
    by: str
    at: str
    note: str
    previous: str

    @property
    def seal(self) -> str:
        """The hash of the line."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Book:
    """The log of a configuration folder and the rule sets it speaks of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / LOG
        self.entries = self._read()

    def _read(self) -> list[Entry]:
        """Raises ApprovalError for a log that was tampered with."""
        entries: list[Entry] = []
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        for number, line in enumerate(lines, start=1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError as error:
                raise ApprovalError(f"{self.log}:{number}:1: no entry of the log ({error})") from error
            if entry.previous != (entries[-1].seal if entries else ""):
                raise ApprovalError(f"{self.log}:{number}:1: an entry before it was changed or removed")
            entries.append(entry)
        return entries

    @property
    def active(self) -> Entry | None:
        """What is in force: the newest entry that is not a proposal."""
        return next((one for one in reversed(self.entries) if one.act != "proposed"), None)

    @property
    def written(self) -> str:
        """The hash of the rule set that stands in the folder now."""
        return hash_of(self.folder / "rules")

    def propose(self, rules: Path, version: str, by: str, at: str, note: str = "") -> Entry:
        """Keep a rule set (a folder of rule files) for approval."""
        files = hash_of(rules)
        kept = self.folder / VERSIONS / files
        if not kept.exists():
            half = kept.with_suffix(".writing")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            for file in _files(rules):
                shutil.copyfile(file, half / file.name)
            half.rename(kept)
        return self._add("proposed", files, version, by, at, note)

    def approve(self, files: str, by: str, at: str, *, four_eyes: bool, note: str = "") -> Entry:
        """Put a proposed rule set in force. Raises ApprovalError."""
        proposed = self.find(files)
        if four_eyes and same_person(proposed.by, by):
            raise ApprovalError(f"{proposed.by} proposed it: another person must approve it")
        if self.active is not None and self.active.files == proposed.files and self.written == proposed.files:
            raise ApprovalError(f"{short(proposed.files)} is in force already")
        self._whole(proposed.files)
        entry = self._add("approved", proposed.files, proposed.version, by, at, note)
        self._install(proposed.files)
        return entry

    def rollback(self, by: str, at: str, files: str = "", note: str = "") -> Entry:
        """Put the rule set in force that was so before (or the one named, if it ever was). Raises ApprovalError."""
        active = self.active
        before = [
            one for one in self.entries if one.act != "proposed" and (active is None or one.files != active.files)
        ]
        fitting = [one for one in before if one.files.startswith(files)]
        if not fitting:
            raise ApprovalError(
                f"no rule set {files} was in force before" if files else "no rule set was in force before"
            )
        self._whole(fitting[-1].files)
        entry = self._add("rolled_back", fitting[-1].files, fitting[-1].version, by, at, note)
        self._install(fitting[-1].files)
        return entry

    def find(self, files: str) -> Entry:
        """The newest proposal whose hash begins so. Raises ApprovalError."""
        found = [one for one in self.entries if one.act == "proposed" and one.files.startswith(files)]
        if not files or not found:
            known = ", ".join(dict.fromkeys(short(one.files) for one in reversed(self.entries))) or "none"
            raise ApprovalError(f"no proposal `{files}`; there are {known}")
        if len({one.files for one in found}) > 1:
            raise ApprovalError(f"`{files}` is the beginning of several proposals: give more of it")
        return found[-1]

    def _add(self, act: Act, files: str, version: str, by: str, at: str, note: str) -> Entry:
        if not by.strip():
            raise ApprovalError("it must be said by whom (--by)")
        entry = Entry(act, files, version, by.strip(), at, note, self.entries[-1].seal if self.entries else "")
        with self.log.open("ab") as out:
            out.write(msgspec.json.encode(entry) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        self.entries.append(entry)
        return entry

    def _whole(self, files: str) -> None:
        kept = self.folder / VERSIONS / files
        if not kept.is_dir() or hash_of(kept) != files:
            raise ApprovalError(f"{kept}: is missing, or not what was proposed")

    def _install(self, files: str) -> None:
        """Let the rule set stand in `rules/`: written beside it and swapped, so that no reader sees half of it."""
        kept, rules = self.folder / VERSIONS / files, self.folder / "rules"
        coming, going = self.folder / ".rules.coming", self.folder / ".rules.going"
        for one in (coming, going):
            shutil.rmtree(one, ignore_errors=True)
        shutil.copytree(kept, coming)
        if rules.exists():
            rules.rename(going)
        coming.rename(rules)
        shutil.rmtree(going, ignore_errors=True)


def hash_of(rules: Path) -> str:
    """The hash of all files of a folder of rules."""
    return hash_of_files({file.name: file.read_bytes() for file in _files(rules)})


def hash_of_files(files: Mapping[str, bytes]) -> str:
    """The hash of files by their names and bytes."""
    found = hashlib.sha256()
    for name, raw in sorted(files.items()):
        found.update(os.fsencode(name) + f"\0{len(raw)}\0".encode() + raw)
    return found.hexdigest()


def short(files: str) -> str:
    """As much of a hash as people need."""
    return files[:_SHORT]


def in_words(entries: Sequence[Entry], active: Entry | None) -> list[str]:
    """The log for a terminal; a star marks what is in force."""
    said: Mapping[Act, str] = {"proposed": "proposed", "approved": "approved", "rolled_back": "rolled back to"}
    return [
        f"{'*' if one is active else ' '} {one.at}  {said[one.act]:<14} {short(one.files)}  by {one.by}"
        + (f"  ({one.note})" if one.note else "")
        for one in entries
    ]


def _files(rules: Path) -> list[Path]:
    return sorted(file for file in rules.glob("*.yaml") if file.is_file())


def same_person(one: str, other: str) -> bool:
    """Whether two names are written for one person: capitals and spaces apart."""
    return one.casefold().split() == other.casefold().split()
