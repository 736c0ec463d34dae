"""Half-space trees as arrays, and compiled scoring: how unlike other customer-days a row is, as a share of them.

Tan, Ting, Liu: Fast anomaly detection for streaming data, IJCAI 2011. The trees are perfect and their masses stand still
between two publications, so the sum that River adds up on the way to a leaf, early stop included, is worked out once for
each leaf. It is a whole number, so scores are River's to the last bit. Each row is scored by itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled

ROWS = 128
"""Rows of a block."""
MOST = 1e6
"""Values beyond it are taken as this."""
EARLY_STOP = 0.1
"""River goes no further below a node with less than this share of a window."""
FAR = np.iinfo(np.int32).max


class Trees(NamedTuple):
    """One state of the detector. Nodes are as in a heap: the children of n are 2n + 1 and 2n + 2.

    `columns` are the rows of x that hold the inputs, `scale` and `ordinary` f8[inputs] how values become units; the first `own`
    inputs compare with the customer's own normal. `place` u4 (the input asked, times ROWS) and `threshold` f8 [trees, inner
    nodes], `mass` i4[trees, leaves]; `table` i4[2^k − 1] the sample's masses, ascending, with FAR after the first `known`.
    Nothing known: too little was learned to say anything.
    """

    columns: NDArray[np.int64]
    scale: NDArray[np.float64]
    ordinary: NDArray[np.float64]
    own: int
    place: NDArray[np.uint32]
    threshold: NDArray[np.float64]
    mass: NDArray[np.int32]
    table: NDArray[np.int32]
    known: int


class Room(NamedTuple):
    """Room for a block of rows. `units` f8[inputs × ROWS], `rarity` f8[ROWS]: NaN where nothing can be said."""

    units: NDArray[np.float64]
    node: NDArray[np.uint32]
    mass: NDArray[np.int32]
    told: NDArray[np.bool_]
    rarity: NDArray[np.float64]


def room(inputs: int) -> Room:
    """Room for `ROWS` rows."""
    return Room(
        np.zeros(inputs * ROWS),
        np.zeros(ROWS, np.uint32),
        np.zeros(ROWS, np.int32),
        np.zeros(ROWS, np.bool_),
        np.full(ROWS, np.nan),
    )


def leaf_masses(r_mass: NDArray[np.int64], window: int) -> NDArray[np.int32]:
    """What River adds up from the root to each leaf, i4[trees, leaves], of the masses of all nodes i8[trees, nodes]."""
    total = r_mass[:, :1].copy()
    stopped = r_mass[:, :1] < EARLY_STOP * window
    height = (r_mass.shape[1] + 1).bit_length() - 2
    for depth in range(1, height + 1):
        here = r_mass[:, 2**depth - 1 : 2 ** (depth + 1) - 1]
        stopped, total = np.repeat(stopped, 2, axis=1), np.repeat(total, 2, axis=1)
        total += np.where(stopped, 0, here << depth)
        stopped |= here < EARLY_STOP * window
    return total.astype(np.int32)


def as_table(masses: NDArray[np.int32]) -> NDArray[np.int32]:
    """The masses of a sample, ascending, filled up to a length of 2^k − 1."""
    table = np.full(2 ** len(masses).bit_length() - 1, FAR, np.int32)
    table[: len(masses)] = np.sort(masses)
    return table


@compiled
def unit(value: float, scale: float, ordinary: float) -> float:
    """A value as a number from 0 to 1: one half where it equals the scale; what is unknown is taken as ordinary."""
    bounded = min(max(value, 0.0), MOST)
    return bounded / (bounded + scale) if value == value else ordinary


@compiled
def block_units(x: NDArray[np.float64], at: int, rows: int, t: Trees, r: Room) -> None:
    """The inputs of columns at … at + rows of x as units, and whether any of them compares with an own normal."""
    for i in range(rows):
        r.told[i] = False
    for k in range(len(t.columns)):
        values, units = x[t.columns[k]], r.units[k * ROWS : (k + 1) * ROWS]
        for i in range(rows):
            units[i] = unit(values[at + i], t.scale[k], t.ordinary[k])
        if k < t.own:
            for i in range(rows):
                r.told[i] |= values[at + i] == values[at + i]


@compiled
def block_masses(t: Trees, r: Room) -> None:
    """The mass that the trees hold where each row's units are: the more, the more ordinary.

    All rows go down one level at a time, so that none waits for another; indices are unsigned, so that none is looked at for
    being negative.
    """
    one, lanes, inner = np.uint32(1), np.uint32(ROWS), np.uint32(t.place.shape[1])
    for i in range(lanes):
        r.mass[i] = 0
    for tree in range(len(t.place)):
        place, threshold, mass = t.place[tree], t.threshold[tree], t.mass[tree]
        for i in range(lanes):
            r.node[i] = np.uint32(0)
        reached = np.uint32(0)
        while reached < inner:
            for i in range(lanes):
                node = r.node[i]
                right = r.units[place[node] + np.uint32(i)] >= threshold[node]
                r.node[i] = node + node + one + np.uint32(right)
            reached = reached + reached + one
        for i in range(lanes):
            r.mass[i] += mass[r.node[i] - inner]


@compiled
def block_rarity(rows: int, t: Trees, r: Room) -> None:
    """The share of the sample with more mass than each row: a binary search by all rows at once."""
    lanes = np.uint32(ROWS)
    for i in range(lanes):
        r.node[i] = np.uint32(0)
    step = np.uint32(len(t.table) + 1) >> np.uint32(1)
    while step > np.uint32(0):
        for i in range(lanes):
            below = r.node[i]
            r.node[i] = below + step * np.uint32(t.table[below + step - np.uint32(1)] <= r.mass[i])
        step >>= np.uint32(1)
    for i in range(rows):
        r.rarity[i] = 1.0 - np.float64(r.node[i]) / t.known if r.told[i] else np.nan


@compiled
def block_unusual(x: NDArray[np.float64], at: int, rows: int, t: Trees, r: Room) -> None:
    """Units and `rarity` of columns at … at + rows of x."""
    block_units(x, at, rows, t, r)
    if t.known:
        block_masses(t, r)
        block_rarity(rows, t, r)
    else:
        r.rarity[:] = np.nan


@compiled
def all_masses(units: NDArray[np.float64], t: Trees, r: Room, out: NDArray[np.int32]) -> None:
    """The masses (i4[n]) of units f8[n, inputs]."""
    for first in range(0, len(out), ROWS):
        rows = min(ROWS, len(out) - first)
        for i in range(rows):
            for k in range(units.shape[1]):
                r.units[k * ROWS + i] = units[first + i, k]
        block_masses(t, r)
        for i in range(rows):
            out[first + i] = r.mass[i]


def masses(units: NDArray[np.float64], t: Trees) -> NDArray[np.int32]:
    """The mass (i4[n]) of each row of units f8[n, inputs]; River's score is 1 − mass / the most there can be."""
    out = np.zeros(len(units), np.int32)
    all_masses(np.ascontiguousarray(units), t, room(units.shape[1]), out)
    return out
