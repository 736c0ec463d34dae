"""What partitions tell one another for the watches over all customers, and what the one that judges makes known to them.

A partition tells of each slot what its cells and its daily counts were; `Finding` is what came of the sums of all; and each
partition answers whom a finding concerns of its own customers. Packed, for a slot of a large network has thousands of cells.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

MOST_NAMED: Final = 20_000
"""Customers named of a slot in the daily counts; the counts are of all. So many leave no doubt."""
MOST_BYTES: Final = 300_000
"""Of what goes into one statement, unless one slot alone is more."""
MOST_FINDINGS: Final = 200
"""Of one statement: when much of a network fails there are thousands."""
MOST_ID_BYTES: Final = 250_000
T = TypeVar("T")
Lines = npt.NDArray[np.int64]


class Counted(msgspec.Struct, array_like=True, frozen=True):
    """What a partition counted in a slot.

    `tried`, `used`: records of each cell of `cells`, and of those with use, i4. `hits`: lines i4[·, 3] of cell, slot of the trouble before,
    and how many different customers. `counts`: lines i8[·, 5] of series, local day, region, plan (indices into `regions` and `plans`,
    −1 for none) and how many. `named`: the same with a customer's hash instead.
    """

    slot: int
    cells: list[str]
    tried: bytes
    used: bytes
    hits: bytes
    regions: list[str]
    plans: list[str]
    counts: bytes
    named: bytes


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """Whom the finding of this number concerns in a partition: how many, of high value, and the first of them by id."""

    number: int
    customers: int
    high_value: int
    customer_ids: list[str]


class Said(msgspec.Struct, frozen=True):
    """All that a partition counted in slots before `before` and did not tell yet (`Counted`), and its answers (`Answer`), packed."""

    before: int
    slots: list[tuple[int, bytes]] = []
    answers: list[bytes] = []


class Finding(msgspec.Struct, frozen=True):
    """A revision of an incident, as all partitions take it over; the `number`-th, decided on at `at` (µs).

    `least`: customers that were counted. Of a network fault that is over, `grace`: how long it still explains (µs). Of any other
    incident, it concerns whom `series` counted on the local days from the first to the last of `days`.
    """

    number: int
    at: int
    kind: str
    scope: str
    started_at: int
    status: str
    revision: int
    least: int = 0
    grace: int = 0
    series: list[int] = []
    days: tuple[int, int] = (0, -1)


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What the one that judges hears of partition `lane`: counts and answers; what was reported to it of the network and the
    market; for whom it does not wait any longer (`without`); and the judge's own `findings`, which come back to it.
    """

    lane: int
    said: Said | None = None
    reports: list[str] = []
    findings: list[Finding] = []
    without: list[int] = []


def packed(one: Any) -> bytes:
    """A struct of these, small."""
    return zlib.compress(msgspec.msgpack.encode(one), 1)


def unpacked(raw: bytes, kind: type[T]) -> T:
    """The way back; raises msgspec.DecodeError, zlib.error."""
    return msgspec.msgpack.decode(zlib.decompress(raw), type=kind)


def listed(ids: list[str]) -> list[str]:
    """As many of these ids as fit into a statement."""
    room, kept = MOST_ID_BYTES, 0
    for one in ids:
        room -= len(one) + 3
        if room < 0:
            break
        kept += 1
    return ids[:kept]
