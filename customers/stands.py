"""Where a fact replaces another, the newest stands: by `occurred_at`, then by the beginning of `event_id`, then by a hash.

Facts come in any order, so of every field (layout.STANDS, and each attribute) it is kept which fact set it: one record
per fact that still stands, with the fields it stands for as bits. `tie` is the first six bytes of event_id and 16 bits of
the event's hash: ids that begin alike are told apart by the hash, in the same way whichever comes first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.layout import AGES, CODES, LABELS, MONEY, A, C, H, L, M, S
from customers.linked import link, take, unlink
from customers.state import Pools
from events.columns import TIE
from events.compiled import compiled

_STANDS, _PERSON = H["stands"], np.uint64(1 << S["person"])
_ONE, _NONE = np.uint64(1), np.uint64(0)
_BLOCKS: Final = ((AGES, A), (MONEY, M), (CODES, C), (LABELS, L))
_WIDEST: Final = max(len(names) for names, _ in _BLOCKS)
STAND_OF: Final = np.array(
    [[S.get(names[k], -1) if k < len(names) else -1 for k in range(_WIDEST)] for names, _ in _BLOCKS], np.int64
)
"""The place in STANDS of a profile's field, by block (age, money, code, label) and place."""


@compiled
def tie_of(e: np.void) -> np.uint64:
    """What decides between facts of one time."""
    beginning = e["x"][TIE]
    first = np.uint64(beginning) if beginning > 0 else _NONE
    return (first << np.uint64(16)) | (e["key"] & np.uint64(0xFFFF))


@compiled
def older(at: int, tie: np.uint64, than: np.void) -> bool:
    """Whether a fact is older than the one of a record."""
    return at < than["at"] or (at == than["at"] and tie < than["tie"])


@compiled
def _stand(r: np.void, p: Pools, fields: np.uint64, attributes: np.uint64, e: np.void, note: bool) -> bool:
    at, tie = np.int64(e["at"]), tie_of(e)
    holder, mine, j = np.int64(-1), np.int64(-1), np.int64(r["heads"][_STANDS])
    while j >= 0:
        one = p.stands[j]
        if one["fields"] & _PERSON and older(at, tie, one):
            return False
        if one["fields"] & fields or one["attributes"] & attributes:
            holder = j
            if older(at, tie, one):
                return False
        if one["at"] == at and one["tie"] == tie:
            mine = j
        j = np.int64(one["next"])
    if not note or (holder >= 0 and holder == mine):
        return True
    if holder >= 0:
        p.stands[holder]["fields"] &= ~fields
        p.stands[holder]["attributes"] &= ~attributes
        if p.stands[holder]["fields"] == _NONE and p.stands[holder]["attributes"] == _NONE:
            unlink(r, p, _STANDS, p.stands, holder)
    if mine < 0:
        mine = take(p, _STANDS, p.stands)
        p.stands[mine]["at"], p.stands[mine]["tie"] = at, tie
        p.stands[mine]["fields"], p.stands[mine]["attributes"] = _NONE, _NONE
        link(r, p, _STANDS, p.stands, mine)
    p.stands[mine]["fields"] |= fields
    p.stands[mine]["attributes"] |= attributes
    return True


@compiled
def stands(r: np.void, p: Pools, field: int, e: np.void) -> bool:
    """Whether the fact is the newest of this field (place in layout.STANDS); from now on it stands for it, then."""
    return _stand(r, p, _ONE << np.uint64(field), _NONE, e, True)


@compiled
def attribute_stands(r: np.void, p: Pools, column: int, e: np.void) -> bool:
    """The same of an attribute."""
    return _stand(r, p, _NONE, _ONE << np.uint64(column), e, True)


@compiled
def is_newest(r: np.void, p: Pools, field: int, e: np.void) -> bool:
    """Whether nothing newer stands for this field; nothing is noted."""
    return _stand(r, p, _ONE << np.uint64(field), _NONE, e, False)


@compiled
def standing(r: np.void, p: Pools, field: int) -> int:
    """The record of the fact that stands for this field, −1 for none."""
    j = np.int64(r["heads"][_STANDS])
    while j >= 0 and p.stands[j]["fields"] & (_ONE << np.uint64(field)) == _NONE:
        j = np.int64(p.stands[j]["next"])
    return j
