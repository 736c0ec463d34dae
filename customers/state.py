"""The columns of all customers of one partition: one record each, grown in place.

Compiled code takes a record and the pools. `Customers` owns the arrays, grows them and turns them into a snapshot and
back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers import layout, metrics

GROWTH: Final = 1.04  # what is grown too much is filled all the same
POOL_GROWTH: Final = 1.25
RECORDS_MOST: Final = 2  # that one fact adds to a pool: a profile stands for fields and for many attributes
SMALLEST: Final = 1024
ATTRIBUTES_MOST: Final = 64
ATTRIBUTES_STEP: Final = 4
SETTLED_BILLS: Final = 4  # remembered by 32 bits of their ids
PLANES: Final = 4  # rule bits: active, pending, cooling, ebbing

Block = npt.NDArray[Any]


class Pools(NamedTuple):
    """Pools of rare records as compiled code takes them; `used`: [used, free head] of each pool."""

    bills: Block
    complaints: Block
    contracts: Block
    stands: Block
    notes: Block
    used: npt.NDArray[np.int64]


# One record per customer, its blocks side by side: everything of a customer lies together.
_BLOCKS: Final = {
    "times": (np.int64, len(layout.TIMES), 0),
    "money": (np.int64, len(layout.MONEY), layout.MONEY_UNKNOWN),
    "ages": (np.uint32, len(layout.AGES), 0),
    "floats": (np.float32, len(layout.FLOATS), np.nan),
    "labels": (np.int32, len(layout.LABELS), -1),
    "fed": (np.uint16, 1, 0),  # bits of the feeds that brought this customer something
    "settled": (np.uint32, SETTLED_BILLS, 0),
    "heads": (np.int32, len(layout.HEADS), -1),
    "wide": (np.uint32, metrics.WIDTH["wide"], 0),  # the lower 32 bits; the upper 16 are in "high"
    "mid": (np.int32, metrics.WIDTH["mid"], 0),
    "high": (np.uint16, metrics.WIDTH["wide"], 0),
    "small": (np.uint16, metrics.WIDTH["small"], 0),
    "tiny": (np.uint8, metrics.WIDTH["tiny"], 0),
    "codes": (np.uint8, len(layout.CODES), layout.CODE_UNKNOWN),
}
ROW: Final = np.dtype({"names": list(_BLOCKS), "formats": [(d, (w,)) for d, w, _ in _BLOCKS.values()]}, align=True)
LAYOUT: Final = np.frombuffer(repr([(name, *block[:2]) for name, block in _BLOCKS.items()]).encode(), np.uint8)
"""What lies where in a record, as a snapshot says it."""
_POOLS: Final = {
    "bills": layout.BILL,
    "complaints": layout.COMPLAINT,
    "contracts": layout.CONTRACT,
    "stands": layout.STAND,
    "notes": layout.NOTE,
}
_NO_TIMER: Final = ("next_due", "week_due", "rules_due")


def _unknown() -> Block:
    """The record of a customer of whom nothing is known, shape (1,)."""
    record = np.zeros(1, ROW)
    for name, (_, _, fill) in _BLOCKS.items():
        record[name] = fill
    for name in layout.ZERO_CODES:
        record["codes"][:, layout.C[name]] = 0
    for name in _NO_TIMER:
        record["times"][:, layout.T[name]] = layout.FAR
    record["floats"][:, layout.F["usage_cusum"]] = 0.0
    return record


UNKNOWN: Final = _unknown()


class Customers:
    """All customers of a partition. Row numbers are given in order of arrival and never reused."""

    def __init__(self, rule_words: int = 1) -> None:
        self.count = 0
        self.records: Block = np.zeros(0, ROW)
        self.attributes = np.zeros((0, 0), np.float32)
        self.bits = np.zeros((0, PLANES * rule_words), np.uint64)
        self.wake = np.zeros(
            0, np.uint32
        )  # a second that is not after the customer's next timer; no part of a snapshot
        self._pools: dict[str, Block] = {name: np.zeros(SMALLEST, dtype) for name, dtype in _POOLS.items()}
        self._used = np.array([[0, -1]] * len(_POOLS), np.int64)

    @property
    def pools(self) -> Pools:
        """The pools as compiled code takes them; valid until the next growth."""
        return Pools(**self._pools, used=self._used)

    def column(self, block: str, place: int) -> Block:
        """One field of all customers, a view of shape (count,)."""
        return self.records[block][: self.count, place]

    def ensure(self, customers: int, facts: int) -> None:
        """Make room for `customers` rows in all and for what `facts` more facts may add to each pool."""
        if customers > len(self.records):
            self._grow(max(customers, SMALLEST, int(len(self.records) * GROWTH)))
        for number, name in enumerate(_POOLS):
            pool = self._pools[name]
            need = int(self._used[number, 0]) + RECORDS_MOST * facts
            if need > len(pool):
                pool.resize(max(int(len(pool) * POOL_GROWTH), need), refcheck=False)

    def _grow(self, capacity: int) -> None:
        """Grow in place: realloc moves pages, it does not hold the old and the new block side by side."""
        old = len(self.records)
        self.records.resize(capacity, refcheck=False)
        self.records[old:] = UNKNOWN
        self.wake.resize(capacity, refcheck=False)
        self.bits.resize((capacity, self.bits.shape[1]), refcheck=False)
        self.attributes.resize((capacity, self.attributes.shape[1]), refcheck=False)
        self.attributes[old:] = np.nan

    def widen_attributes(self, columns: int) -> None:
        """Room for at least `columns` attribute columns, in steps, so that widening is rare."""
        old = self.attributes
        if columns > old.shape[1]:
            width = -(-columns // ATTRIBUTES_STEP) * ATTRIBUTES_STEP
            self.attributes = np.full((len(self.records), width), np.nan, np.float32)
            self.attributes[:, : old.shape[1]] = old

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays that `restore` takes, views of the live ones: write them before the next step."""
        pools = {name: pool[: self._used[i, 0]] for i, (name, pool) in enumerate(self._pools.items())}
        return {
            # Bytes, for numpy copies records field by field, and leaves what lies between them as it was.
            "records": self.records[: self.count].view(np.uint8).reshape(self.count, ROW.itemsize),
            "layout": LAYOUT,
            "attributes": self.attributes[: self.count],
            "bits": self.bits[: self.count],
            **pools,
            "used": self._used,
        }

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take over a snapshot of the same layout, once: records that were read from a file, or copied, become these customers' own.

        Raises ValueError when a block has another width than this version's, or another took them over.
        """
        self.records = _records(arrays) if "records" in arrays else _side_by_side(arrays)
        self.count = len(self.records)
        self.wake = np.zeros(self.count, np.uint32)
        self.bits = np.array(arrays["bits"], np.uint64)
        self.attributes = np.zeros((self.count, 0), np.float32)
        self.widen_attributes(arrays["attributes"].shape[1])
        self.attributes[:, : arrays["attributes"].shape[1]] = arrays["attributes"]
        self._used[:] = arrays["used"]
        for name in _POOLS:
            self._pools[name] = np.array(arrays[name])
        self.ensure(max(self.count, SMALLEST), SMALLEST)

    def replace_bits(self, bits: npt.NDArray[np.uint64]) -> None:
        """Other rule bits for all customers, shape (count, PLANES × words)."""
        self.bits = np.zeros((len(self.records), bits.shape[1]), np.uint64)
        self.bits[: self.count] = bits

    @property
    def bytes_per_customer(self) -> float:
        """Bytes of state per customer, ids and dedup apart."""
        rows = ROW.itemsize + self.wake.itemsize + self.attributes.shape[1] * 4 + self.bits.shape[1] * 8
        pools = sum(int(used) * pool.itemsize for (used, _), pool in zip(self._used, self._pools.values(), strict=True))
        return rows + pools / max(self.count, 1)


def _records(arrays: Mapping[str, Block]) -> Block:
    """All records of a snapshot. An array that is nobody's view is not copied: it becomes the records."""
    raw = arrays["records"]
    if arrays["layout"].tobytes() != LAYOUT.tobytes():
        raise ValueError("state of customers lies otherwise in this version")
    if raw.dtype != np.uint8:
        raise ValueError("this state of customers was taken over already")
    if not (raw.flags.owndata and raw.flags.c_contiguous):
        made: Block = np.zeros(len(raw), ROW)
        made.view(np.uint8)[:] = raw.reshape(-1)
        return made
    raw.dtype = ROW  # type: ignore[misc]  # a view of it could not grow
    raw.shape = (len(raw),)
    return raw


def _side_by_side(arrays: Mapping[str, Block]) -> Block:
    """The records of a snapshot that has each block by itself (checkpoints of format 1)."""
    count = len(arrays["times"])
    records: Block = np.zeros(0, ROW)
    records.resize(count, refcheck=False)
    for name, (_, width, _) in _BLOCKS.items():
        if arrays[name].shape[1] != width:
            raise ValueError(f"state block {name!r} has {arrays[name].shape[1]} columns, this version has {width}")
    for start in range(0, count, SMALLEST):  # of as many as stay in the processor's cache
        for name in _BLOCKS:
            records[name][start : start + SMALLEST] = arrays[name][start : start + SMALLEST]
    return records
