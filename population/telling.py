"""What a partition has counted and not told yet, for the one that judges for all (population/judge.py)."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from events.hashing import hash_texts
from events.times import SLOT_US
from population.cells import Cells
from population.crowd import Crowd, Customers
from population.findings import MOST_BYTES, MOST_NAMED, Answer, Counted, Said, listed, packed
from population.incident import MOST_LISTED
from population.slots import WAIT_US, Hits
from population.tally import BILLS

Entry = tuple[int, int, int, int, int]
"""Series, local day, region, plan (−1 for none), row of the customer."""
_LONG_AGO: Final = 700
"""Trouble so many slots before is no part of what is suspected now."""


class Telling:
    """Counts by slot. `told`: the slot before which everything was told."""

    def __init__(self) -> None:
        self.told = 0
        self._cells: dict[int, list[list[int]]] = {}  # cells, tried, used
        self._hits: dict[int, dict[tuple[int, int], int]] = {}  # (cell, slot of the trouble before): customers
        self._daily: dict[int, list[Entry]] = {}
        self._answers: list[bytes] = []

    def close(self, slot: int, cells: Cells, seen: int) -> None:
        """A slot has ended: what its cells counted is taken from their records."""
        records, k = cells.records[:seen], slot % 2
        some = np.flatnonzero(records["tried"][:, k])
        self._cells[slot] = [some.tolist(), *(records[field][some, k].tolist() for field in ("tried", "used"))]
        for field in ("tried", "used", "hit"):
            records[field][some, k] = 0

    def struck(self, hits: Hits) -> None:
        """Whom trouble struck, as a scan noted it."""
        cell, slot, before = (column[: hits.count[0]].astype(np.int64) for column in hits[:3])
        before[before <= slot - _LONG_AGO] = 0
        keys, count = np.unique((slot << 40) | (cell << 24) | before, return_counts=True)  # of at most 65,536 cells
        for key, customers in zip(keys.tolist(), count.tolist(), strict=True):
            found = self._hits.setdefault(key >> 40, {})
            place = key >> 24 & 0xFFFF, key & 0xFFFFFF
            found[place] = found.get(place, 0) + customers

    def add(self, at: int, entry: Entry) -> None:
        """One more of the daily counts, at `at` (µs)."""
        self._daily.setdefault((at - WAIT_US) // SLOT_US, []).append(entry)

    def answer(self, number: int, affected: Customers, at: int, crowd: Crowd) -> None:
        """Whom a finding concerns here."""
        ids = [crowd.customer_id(customer) for customer in affected[:MOST_LISTED].tolist()]
        self._answers.append(packed(Answer(number, len(affected), crowd.high_value(affected, at), listed(ids))))

    def take(self, before: int, cells: Cells, crowd: Crowd) -> Said | None:
        """What was counted in slots before `before`, all that fits; None for nothing new."""
        if before <= self.told and not self._answers:
            return None
        slots: list[tuple[int, bytes]] = []
        answers = self._taken_answers()
        room = MOST_BYTES - sum(map(len, answers))
        until = max(before, self.told)
        for slot in sorted({*self._cells, *self._hits, *self._daily}):
            if slot >= before:
                break
            one = packed(self._counted(slot, cells, crowd))
            if (slots or answers) and len(one) > room:
                until = slot
                break
            slots.append((slot, one))
            room -= len(one)
            for counts in (self._cells, self._hits, self._daily):
                counts.pop(slot, None)
        self.told = until
        return Said(until, slots, answers)

    def _taken_answers(self) -> list[bytes]:
        taken, room = 0, MOST_BYTES
        for answer in self._answers:
            room -= len(answer)
            if taken and room < 0:
                break
            taken += 1
        answers, self._answers = self._answers[:taken], self._answers[taken:]
        return answers

    def _counted(self, slot: int, cells: Cells, crowd: Crowd) -> Counted:
        numbers, tried, used = self._cells.get(slot, [[], [], []])
        hits = self._hits.get(slot, {})
        place = {cell: index for index, cell in enumerate(numbers)}
        lines = [(place[cell], before, customers) for (cell, before), customers in hits.items() if cell in place]
        entries = self._daily.get(slot, [])
        regions, plans = (sorted({entry[k] for entry in entries if entry[k] >= 0}) for k in (2, 3))
        of_region, of_plan = ({label: index for index, label in enumerate(labels)} for labels in (regions, plans))
        keys = [(one, day, of_region.get(region, -1), of_plan.get(plan, -1)) for one, day, region, plan, _ in entries]
        counts: dict[tuple[int, int, int, int], int] = {}
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
        who = [k for k, key in enumerate(keys) if key[0] != BILLS][:MOST_NAMED]
        hashes = hash_texts([crowd.customer_id(entries[k][4]) for k in who]).astype(np.int64)
        named = np.column_stack([_lines([keys[k] for k in who], 4), hashes])
        return Counted(
            slot,
            [cells.names.text(cell) for cell in numbers],
            np.array(tried, np.int32).tobytes(),
            np.array(used, np.int32).tobytes(),
            np.array(lines, np.int32).tobytes(),
            [crowd.region(label) for label in regions],
            [crowd.plan(label) for label in plans],
            _lines([(*key, count) for key, count in counts.items()], 5).tobytes(),
            np.ascontiguousarray(named, np.int64).tobytes(),
        )

    def snapshot(self) -> bytes:
        """Everything."""
        hits = [[slot, [[*key, count] for key, count in found.items()]] for slot, found in self._hits.items()]
        return msgspec.msgpack.encode([self.told, [*self._cells.items()], hits, [*self._daily.items()], self._answers])

    def restore(self, saved: bytes) -> None:
        """Take over a snapshot."""
        self.told, cells, hits, daily, self._answers = msgspec.msgpack.decode(saved)
        self._cells = dict(cells)
        self._hits = {slot: {(cell, before): count for cell, before, count in found} for slot, found in hits}
        self._daily = {slot: [_entry(one) for one in entries] for slot, entries in daily}


def _entry(saved: Any) -> Entry:
    series, day, region, plan, customer = saved
    return series, day, region, plan, customer


def _lines(lines: list[Any], width: int) -> npt.NDArray[np.int64]:
    return np.array(lines, np.int64).reshape(-1, width)
