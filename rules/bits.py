"""The life of a rule on a customer, as bits: idle → (pending →) active → (ebbing →) idle or cooling.

Active and pending at once is spent: care ended the episode that the rule held up, and until a fact renews it or it clears
it does nothing (rules/renewal.py).

Where a row changes nothing, which is nearly always, a few words are compared and that is all. Only changes come out, and
what needs a clock (a `for`, a cooldown, a `keep_firing_for`) is kept by whoever reads them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from events.compiled import compiled

Words = npt.NDArray[np.uint64]

# What became of a rule at a row.
FIRED: Final = 1  # idle → active
PENDED: Final = 2  # idle → pending: `for` begins
UNPENDED: Final = 3  # the condition ceased before `for` was over
CLEARED: Final = 4  # active → idle or cooling
EBBED: Final = 5  # the clearing condition holds: `keep_firing_for` begins
UNEBBED: Final = 6  # and ceased to hold
ACTIVE, PENDING, COOLING, EBBING = 0, 1, 2, 3  # planes of bits

_ONE: Final = np.uint64(1)
_ZERO: Final = np.uint64(0)


class Traits(NamedTuple):
    """Words of bits, one per rule: has a `for`, a `keep_firing_for`, a cooldown."""

    holds: Words
    keeps: Words
    cools: Words


class Changes(NamedTuple):
    """Changes in order of rows."""

    row: npt.NDArray[np.int64]
    rule: npt.NDArray[np.int64]
    what: npt.NDArray[np.uint8]


@compiled
def _emit(changes: Changes, count: int, row: int, word: int, bits: np.uint64, what: int) -> int:
    for k in range(64):
        if (bits >> np.uint64(k)) & _ONE:
            changes.row[count], changes.rule[count], changes.what[count] = row, word * 64 + k, what
            count += 1
    return count


@compiled
def settle(
    state: Words,
    customers: npt.NDArray[np.int32],
    firing: Words,
    clearing: Words,
    renewing: Words,
    asleep: npt.NDArray[np.bool_],
    traits: Traits,
    first: int,
    changes: Changes,
) -> tuple[int, int]:
    """Take the rows from `first` on through the bits `state[customer, plane × words]`, in order.

    `firing`, `clearing` and `renewing` (by the row's fact) have shape (rows, words). `asleep`: the line is suspended, so an
    active rule whose condition is no longer certain is cleared. Returns (rows done, changes written); stops early when
    `changes` may run full.
    """
    words = firing.shape[1]
    count, room = 0, len(changes.row) - words * 64 * 3
    for i in range(first, len(customers)):
        if count > room:
            return i, count
        s = state[customers[i]]
        for w in range(words):
            fire, clear = firing[i, w], clearing[i, w]
            active, pending = s[w], s[words + w]
            cooling, ebbing = s[2 * words + w], s[3 * words + w]
            if (fire | active | pending) == _ZERO:
                continue
            spent = active & pending
            anew = spent & renewing[i, w]
            pending, active, spent = pending & ~spent, active & ~anew, spent & ~anew
            new = fire & ~(active | pending | cooling)
            dropped = pending & ~fire
            if asleep[i]:
                clear |= ~fire
            ending = active & clear & ~fire
            gone = ending & ~traits.keeps[w]
            ebbs = ending & traits.keeps[w] & ~ebbing
            back = ebbing & ~ending
            if (new | dropped | gone | ebbs | back | anew) == _ZERO:
                continue
            fired, pended = new & ~traits.holds[w], new & traits.holds[w]
            s[w] = (active | fired) & ~gone
            s[words + w] = (pending | pended) & ~dropped | (spent & ~gone)
            s[2 * words + w] = cooling | (gone & traits.cools[w])
            s[3 * words + w] = (ebbing | ebbs) & ~back
            count = _emit(changes, count, i, w, gone, CLEARED)
            count = _emit(changes, count, i, w, dropped, UNPENDED)
            count = _emit(changes, count, i, w, ebbs, EBBED)
            count = _emit(changes, count, i, w, back, UNEBBED)
            count = _emit(changes, count, i, w, fired, FIRED)
            count = _emit(changes, count, i, w, pended, PENDED)
    return len(customers), count


def room_for_changes(rows: int, rules: int) -> Changes:
    """Arrays that hold the changes of a few thousand rows."""
    size = max(4 * rows, 4 * 64 * 3 * (rules // 64 + 1))
    return Changes(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.uint8))


def words_of(flags: list[bool]) -> Words:
    """One bit per rule, packed."""
    words = np.zeros((len(flags) + 63) // 64 or 1, np.uint64)
    for k, flag in enumerate(flags):
        words[k // 64] |= np.uint64(int(flag) << (k % 64))
    return words
