"""A line transferred starts a new person: of the old one nothing is left but the id."""

from __future__ import annotations

import numpy as np

from customers.layout import CODE_UNKNOWN, FAR, MONEY_UNKNOWN, ZERO_CODES, C, F, H, L, S, T
from customers.linked import drop_all
from customers.stands import stands
from customers.state import Pools
from events.columns import ACCOUNT_GIVEN
from events.compiled import compiled

_FIRST, _ROLLED, _EVENT, _AWAKE, _DUE, _WEEK, _RULES = (
    T["first_seen"],
    T["rolled"],
    T["last_event"],
    T["awake_at"],
    T["next_due"],
    T["week_due"],
    T["rules_due"],
)
_ZEROS = np.array([C[n] for n in ZERO_CODES])
_CUSUM = F["usage_cusum"]
_BILLS, _COMPLAINTS, _CONTRACTS, _CREDITS = H["bills"], H["complaints"], H["contracts"], H["credits"]
_STANDS, _ATTRIBUTES, _NOTES, _ACCOUNT = H["stands"], H["attributes"], H["notes"], L["account"]
_PERSON, _STATUS, _HOUSEHOLD = S["person"], S["status"], S["account"]
_WEEK_US = 7 * 86_400_000_000


@compiled
def start_anew(r: np.void, p: Pools, e: np.void, now: int) -> None:
    """Forget everything of the customer but the account that the transfer `e` names; known from `now` (µs) on.

    What is dated before the transfer and comes later replaces nothing of the new person.
    """
    account = r["labels"][_ACCOUNT] if e["flags"] & ACCOUNT_GIVEN else -1
    drop_all(r, p, _BILLS, p.bills)
    drop_all(r, p, _COMPLAINTS, p.complaints)
    drop_all(r, p, _CONTRACTS, p.contracts)
    drop_all(r, p, _CREDITS, p.bills)
    drop_all(r, p, _STANDS, p.stands)
    drop_all(r, p, _ATTRIBUTES, p.stands)
    drop_all(r, p, _NOTES, p.notes)
    r["times"][:] = 0
    for field in (_FIRST, _ROLLED, _EVENT, _AWAKE):
        r["times"][field] = now
    r["times"][_DUE], r["times"][_RULES] = FAR, FAR
    r["times"][_WEEK] = now + _WEEK_US
    r["ages"][:] = 0
    r["money"][:] = MONEY_UNKNOWN
    r["floats"][:] = np.nan
    r["floats"][_CUSUM] = 0.0
    r["labels"][:] = -1
    r["labels"][_ACCOUNT] = account
    r["settled"][:] = 0
    r["codes"][:] = CODE_UNKNOWN
    for field in _ZEROS:
        r["codes"][field] = 0
    r["wide"][:] = 0
    r["high"][:] = 0
    r["mid"][:] = 0
    r["small"][:] = 0
    r["tiny"][:] = 0
    stands(r, p, _PERSON, e)
    stands(r, p, _STATUS, e)
    if account >= 0:
        stands(r, p, _HOUSEHOLD, e)
