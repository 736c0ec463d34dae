"""Values that know where they stand in their file, so that every fault can name its line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import Any

from rules.faults import Fault

Scalar = str | float | bool | None
UNREADABLE = object()
"""The value where something stands that was refused already: nobody should complain of it again."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column of a value, counted from 1, and the character of the source at which it begins."""

    line: int
    column: int
    start: int


@dataclass(frozen=True, slots=True)
class Located:
    """A value with its place. Mappings and lists hold further ones; `keys` are the places of a mapping's keys."""

    value: Any
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)


class Document:
    """One file: its text, its values and where they are. `root` is None when the file could not be read at all.

    `dropped` are the items of lists and mappings that were too faulty to be made into anything; see `kept`.
    """

    def __init__(self, file: str, source: str, root: Located | None) -> None:
        self.file = file
        self.root = root
        self.dropped: set[Path] = set()
        self.source = source
        self._lines: list[int] = []  # where each line begins, once asked for

    def fault(self, path: Path, message: str, code: str = "invalid", *, key: bool = False) -> Fault:
        """A fault at a value (or at its key), or at the nearest one above it when it is not there."""
        place = self._key_place(path) if key else self._place(path)
        return Fault(self.file, place.line, place.column, message, code)

    def warning(self, path: Path, message: str, code: str, *, key: bool = False) -> Fault:
        """The same for what is right in itself and hardly what is meant."""
        return replace(self.fault(path, message, code, key=key), severity="warning")

    def fault_within(self, path: Path, offset: int, message: str, code: str) -> Fault:
        """A fault at a character of a text, however the text was quoted or folded."""
        node = self._at(path)
        text = node.value if isinstance(node.value, str) else ""
        position = _aligned(self.source, node.place.start, text, offset)
        begins = self._begins()
        line = bisect_right(begins, position)
        return Fault(self.file, line, position - begins[line - 1] + 1, message, code)

    def _begins(self) -> list[int]:
        if not self._lines:
            self._lines = [0, *(found.end() for found in re.finditer("\n", self.source))]
        return self._lines

    def kept(self, path: Path) -> list[int]:
        """The places in a written list of the items that made it into the typed one, in order."""
        written = self._at(path).value
        return [i for i in range(len(written)) if (*path, i) not in self.dropped]

    def keys(self, path: Path) -> list[str]:
        """The keys of a mapping as written; none where there is none."""
        above = self._at(path[:-1]).value
        written = above.get(path[-1]) if isinstance(above, dict) else None
        return list(written.value) if written is not None and isinstance(written.value, dict) else []

    def _at(self, path: Path) -> Located:
        node = self.root or Located(None, Place(1, 1, 0))
        for step in path:
            inside = node.value
            try:
                node = inside[step]
            except (KeyError, IndexError, TypeError):
                break
        return node

    def _place(self, path: Path) -> Place:
        return self._at(path).place

    def _key_place(self, path: Path) -> Place:
        above = self._at(path[:-1])
        return above.keys.get(str(path[-1]), above.place)


def _aligned(source: str, start: int, text: str, offset: int) -> int:
    """The position in the source of a character of a scalar's value, found by walking both without their blanks."""
    position = start
    if source[start : start + 1] in ("|", ">"):
        position = source.find("\n", start)
    for index, character in enumerate(text):
        if character.isspace():
            continue
        found = source.find(character, position)
        if found < 0:
            return start
        if index >= offset:
            return found
        position = found + 1
    return position
