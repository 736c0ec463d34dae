"""Usage of cells straight into the watches: counts per slot become events, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from customers.partition import Work
from customers.rounds import Settings
from events.codes import Kind
from events.columns import EVENT, Batch, Origin
from events.hashing import hash64
from events.times import SLOT_US
from population.incident import Incident
from population.watches import Watches

START = 1_772_400_000_000_000 // SLOT_US * SLOT_US  # early March 2026
HOUR, DAY = 4, 96  # in slots
NO_SETTINGS = Settings(*(np.zeros(0, kind) for kind in (np.int64, np.uint8, np.int32, np.float64, np.bool_)))
OFFSET = 8 * 3_600_000_000


class Crowd:
    """Customers by number; `homes` of cells, all of high value that are divisible by ten."""

    def __init__(self, homes: dict[str, list[int]] | None = None) -> None:
        self.homes = {hash64(cell) & 0x7FFFFFFF: who for cell, who in (homes or {}).items()}

    def at_home(self, home: int) -> np.ndarray:
        return np.array(self.homes.get(home, []), np.int64)

    def high_value(self, customers: np.ndarray, at: int) -> int:
        return int(np.count_nonzero(customers % 10 == 0))

    def customer_id(self, customer: int) -> str:
        return f"c{customer}"

    def region(self, label: int) -> str:
        return f"r{label}"

    def plan(self, label: int) -> str:
        return f"p{label}"


class Use(NamedTuple):
    """Records of a cell in a slot: so many with use, so many that only failed, from customers `who` …"""

    slot: int
    cell: str
    used: int
    failed: int = 0
    who: int = 0


def events_of(uses: Iterable[Use], names: list[str]) -> np.ndarray:
    """EVENT records, in order of time."""
    rows = []
    for use in uses:
        n = use.used + use.failed
        part = np.zeros(n, EVENT)
        part["at"] = START + use.slot * SLOT_US + (np.arange(n) * SLOT_US) // max(n, 1)
        part["ref"], part["kind"] = hash64(use.cell), Kind.USAGE_RECORDED
        part["start"], part["end"] = names.index(use.cell) * 32, names.index(use.cell) * 32 + 32
        part["customer"] = use.who + np.arange(n)
        part["x"][: use.used, 0] = 1
        part["x"][use.used :, 4] = 2
        part["x"][:, 6] = np.nan
        rows.append(part)
    events = np.concatenate(rows)
    events = events[np.argsort(events["at"], kind="stable")]
    events["clock"] = events["at"]
    return events


def batches_of(events: np.ndarray, names: list[str], sizes: Iterable[int]) -> Iterator[Work]:
    """The events as batches of these sizes, the rest at last."""
    raw = b"".join((b'{"cell_id":"' + name.encode() + b'"}').ljust(32) for name in names)
    start = 0
    for size in [*sizes, len(events)]:
        part = events[start : start + size].copy()
        start += size
        if len(part):
            yield Work(
                Batch(part, np.zeros(0, np.uint8), raw, [Origin(0, "f", ":", 1)]),
                NO_SETTINGS,
                np.zeros(len(part), np.int64),
                0,
            )


def feed(watches: Watches, events: np.ndarray, names: list[str], sizes: Iterable[int], crowd: Crowd) -> list[Incident]:
    """The events in batches of these sizes, the rest at last."""
    found: list[Incident] = []
    for work in batches_of(events, names, sizes):
        watches.begin(work, 100_000)
        while (stop := watches.scan(work)) is not None:
            watches.act(stop, work, crowd)
        found += watches.take()
    return found


def watches() -> Watches:
    return Watches(OFFSET, {"engine": "test"})


NAMES = ["A", "B", "C"]


def ordinary(first: int, last: int, *, but: str = "", seed: int = 1, mean: float = 40.0) -> list[Use]:
    """Three cells in ordinary times, slots first … last − 1; `but` is left out."""
    chance = np.random.default_rng(seed)
    found = []
    for slot in range(first, last):
        for number, name in enumerate(NAMES):
            used, failed = int(chance.poisson(mean)), int(chance.poisson(mean * 0.03))
            if name != but:
                found.append(Use(slot, name, used, failed, 1000 * number + int(chance.integers(0, 500))))
    return found
