"""Where a fact replaces another, the newest stands: by `occurred_at`, then by the beginning of `event_id`, then by a hash.

Facts come in any order, so of every field (layout.STANDS, and each attribute) it is kept which fact set it: one record
per fact that still stands, with the fields it stands for as bits. Of event_id its first four bytes are kept, and 12 bits of
the event's hash: ids that begin alike are told apart by the hash, in the same way whichever comes first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.layout import AGES, CODES, LABELS, MONEY, STANDS, A, C, H, L, M, S
from customers.linked import link, take, unlink
from customers.state import Pools
from events.columns import TIE
from events.compiled import compiled

_STANDS, _ATTRIBUTES, _PERSON_PLACE = H["stands"], H["attributes"], S["person"]
_PERSON = np.uint64(1 << S["person"])
_TIME_MOST: Final = 2**52 - 1
_ONE, _NONE = np.uint64(1), np.uint64(0)
_FIELDS: Final = len(STANDS)
_BESIDE: Final = 64 - _FIELDS  # attribute columns whose bits lie beside the fields', so that a profile is one record
_BLOCKS: Final = ((AGES, A), (MONEY, M), (CODES, C), (LABELS, L))
_WIDEST: Final = max(len(names) for names, _ in _BLOCKS)
STAND_OF: Final = np.array(
    [[S.get(names[k], -1) if k < len(names) else -1 for k in range(_WIDEST)] for names, _ in _BLOCKS], np.int64
)
"""The place in STANDS of a profile's field, by block (age, money, code, label) and place."""


@compiled(borrows=True)
def version_of(e: np.void) -> tuple[np.uint64, np.uint32]:
    """The place of a fact in the order of all: 52 bits of time (until 2112), 32 of its id, 12 of its hash."""
    at, beginning = np.uint64(min(max(e["at"], 0), _TIME_MOST)), e["x"][TIE]
    tie = (np.uint64(beginning) if beginning > 0 else _NONE) << np.uint64(12) | (e["key"] & np.uint64(0xFFF))
    return at << np.uint64(12) | tie >> np.uint64(32), np.uint32(tie & np.uint64(0xFFFFFFFF))


@compiled(borrows=True)
def time_of(version: np.uint64) -> int:
    """The time (µs) in a version."""
    return np.int64(version >> np.uint64(12))


@compiled(borrows=True)
def older(version: np.uint64, tie: np.uint32, than: np.void) -> bool:
    """Whether a fact is older than the one of a record."""
    return version < than["version"] or (version == than["version"] and tie < than["tie"])


@compiled(borrows=True)
def _stand(r: np.void, p: Pools, which: int, fields: np.uint64, e: np.void, note: bool) -> bool:
    version, tie = version_of(e)
    holder, mine, j = np.int64(-1), np.int64(-1), np.int64(r["heads"][which])
    while j >= 0:
        one = p.stands[j]
        if one["fields"] & fields:
            holder = j
        if one["version"] == version and one["tie"] == tie:
            mine = j
        elif (holder == j or (which == _STANDS and one["fields"] & _PERSON)) and older(version, tie, one):
            return False
        j = np.int64(one["next"])
    if not note or (holder >= 0 and holder == mine):
        return True
    if holder >= 0:
        p.stands[holder]["fields"] &= ~fields
        if p.stands[holder]["fields"] == _NONE:
            unlink(r, p, which, p.stands, holder)
    if mine < 0:
        mine = take(p, which, p.stands)
        p.stands[mine]["version"], p.stands[mine]["tie"], p.stands[mine]["fields"] = version, tie, _NONE
        link(r, p, which, p.stands, mine)
    p.stands[mine]["fields"] |= fields
    return True


@compiled(borrows=True)
def stands(r: np.void, p: Pools, field: int, e: np.void) -> bool:
    """Whether the fact is the newest of this field (place in layout.STANDS); from now on it stands for it, then."""
    return _stand(r, p, _STANDS, _ONE << np.uint64(field), e, True)


@compiled(borrows=True)
def is_newest(r: np.void, p: Pools, field: int, e: np.void) -> bool:
    """Whether nothing newer stands for this field; nothing is noted."""
    return _stand(r, p, _STANDS, _ONE << np.uint64(field), e, False)


@compiled(borrows=True)
def attribute_stands(r: np.void, p: Pools, column: int, e: np.void) -> bool:
    """The same of an attribute."""
    if column < _BESIDE:
        return _stand(r, p, _STANDS, _ONE << np.uint64(_FIELDS + column), e, True)
    column -= _BESIDE
    return is_newest(r, p, _PERSON_PLACE, e) and _stand(r, p, _ATTRIBUTES, _ONE << np.uint64(column), e, True)


@compiled(borrows=True)
def forget(r: np.void, p: Pools, before: int) -> None:
    """Drop what stands since before a time (µs) from before which no fact is accepted any more: all that comes is newer."""
    for which in (_STANDS, _ATTRIBUTES):
        j = np.int64(r["heads"][which])
        while j >= 0:
            after = np.int64(p.stands[j]["next"])
            if time_of(p.stands[j]["version"]) < before:
                unlink(r, p, which, p.stands, j)
            j = after


@compiled(borrows=True)
def standing(r: np.void, p: Pools, field: int) -> int:
    """The record of the fact that stands for this field, −1 for none or one forgotten."""
    j = np.int64(r["heads"][_STANDS])
    while j >= 0 and p.stands[j]["fields"] & (_ONE << np.uint64(field)) == _NONE:
        j = np.int64(p.stands[j]["next"])
    return j
