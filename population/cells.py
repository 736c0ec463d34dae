"""The cells that usage names: numbered in order of arrival, one record each, found by the hash of their id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from customers.ids import Ids
from events.columns import Batch
from events.hashing import hash64
from events.memory import padded
from population.slots import BINS, number_cells

MOST_CELLS: Final = 65_536
"""Cells beyond these are not watched; what the network reports of them still opens an incident."""
_SMALLEST: Final = 256

CELL: Final = np.dtype(
    [
        ("ref", "u8"),
        ("uses", "f4", (BINS,)),  # normal number of records with use in a slot, by hour and kind of day
        ("known", "u1", (BINS,)),  # slots that it rests on, saturating
        ("tried", "i4", (2,)),  # records in the two slots that are not judged yet
        ("used", "i4", (2,)),  # of those, with use
        ("hit", "i4", (2,)),  # different customers with failed or dropped attempts
        ("trials", "f8"),  # slow sums: the normal share of trouble
        ("troubles", "f8"),
        ("got", "f8"),  # a day's sums: use against the normal of the hours
        ("due", "f8"),
        ("burst", "f8"),  # evidence, in nats: for trouble; for use that fell away; for all being well again
        ("hush", "f8"),
        ("calm", "f8"),
        ("run", "i8"),  # the slot in which the evidence began to gather
        ("struck", "i4"),  # different customers with trouble since then
        ("quiet", "i4"),  # slots in a row that speak for all being well again
        ("rest", "i8"),  # the newest slot that is not judged: until then a report is taken at its word
        ("open", "u1"),  # 0 nothing, 1 found here, 2 reported by the network
        ("told", "i4"),  # customers as the newest revision has them
    ]
)


class _Named(msgspec.Struct):
    cell_id: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_DECODER: Final = msgspec.json.Decoder(_Named)


def cell_named(payload: bytes) -> str:
    """The cell_id of a usage record that has one, in an envelope or without."""
    named = _DECODER.decode(payload)
    return named.cell_id if named.cell_id is not None else cell_named(bytes(named.data))


class Cells:
    """Records and names of the cells; `table` finds a record by its hash."""

    def __init__(self) -> None:
        self.names = Ids()
        self.records = np.zeros(0, CELL)
        self.table = np.zeros(0, np.int32)
        self._hold(_SMALLEST, self.records)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.names.count

    def number(self, batch: Batch) -> npt.NDArray[np.int32]:
        """The cell of each event of a batch, shape (events,), −1 for none; new ones are taken in."""
        cells = np.full(len(batch.events), -1, np.int32)
        done = 0
        while True:
            firsts = np.empty(len(self.records) - self.count, np.int64)
            may_grow = len(self.records) < MOST_CELLS
            new, done = number_cells(batch.events, self.table, self.records, self.count, may_grow, done, cells, firsts)
            for index in firsts[:new].tolist():
                self.names.row(cell_named(batch.payload(index)))
            if done == len(cells):
                return cells
            self._hold(len(self.records) * 2, self.records[: self.count])

    def rows(self, names: Sequence[str]) -> npt.NDArray[np.int32]:
        """The cells of these names, −1 for those beyond MOST_CELLS; new ones are taken in."""
        if self.count + len(names) > MOST_CELLS:
            known = {name for name in names if self.find(name) is not None}
            new = [name for name in dict.fromkeys(names) if name not in known][: max(MOST_CELLS - self.count, 0)]
            self._take_in(new)
            found = [self.find(name) for name in names]
            return np.array([-1 if cell is None else cell for cell in found], np.int32)
        return self._take_in(names)

    def _take_in(self, names: Sequence[str]) -> npt.NDArray[np.int32]:
        raw = [name.encode("utf-8", "surrogatepass") for name in names]
        lengths = np.array([len(one) for one in raw], np.int32)
        before = self.count
        rows = self.names.rows(padded(b"".join(raw)), (np.cumsum(lengths) - lengths).astype(np.int32), lengths)
        if self.count > before:
            size = max(len(self.records), 1 << (self.count - 1).bit_length())
            kept = np.zeros(self.count, CELL)
            kept[:before] = self.records[:before]
            kept["ref"][before:] = [hash64(self.names.text(cell)) for cell in range(before, self.count)]
            self._hold(size, kept)
        return rows

    def find(self, name: str) -> int | None:
        """The number of a cell."""
        return self.names.find(name)

    def _hold(self, size: int, kept: npt.NDArray[np.void]) -> None:
        """Room for `size` records (a power of two); the first are `kept`."""
        self.records = np.zeros(size, CELL)
        self.records[: len(kept)] = kept
        self.table = np.full(size * 2, -1, np.int32)
        mask = size * 2 - 1
        for cell, ref in enumerate(kept["ref"].tolist()):
            slot = ref & mask
            while self.table[slot] >= 0:
                slot = (slot + 1) & mask
            self.table[slot] = cell

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Records as bytes, and the names."""
        return {"records": self.records[: self.count].view(np.uint8), **self.names.snapshot()}

    def restore(self, parts: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot.

        Raises ValueError when it is of another layout.
        """
        self.names.restore({part: parts[part] for part in ("arena", "ends")})
        raw = np.array(parts["records"], np.uint8)
        if len(raw) != self.count * CELL.itemsize:
            raise ValueError("the cells of the state are of another layout")
        self._hold(max(_SMALLEST, 1 << (self.count - 1).bit_length()), raw.view(CELL))
