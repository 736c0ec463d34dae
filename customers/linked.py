"""Records of pools, linked per customer: `which` is the head of a list (layout.HEADS), `pool` where its records lie."""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.layout import H
from customers.state import Pools
from events.compiled import compiled

MOST: Final = 16  # per customer and list; beyond it the oldest gives way
_EVERY: Final = (H["stands"], H["attributes"])  # but here, where no field has more than one
_POOL = np.array([0, 1, 2, 3, 0, 3, 4])  # of each head; credits lie among the bills


@compiled(borrows=True)
def take(p: Pools, which: int, pool: np.ndarray) -> int:  # type: ignore[type-arg]  # compiled
    """A free record: from the free list, else the next unused."""
    free = p.used[_POOL[which], 1]
    if free >= 0:
        p.used[_POOL[which], 1] = pool[free]["next"]
        return free
    free = p.used[_POOL[which], 0]
    p.used[_POOL[which], 0] += 1
    return free


@compiled(borrows=True)
def link(r: np.void, p: Pools, which: int, pool: np.ndarray, j: int) -> None:  # type: ignore[type-arg]  # compiled
    """Put record `j` first; drop the record beyond the most a customer may have."""
    pool[j]["next"] = r["heads"][which]
    r["heads"][which] = j
    length, at = 1, j
    while pool[at]["next"] >= 0:
        if length == MOST and which != _EVERY[0] and which != _EVERY[1]:
            last = np.int64(pool[at]["next"])
            pool[at]["next"] = -1
            pool[last]["next"] = p.used[_POOL[which], 1]
            p.used[_POOL[which], 1] = last
            return
        at = np.int64(pool[at]["next"])
        length += 1


@compiled(borrows=True)
def unlink(r: np.void, p: Pools, which: int, pool: np.ndarray, j: int) -> None:  # type: ignore[type-arg]  # compiled
    """Take record `j` out of the customer's list and free it."""
    at = np.int64(r["heads"][which])
    if at == j:
        r["heads"][which] = pool[j]["next"]
    else:
        while np.int64(pool[at]["next"]) != j:
            at = np.int64(pool[at]["next"])
        pool[at]["next"] = pool[j]["next"]
    pool[j]["next"] = p.used[_POOL[which], 1]
    p.used[_POOL[which], 1] = j


@compiled(borrows=True)
def find(r: np.void, which: int, pool: np.ndarray, ref: np.uint64) -> int:  # type: ignore[type-arg]  # compiled
    """The customer's record of this id, −1 when there is none."""
    j = np.int64(r["heads"][which])
    while j >= 0 and pool[j]["ref"] != ref:
        j = np.int64(pool[j]["next"])
    return j


@compiled(borrows=True)
def drop_all(r: np.void, p: Pools, which: int, pool: np.ndarray) -> None:  # type: ignore[type-arg]  # compiled
    """Free all of the customer's records in a pool."""
    while r["heads"][which] >= 0:
        unlink(r, p, which, pool, np.int64(r["heads"][which]))
