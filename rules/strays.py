"""Files of a configuration folder that are never read because of how they are named or where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rules.faults import Fault
from rules.hints import nearest
from rules.load import OTHER_FILES

_ENDINGS = frozenset((".yaml", ".yml"))
_STEMS = tuple(name.removesuffix(".yaml") for name in OTHER_FILES)


def strays(folder: Path) -> list[Fault]:
    """A warning for each; `folder` is a configuration's. Hidden files and what is no YAML are nobody's concern."""
    return sorted(
        Fault(str(file), 1, 1, f"is not read{why}", "stray-file", "warning")
        for file, why in (*_beside(folder), *_within(folder / "rules"))
    )


def _beside(folder: Path) -> Iterator[tuple[Path, str]]:
    for file in _seen(folder):
        if file.suffix.lower() not in _ENDINGS or file.name in OTHER_FILES or file.is_dir():
            continue
        if meant := nearest(file.stem, _STEMS):  # other YAML may stand here for others to read
            yield file, f"; did you mean `{meant}.yaml`?"


def _within(rules: Path) -> Iterator[tuple[Path, str]]:
    for file in _seen(rules):
        if file.is_dir():
            if any(one.suffix.lower() in _ENDINGS for one in file.rglob("*")):
                yield file, ": a folder; rule files stand in `rules/` itself"
        elif file.suffix != ".yaml" and file.suffix.lower() in _ENDINGS:
            yield file, f"; did you mean `{file.stem}.yaml`?"


def _seen(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if not file.name.startswith(".")] if folder.is_dir() else []
