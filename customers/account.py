"""What a customer owes: bills that are open, and credit that waits.

Every amount is kept: the sum of what is open and of what waits as credit is that of all that was billed, adjusted, paid
and reversed, in whatever order it came. Money that names a bill not yet seen waits for that bill; what is left over, or
has no name, goes to the oldest due, and else waits for the next bill. A bill without a due date is never overdue and only
uses up credit. Money is fixed point, times are µs.
"""

from __future__ import annotations

import numpy as np

from customers.layout import H
from customers.linked import find, link, take, unlink
from customers.pools import FORGET_US
from customers.state import SETTLED_BILLS, Pools
from events.compiled import compiled

_BILLS, _CREDITS = H["bills"], H["credits"]
_NOBODY = np.uint64(0)
_SEEN = 1  # `at` of what is owed again on a bill that was settled


@compiled
def _short(ref: np.uint64) -> np.uint32:
    return np.uint32(ref & np.uint64(0xFFFFFFFF)) | np.uint32(1)


@compiled
def _is_settled(r: np.void, ref: np.uint64) -> bool:
    for k in range(SETTLED_BILLS):  # noqa: SIM110 - compiled
        if r["settled"][k] == _short(ref):
            return True
    return False


@compiled
def _settle(r: np.void, ref: np.uint64) -> None:
    """Remember a bill that is settled: what comes for it later does not wait for it."""
    if ref == _NOBODY or _is_settled(r, ref):
        return
    for k in range(SETTLED_BILLS - 1, 0, -1):
        r["settled"][k] = r["settled"][k - 1]
    r["settled"][0] = _short(ref)


@compiled
def _put(r: np.void, p: Pools, which: int, ref: np.uint64, left: int, due: int) -> int:
    j = take(p, _BILLS, p.bills)
    p.bills[j]["ref"], p.bills[j]["left"], p.bills[j]["due"] = ref, left, due
    p.bills[j]["amount"], p.bills[j]["at"] = 0, 0
    link(r, p, which, p.bills, j)
    return j


@compiled
def _general(r: np.void, p: Pools, amount: int, now: int) -> None:
    """Change what waits for no bill in particular; above 0 it is what bills without a due date leave."""
    j = find(r, _CREDITS, p.bills, _NOBODY)
    if j < 0:
        if amount != 0:
            _put(r, p, _CREDITS, _NOBODY, amount, now)
        return
    p.bills[j]["left"] += amount
    if p.bills[j]["left"] == 0:
        unlink(r, p, _CREDITS, p.bills, j)


@compiled
def _to_oldest(r: np.void, p: Pools, credit: int) -> int:
    """Pay the oldest due, then the next; returns what is left of `credit`."""
    while credit > 0 and r["heads"][_BILLS] >= 0:
        oldest = np.int64(r["heads"][_BILLS])
        k = np.int64(p.bills[oldest]["next"])
        while k >= 0:
            if p.bills[k]["due"] < p.bills[oldest]["due"]:
                oldest = k
            k = np.int64(p.bills[k]["next"])
        part = min(credit, np.int64(p.bills[oldest]["left"]))
        credit -= part
        p.bills[oldest]["left"] -= part
        if p.bills[oldest]["left"] <= 0:
            if p.bills[oldest]["at"] != 0:
                _settle(r, p.bills[oldest]["ref"])
            unlink(r, p, _BILLS, p.bills, oldest)
    return credit


@compiled
def _use(r: np.void, p: Pools, now: int) -> None:
    """Credit goes to the oldest due; what waited too long for its bill waits no longer."""
    j = np.int64(r["heads"][_CREDITS])
    while j >= 0:
        after, ref = np.int64(p.bills[j]["next"]), p.bills[j]["ref"]
        if ref != _NOBODY and now - p.bills[j]["due"] > FORGET_US:
            left = np.int64(p.bills[j]["left"])
            unlink(r, p, _CREDITS, p.bills, j)
            _general(r, p, left, now)
        j = after
    j = find(r, _CREDITS, p.bills, _NOBODY)
    if j >= 0 and p.bills[j]["left"] < 0:
        credit = -np.int64(p.bills[j]["left"])
        _general(r, p, credit - _to_oldest(r, p, credit), now)


@compiled
def _balance(r: np.void, p: Pools, j: int, now: int) -> None:
    """An open bill changed: when nothing is owed on it, it is settled, or its money waits for it."""
    left, ref, seen = np.int64(p.bills[j]["left"]), p.bills[j]["ref"], p.bills[j]["at"] != 0
    if left <= 0:
        unlink(r, p, _BILLS, p.bills, j)
        if seen:
            _settle(r, ref)
            _general(r, p, -_to_oldest(r, p, -left), now)
        elif left < 0:
            _put(r, p, _CREDITS, ref, left, now)
    _use(r, p, now)


@compiled
def _owe_now(r: np.void, p: Pools, ref: np.uint64, amount: int, now: int) -> None:
    """Something is owed without its bill at hand."""
    j = find(r, _BILLS, p.bills, ref)
    if j >= 0:
        p.bills[j]["left"] += amount
        return
    j = _put(r, p, _BILLS, ref, amount, now)
    p.bills[j]["at"] = _SEEN if ref == _NOBODY or _is_settled(r, ref) else 0


@compiled
def change(r: np.void, p: Pools, ref: np.uint64, amount: int, now: int) -> None:
    """More (`amount` > 0: a reversal, a surcharge) or less (a payment, a credit) is owed on the bill `ref` (0: on none).

    What is owed on a bill that is not there is due `now`, until the bill comes.
    """
    j = np.int64(-1)
    if ref != _NOBODY:
        j = find(r, _BILLS, p.bills, ref)
    if j >= 0:
        p.bills[j]["left"] += amount
        _balance(r, p, j, now)
        return
    if ref == _NOBODY or (_is_settled(r, ref) and amount < 0):
        if amount > 0:
            _owe_now(r, p, _NOBODY, amount, now)
        else:
            _general(r, p, -_to_oldest(r, p, -amount), now)
        _use(r, p, now)
        return
    k = find(r, _CREDITS, p.bills, ref)
    left = amount
    if k >= 0:
        left += np.int64(p.bills[k]["left"])
        if left < 0:
            p.bills[k]["left"] = left
            return
        unlink(r, p, _CREDITS, p.bills, k)
    if left < 0:
        _put(r, p, _CREDITS, ref, left, now)
    elif left > 0:
        _owe_now(r, p, ref, left, now)
    _use(r, p, now)


@compiled
def _credit_note(r: np.void, p: Pools, j: int, amount: int, at: int, now: int) -> None:
    """A bill that is a credit, or has no due date, where something is owed on it already (record `j`)."""
    if at < p.bills[j]["at"]:
        return
    if amount > 0 and p.bills[j]["at"] == 0:
        _general(r, p, amount, now)  # the bill itself is never due; the surcharge that came before it stays so
        amount = 0
    p.bills[j]["left"] += amount - np.int64(p.bills[j]["amount"])
    p.bills[j]["amount"], p.bills[j]["at"] = amount, max(at, _SEEN)
    _balance(r, p, j, now)


@compiled
def issue(r: np.void, p: Pools, ref: np.uint64, amount: int, due: int, at: int, now: int) -> None:
    """A bill dated `at` over `amount`, due at `due` (0: no date given); issued again, the newest stands."""
    j, k = find(r, _BILLS, p.bills, ref), find(r, _CREDITS, p.bills, ref)
    if j < 0 and k < 0 and _is_settled(r, ref):
        return  # it was paid, or had no due date
    if j >= 0 and (amount <= 0 or due == 0):
        _credit_note(r, p, j, amount, at, now)
        return
    if amount <= 0 or due == 0:
        left = np.int64(amount)
        if k >= 0:
            left += np.int64(p.bills[k]["left"])
            unlink(r, p, _CREDITS, p.bills, k)
        _settle(r, ref)
        _general(r, p, left, now)
        _use(r, p, now)
        return
    if j < 0:
        left = np.int64(0)
        if k >= 0:
            left = np.int64(p.bills[k]["left"])
            unlink(r, p, _CREDITS, p.bills, k)
        j = _put(r, p, _BILLS, ref, left, due)
    elif at < p.bills[j]["at"]:
        return
    elif p.bills[j]["at"] == _SEEN:
        p.bills[j]["amount"] = amount  # it was counted before it was settled
    p.bills[j]["left"] += amount - np.int64(p.bills[j]["amount"])
    p.bills[j]["amount"], p.bills[j]["due"], p.bills[j]["at"] = amount, due, at
    _balance(r, p, j, now)
