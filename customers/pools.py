"""What is rare and open: bills not yet paid, complaints not yet settled, contracts that run.

Each is a record in a pool, linked per customer. Facts may come in any order: where one replaces another the newest
`occurred_at` stands.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.layout import H
from customers.metrics import DAY_US
from customers.state import Pools
from events.compiled import compiled

_BILLS, _COMPLAINTS, _CONTRACTS = H["bills"], H["complaints"], H["contracts"]
MOST_OPEN: Final = 16  # per customer and kind; beyond it the oldest gives way
SETTLED: Final = 5
FORGET_US: Final = 90 * DAY_US


@compiled
def _take(p: Pools, which: int, pool: np.ndarray) -> int:  # type: ignore[type-arg]  # compiled
    """A free record: from the free list, else the next unused."""
    free = p.used[which, 1]
    if free >= 0:
        p.used[which, 1] = pool[free]["next"]
        return free
    free = p.used[which, 0]
    p.used[which, 0] += 1
    return free


@compiled
def _link(r: np.void, p: Pools, which: int, pool: np.ndarray, j: int) -> None:  # type: ignore[type-arg]  # compiled
    """Put record `j` first; drop the record beyond the most a customer may have."""
    pool[j]["next"] = r["heads"][which]
    r["heads"][which] = j
    length, at = 1, j
    while pool[at]["next"] >= 0:
        if length == MOST_OPEN:
            last = np.int64(pool[at]["next"])
            pool[at]["next"] = -1
            pool[last]["next"] = p.used[which, 1]
            p.used[which, 1] = last
            return
        at = np.int64(pool[at]["next"])
        length += 1


@compiled
def _unlink(r: np.void, p: Pools, which: int, pool: np.ndarray, j: int) -> None:  # type: ignore[type-arg]  # compiled
    """Take record `j` out of the customer's list and free it."""
    at = np.int64(r["heads"][which])
    if at == j:
        r["heads"][which] = pool[j]["next"]
    else:
        while np.int64(pool[at]["next"]) != j:
            at = np.int64(pool[at]["next"])
        pool[at]["next"] = pool[j]["next"]
    pool[j]["next"] = p.used[which, 1]
    p.used[which, 1] = j


@compiled
def _find(r: np.void, p: Pools, which: int, pool: np.ndarray, ref: np.uint64) -> int:  # type: ignore[type-arg]  # compiled
    j = np.int64(r["heads"][which])
    while j >= 0 and pool[j]["ref"] != ref:
        j = np.int64(pool[j]["next"])
    return j


@compiled
def drop_all(r: np.void, p: Pools, which: int, pool: np.ndarray) -> None:  # type: ignore[type-arg]  # compiled
    """Free all of the customer's records in a pool."""
    while r["heads"][which] >= 0:
        _unlink(r, p, which, pool, np.int64(r["heads"][which]))


@compiled
def owe(r: np.void, p: Pools, ref: np.uint64, due: int, amount: int) -> None:
    """A bill of `amount` (fixed point, > 0) is due at `due` (µs)."""
    j = _find(r, p, _BILLS, p.bills, ref)
    if j < 0:
        j = _take(p, _BILLS, p.bills)
        p.bills[j]["ref"] = ref
        _link(r, p, _BILLS, p.bills, j)
    p.bills[j]["due"] = due
    p.bills[j]["left"] = amount


@compiled
def owe_again(r: np.void, p: Pools, ref: np.uint64, now: int, amount: int) -> None:
    """A payment is taken back: its bill is open by that much again, due as before; a bill long closed is due `now`."""
    j = _find(r, p, _BILLS, p.bills, ref)
    if j < 0:
        owe(r, p, ref, now, amount)
    else:
        p.bills[j]["left"] += amount


@compiled
def pay(r: np.void, p: Pools, ref: np.uint64, amount: int) -> None:
    """`amount` (fixed point) goes to the bill named, and what is left over, or has no name, to the oldest due."""
    if ref != np.uint64(0):
        j = _find(r, p, _BILLS, p.bills, ref)
        if j >= 0:
            part = min(amount, np.int64(p.bills[j]["left"]))
            p.bills[j]["left"] -= part
            amount -= part
            if p.bills[j]["left"] <= 0:
                _unlink(r, p, _BILLS, p.bills, j)
    while amount > 0 and r["heads"][_BILLS] >= 0:
        oldest = np.int64(r["heads"][_BILLS])
        j = np.int64(p.bills[oldest]["next"])
        while j >= 0:
            if p.bills[j]["due"] < p.bills[oldest]["due"]:
                oldest = j
            j = np.int64(p.bills[j]["next"])
        part = min(amount, np.int64(p.bills[oldest]["left"]))
        p.bills[oldest]["left"] -= part
        amount -= part
        if p.bills[oldest]["left"] <= 0:
            _unlink(r, p, _BILLS, p.bills, oldest)


@compiled
def complaint(r: np.void, p: Pools, ref: np.uint64, clock: int) -> int:
    """The record of a complaint, made when unknown; settled ones long past are forgotten on the way."""
    j = np.int64(r["heads"][_COMPLAINTS])
    while j >= 0:
        after = np.int64(p.complaints[j]["next"])
        if p.complaints[j]["status"] == SETTLED and clock - p.complaints[j]["changed"] > FORGET_US:
            _unlink(r, p, _COMPLAINTS, p.complaints, j)
        j = after
    j = _find(r, p, _COMPLAINTS, p.complaints, ref)
    if j < 0:
        j = _take(p, _COMPLAINTS, p.complaints)
        p.complaints[j]["ref"] = ref
        p.complaints[j]["opened"] = clock
        p.complaints[j]["changed"] = 0
        p.complaints[j]["due"] = 0
        p.complaints[j]["status"] = 0
        p.complaints[j]["severity"] = 0
        p.complaints[j]["cause"] = 0
        p.complaints[j]["counted"] = 0
        _link(r, p, _COMPLAINTS, p.complaints, j)
    return j


@compiled
def sign(r: np.void, p: Pools, ref: np.uint64, ends: int, fee: int, term: float) -> None:
    """A contract runs until `ends` (µs, 0 = open)."""
    j = _find(r, p, _CONTRACTS, p.contracts, ref)
    if j < 0:
        j = _take(p, _CONTRACTS, p.contracts)
        p.contracts[j]["ref"] = ref
        _link(r, p, _CONTRACTS, p.contracts, j)
    p.contracts[j]["ends"] = ends
    p.contracts[j]["fee"] = fee
    p.contracts[j]["term"] = term


@compiled
def end_contract(r: np.void, p: Pools, ref: np.uint64) -> None:
    """The contract named is over; without a name, all are."""
    j = np.int64(r["heads"][_CONTRACTS])
    while j >= 0:
        after = np.int64(p.contracts[j]["next"])
        if ref == np.uint64(0) or p.contracts[j]["ref"] == ref:
            _unlink(r, p, _CONTRACTS, p.contracts, j)
        j = after


@compiled
def last_contract_end(r: np.void, p: Pools) -> int:
    """The latest end (µs) of the contracts; 0 when there is none, or one runs without an end."""
    latest, j = 0, np.int64(r["heads"][_CONTRACTS])
    while j >= 0:
        if p.contracts[j]["ends"] == 0:
            return 0
        latest = max(latest, np.int64(p.contracts[j]["ends"]))
        j = np.int64(p.contracts[j]["next"])
    return latest
