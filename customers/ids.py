"""Customer ids ↔ row numbers: an open-addressing table over an arena of UTF-8 bytes, exact (bytes are compared)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from events.compiled import compiled
from events.hashing import hash_bytes
from events.memory import PADDING, padded, prefetch

Bytes = npt.NDArray[np.uint8]

_SMALLEST: Final = 1 << 12
_FULL: Final = 0.6
_BLOCK: Final = 64  # ids whose way through the table is asked for together, so that none waits alone


@compiled(inline=True, borrows=True)
def _found(
    table: npt.NDArray[np.int32],
    arena: Bytes,
    ends: npt.NDArray[np.int64],
    text: Bytes,
    at: int,
    length: int,
    hashed: np.uint64,
) -> int:
    """The slot that holds this id, or the free slot where it belongs."""
    mask = np.uint64(len(table) - 1)
    slot = hashed & mask
    while True:
        row = table[slot]
        if row < 0:
            return int(slot)
        start, end = ends[row], ends[row + 1]
        if end - start == length:
            same = True
            for k in range(length):
                if arena[start + k] != text[at + k]:
                    same = False
                    break
            if same:
                return int(slot)
        slot = (slot + np.uint64(1)) & mask


@compiled(borrows=True)
def _find(
    table: npt.NDArray[np.int32],
    arena: Bytes,
    ends: npt.NDArray[np.int64],
    text: Bytes,
    at: int,
    length: int,
) -> int:
    """The same of an id whose hash is not known yet."""
    return _found(table, arena, ends, text, at, length, hash_bytes(text, at, at + length))


@compiled(nogil=True)
def _rows(
    table: npt.NDArray[np.int32],
    arena: Bytes,
    ends: npt.NDArray[np.int64],
    count: int,
    text: Bytes,
    at: npt.NDArray[np.int32],
    length: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
) -> int:
    """Write the row of every id; unseen ids are appended. Returns the new count."""
    hashes, mask = np.empty(_BLOCK, np.uint64), np.uint64(len(table) - 1)
    for first in range(0, len(at), _BLOCK):
        last = min(first + _BLOCK, len(at))
        for i in range(first, last):
            hashes[i - first] = hash_bytes(text, at[i], at[i] + length[i])
            prefetch(table, np.int64(hashes[i - first] & mask))
        for i in range(first, last):
            row = table[hashes[i - first] & mask]
            prefetch(ends, np.int64(max(row, 0)))
        for i in range(first, last):
            row = table[hashes[i - first] & mask]
            prefetch(arena, ends[max(row, 0)])
        for i in range(first, last):
            slot = _found(table, arena, ends, text, at[i], length[i], hashes[i - first])
            if table[slot] < 0:
                start = ends[count]
                for k in range(length[i]):
                    arena[start + k] = text[at[i] + k]
                ends[count + 1] = start + length[i]
                table[slot] = count
                count += 1
            rows[i] = table[slot]
    return count


@compiled
def _rebuild(table: npt.NDArray[np.int32], arena: Bytes, ends: npt.NDArray[np.int64], count: int) -> None:
    table[:] = -1
    for row in range(count):
        table[_find(table, arena, ends, arena, ends[row], ends[row + 1] - ends[row])] = row


class Ids:
    """Texts ↔ row numbers in order of arrival. `rows` is the one way in; `text` the way back."""

    def __init__(self) -> None:
        self.count = 0
        self._arena = np.zeros(_SMALLEST * 16, np.uint8)
        self._ends = np.zeros(_SMALLEST + 1, np.int64)
        self._table = np.full(_SMALLEST * 2, -1, np.int32)

    def rows(self, text: Bytes, at: npt.NDArray[np.int32], length: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Row numbers, shape (n,), of the ids `text[at[i] : at[i] + length[i]]`; new ids get the next rows.

        PADDING must follow the ids in `text`.
        """
        self._ensure(self.count + len(at), int(self._ends[self.count]) + int(length.sum()))
        rows = np.empty(len(at), np.int32)
        self.count = _rows(self._table, self._arena, self._ends, self.count, text, at, length, rows)
        return rows

    def row(self, text: str) -> int:
        """The row of one text, new or known."""
        raw = text.encode("utf-8", "surrogatepass")
        return int(self.rows(padded(raw), np.zeros(1, np.int32), np.array([len(raw)], np.int32))[0])

    def find(self, text: str) -> int | None:
        """The row of a text already known, else None."""
        raw = text.encode("utf-8", "surrogatepass")
        row = int(self._table[_find(self._table, self._arena, self._ends, padded(raw), 0, len(raw))])
        return None if row < 0 else row

    def text(self, row: int) -> str:
        """The id of a row."""
        return bytes(self._arena[self._ends[row] : self._ends[row + 1]]).decode("utf-8", "surrogatepass")

    def _ensure(self, count: int, size: int) -> None:
        if size + len(PADDING) > len(self._arena):
            self._arena.resize(max(size, int(len(self._arena) * 1.25)) + len(PADDING), refcheck=False)
        if count + 1 > len(self._ends):
            self._ends.resize(max(count + 1, int(len(self._ends) * 1.25)), refcheck=False)
        if count > len(self._table) * _FULL:
            slots = 1 << int(np.ceil(np.log2(count / _FULL + 1)))
            self._table = np.empty(slots, np.int32)
            _rebuild(self._table, self._arena, self._ends, self.count)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """The ids end to end, and where each ends."""
        return {"arena": self._arena[: self._ends[self.count]], "ends": self._ends[: self.count + 1]}

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot."""
        self._arena = np.array(arrays["arena"], np.uint8)
        self._ends = np.array(arrays["ends"], np.int64)
        self.count = len(self._ends) - 1
        self._table = np.empty(0, np.int32)
        self._ensure(max(self.count, _SMALLEST), max(len(self._arena), _SMALLEST))
