"""What is rare and open: complaints not yet settled, contracts that run.

Each is a record in a pool, linked per customer. Facts may come in any order: where one replaces another the newest stands.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.layout import H, S
from customers.linked import find, link, take, unlink
from customers.metrics import DAY_US
from customers.stands import is_newest, older, stands, time_of, version_of
from customers.state import Pools
from events.compiled import compiled

_COMPLAINTS, _CONTRACTS, _ALL_ENDED = H["complaints"], H["contracts"], S["contracts_ended"]
SETTLED: Final = 5
FORGET_US: Final = 90 * DAY_US
OVER: Final = 1  # the end of a contract that was ended: long past


@compiled
def complaint(r: np.void, p: Pools, ref: np.uint64, clock: int) -> int:
    """The record of a complaint, made when unknown; settled ones long past are forgotten on the way."""
    j = np.int64(r["heads"][_COMPLAINTS])
    while j >= 0:
        after = np.int64(p.complaints[j]["next"])
        if p.complaints[j]["status"] == SETTLED and clock - p.complaints[j]["changed"] > FORGET_US:
            unlink(r, p, _COMPLAINTS, p.complaints, j)
        j = after
    j = find(r, _COMPLAINTS, p.complaints, ref)
    if j < 0:
        j = take(p, _COMPLAINTS, p.complaints)
        p.complaints[j]["ref"] = ref
        p.complaints[j]["opened"] = clock
        p.complaints[j]["changed"] = 0
        p.complaints[j]["due"] = 0
        p.complaints[j]["status"] = 0
        p.complaints[j]["severity"] = 0
        p.complaints[j]["cause"] = 0
        p.complaints[j]["counted"] = 0
        link(r, p, _COMPLAINTS, p.complaints, j)
    return j


@compiled
def _contract(r: np.void, p: Pools, ref: np.uint64, clock: int) -> int:
    """The record of a contract, made when unknown; those ended long ago are forgotten on the way."""
    j = np.int64(r["heads"][_CONTRACTS])
    while j >= 0:
        after = np.int64(p.contracts[j]["next"])
        if p.contracts[j]["ends"] == OVER and clock - time_of(p.contracts[j]["version"]) > FORGET_US:
            unlink(r, p, _CONTRACTS, p.contracts, j)
        j = after
    j = find(r, _CONTRACTS, p.contracts, ref)
    if j < 0:
        j = take(p, _CONTRACTS, p.contracts)
        p.contracts[j]["ref"] = ref
        p.contracts[j]["version"], p.contracts[j]["tie"] = 0, 0
        link(r, p, _CONTRACTS, p.contracts, j)
    return j


@compiled
def sign(r: np.void, p: Pools, e: np.void, ends: int, clock: int) -> None:
    """A contract runs until `ends` (µs, 0 = open), unless something newer is known of it."""
    if not is_newest(r, p, _ALL_ENDED, e):
        return
    j = _contract(r, p, e["ref"], clock)
    version, tie = version_of(e)
    if not older(version, tie, p.contracts[j]):
        p.contracts[j]["version"], p.contracts[j]["tie"], p.contracts[j]["ends"] = version, tie, ends


@compiled
def end_contract(r: np.void, p: Pools, e: np.void, clock: int) -> None:
    """The contract named is over, also for a signing from before that comes late; without a name, all are."""
    version, tie = version_of(e)
    if e["ref"] != np.uint64(0):
        _contract(r, p, e["ref"], clock)
    else:
        stands(r, p, _ALL_ENDED, e)
    j = np.int64(r["heads"][_CONTRACTS])
    while j >= 0:
        if (e["ref"] == np.uint64(0) or p.contracts[j]["ref"] == e["ref"]) and not older(version, tie, p.contracts[j]):
            p.contracts[j]["version"], p.contracts[j]["tie"], p.contracts[j]["ends"] = version, tie, OVER
        j = np.int64(p.contracts[j]["next"])


@compiled
def last_contract_end(r: np.void, p: Pools) -> int:
    """The latest end (µs) of the contracts; 0 when there is none, or one runs without an end."""
    latest, j = 0, np.int64(r["heads"][_CONTRACTS])
    while j >= 0:
        ends = np.int64(p.contracts[j]["ends"])
        if ends == 0:
            return 0
        latest = max(latest, ends)
        j = np.int64(p.contracts[j]["next"])
    return 0 if latest == OVER else latest
