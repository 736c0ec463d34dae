"""Which rule set was in force when, and by whose word: an append-only log beside the rules, each line sealing the one before.

    approvals.jsonl            one entry a line: proposed, approved, rolled_back
    versions/<hash>/*.yaml     every rule set that was ever proposed, so that going back is one command

The hash is over the names and bytes of all files of `rules/`, tests included; the version beside it, of what rules say, is the
one that warnings name. Who acts holds `.approvals.lock`, so that no two processes write at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from rules.faults import in_one_line

LOG: Final = "approvals.jsonl"
VERSIONS: Final = "versions"
LOCK: Final = ".approvals.lock"
_SHORT: Final = 12
Act = Literal["proposed", "approved", "rolled_back"]
Fit = Callable[[Path], object]
"""Raises what is wrong with a folder of rules."""


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


def _any(_: Path) -> None:
    """Every rule set is fit to be in force."""


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

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else acts on the folder meanwhile, and the log is read as whoever acted last left it."""
        with (self.folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.entries = self._read()
            yield

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
        with self._alone():
            return self._add("proposed", self._keep(rules), version, by, at, note)

    def approve(self, files: str, by: str, at: str, *, four_eyes: bool, note: str = "", fit: Fit = _any) -> Entry:
        """Put a proposed rule set in force. Raises ApprovalError, and what `fit` raises of a folder of rules before anything is
        changed.
        """
        with self._alone():
            proposed = self.find(files)
            if four_eyes and same_person(proposed.by, by):
                known = "" if in_one_line(by) == proposed.by else f" (`{in_one_line(by)}` is the same name)"
                raise ApprovalError(f"{proposed.by} proposed it{known}: another person must approve it")
            if self.active is not None and self.active.files == proposed.files and self.written == proposed.files:
                raise ApprovalError(f"{short(proposed.files)} is in force already")
            if _files(self.folder / "rules") and not (self.folder / VERSIONS / self.written).is_dir():
                raise ApprovalError(
                    f"what stands in {self.folder / 'rules'} ({short(self.written)}) was never proposed and would be lost: "
                    "propose it first (churn rules propose)"
                )
            return self._put("approved", proposed, by, at, note, fit)

    def rollback(self, by: str, at: str, files: str = "", note: str = "", fit: Fit = _any) -> Entry:
        """Put the rule set in force that was so before (or the one named, if it ever was). Raises as `approve`.

        Once more goes one further back. Going back must not wait: what stands in `rules/` and was never proposed is kept
        in `versions/`.
        """
        with self._alone():
            chosen = self._named(files) if files else self._before()
            if _files(self.folder / "rules"):
                self._keep(self.folder / "rules")
            return self._put("rolled_back", chosen, by, at, note, fit)

    def history(self) -> list[Entry]:
        """The rule sets that were in force, each once, the one in force last: what was gone back from is not among them."""
        found: dict[str, Entry] = {}
        for one in self.entries:
            if one.act == "approved":
                found.pop(one.files, None)
            elif one.act == "rolled_back" and one.files in found:
                for later in list(found)[list(found).index(one.files) + 1 :]:
                    del found[later]
            if one.act != "proposed":
                found[one.files] = one
        return list(found.values())

    def _before(self) -> Entry:
        kept = self.history()
        if len(kept) < 2:
            raise ApprovalError("no rule set was in force before")
        return kept[-2]

    def _named(self, files: str) -> Entry:
        active = self.active
        fitting = [one for one in self.entries if one.act != "proposed" and one.files.startswith(files)]
        fitting = [one for one in fitting if active is None or one.files != active.files]
        if not fitting:
            raise ApprovalError(f"no rule set {files} was in force before")
        if len({one.files for one in fitting}) > 1:
            raise ApprovalError(f"`{files}` is the beginning of several rule sets: give more of it")
        return fitting[-1]

    def find(self, files: str) -> Entry:
        """The newest proposal whose hash begins so. Raises ApprovalError."""
        found = [one for one in self.entries if one.act == "proposed" and one.files.startswith(files)]
        if not files or not found:
            known = ", ".join(dict.fromkeys(short(one.files) for one in reversed(self.entries))) or "none"
            alike = next((one for one in self.entries if files and one.version.startswith(files)), None)
            meant = f"; it is a version, as warnings name it, of {short(alike.files)}" if alike else ""
            raise ApprovalError(f"no proposal `{files}`; there are {known}{meant}")
        if len({one.files for one in found}) > 1:
            raise ApprovalError(f"`{files}` is the beginning of several proposals: give more of it")
        return found[-1]

    def _add(self, act: Act, files: str, version: str, by: str, at: str, note: str) -> Entry:
        if not by.strip():
            raise ApprovalError("it must be said by whom (--by)")
        by, note = in_one_line(" ".join(by.split())), in_one_line(note)
        entry = Entry(act, files, version, by, at, note, self.entries[-1].seal if self.entries else "")
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

    def _keep(self, rules: Path) -> str:
        """Have a copy of a rule set in `versions/`; gives its hash."""
        files = hash_of(rules)
        kept = self.folder / VERSIONS / files
        if not kept.exists():
            half = kept.with_suffix(".writing")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            for file in _files(rules):
                shutil.copyfile(file, half / file.name)
            half.rename(kept)
        return files

    def _put(self, act: Act, chosen: Entry, by: str, at: str, note: str, fit: Fit) -> Entry:
        """Log that a rule set is in force and let it stand in `rules/`: written beside it and swapped, so that no reader
        sees half of it. All that can fail for want of space or of permission is done before the log is written.
        """
        self._whole(chosen.files)
        fit(self.folder / VERSIONS / chosen.files)
        rules = (self.folder / "rules").resolve()  # a link stays one
        coming, going = rules.with_name(".rules.coming"), rules.with_name(".rules.going")
        if going.exists() and not rules.exists():  # a swap was cut short
            going.rename(rules)
        for one in (coming, going):
            shutil.rmtree(one, ignore_errors=True)
        shutil.copytree(self.folder / VERSIONS / chosen.files, coming)
        _carry_over(rules, coming)
        try:
            entry = self._add(act, chosen.files, chosen.version, by, at, note)
        except Exception:
            shutil.rmtree(coming, ignore_errors=True)
            raise
        if rules.exists():
            rules.rename(going)
        coming.rename(rules)
        shutil.rmtree(going, ignore_errors=True)
        return entry


def _carry_over(rules: Path, coming: Path) -> None:
    """What is no rule file, a README say, belongs to no rule set and stays."""
    ruled = {file.name for file in _files(rules)}
    for one in rules.iterdir() if rules.is_dir() else ():
        there = coming / one.name
        if one.name in ruled or there.exists():
            continue
        if one.is_dir() and not one.is_symlink():
            shutil.copytree(one, there, symlinks=True)
        else:
            shutil.copy2(one, there, follow_symlinks=False)


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
        in_one_line(f"{'*' if one is active else ' '} {one.at}  {said[one.act]:<14} {short(one.files)}  ")
        + in_one_line(f"version {one.version}  by {one.by}")
        + (f"  ({in_one_line(one.note)})" if one.note else "")
        for one in entries
    ]


def _files(rules: Path) -> list[Path]:
    return sorted(file for file in rules.glob("*.yaml") if file.is_file())


def same_person(one: str, other: str) -> bool:
    """Whether two names are written for one person: capitals, spaces, full width, and characters that do not show apart."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    shown = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    return "".join(unicodedata.normalize("NFKC", shown.casefold()).split())
