"""Files and folders as given on the command line, checked before any work is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from events.deadletters import RefusedError
from events.times import time_of
from streams.files import STANDARD_INPUT
from streams.problems import UsageError


def moment(text: str | None, option: str) -> int | None:
    """RFC 3339 to microseconds UTC; raises UsageError that names the option."""
    if text is None:
        return None
    try:
        return time_of(text, option)
    except RefusedError as refused:
        raise UsageError(refused.detail) from refused


def inputs(names: Sequence[str]) -> Sequence[str]:
    """Files of events that can be read; raises UsageError."""
    for name in names:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise UsageError("-: standard input is closed")
            if names.count(name) > 1:
                raise UsageError("-: standard input is given twice")
        else:
            readable(Path(name))
    return names


def readable(path: Path) -> None:
    """A file, not a folder; raises UsageError."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder")
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{path}: cannot be read (permission denied)")


def outputs(paths: Iterable[Path | None], names: Sequence[str]) -> None:
    """Files to write, none of them an input or given twice.

    Raises UsageError, and OSError for a folder that is not there or may not be written to.
    """
    read = {Path(name).resolve() for name in names if name != STANDARD_INPUT}
    taken: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if str(path) == STANDARD_INPUT:
            raise UsageError("-: results go to files (/dev/stdout for standard output)")
        if path.is_dir():
            raise UsageError(f"{path}: is a folder")
        if path.resolve() in read:
            raise UsageError(f"{path}: is an input and an output")
        if path.resolve() in taken and (path.is_file() or not path.exists()):  # a device may take several
            raise UsageError(f"{path}: given for two outputs")
        taken.add(path.resolve())
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: no such folder: {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PermissionError(f"{path}: cannot be written (permission denied)")


def model(path: Path | None) -> None:
    """A saved model, if one is asked for; raises UsageError."""
    if path is not None:
        readable(path)


def state(path: Path | None) -> None:
    """A folder for the state, or one that can be made; raises UsageError."""
    folder(path)


def folder(path: Path | None) -> None:
    """A folder, or the place of one that can be made; raises UsageError."""
    if path is not None and path.exists() and not path.is_dir():
        raise UsageError(f"{path}: is no folder")


def secret(name: str, environment: Mapping[str, str]) -> str:
    """A secret: what the file holds that `<name>_FILE` names, else the variable; raises UsageError for a file that cannot be read."""
    path = environment.get(f"{name}_FILE")
    if not path:
        return environment.get(name, "")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}_FILE: {error}") from error
