"""How a usage record changes a customer."""

from __future__ import annotations

import numpy as np

from customers.layout import A, C, L, T
from customers.metrics import METRIC
from customers.rings import Slots, add
from events.codes import PEER_NETWORK, SERVICE
from events.columns import EXPLAINED
from events.compiled import compiled

_LAST_USE, _NEWEST, _LAG = T["last_use"], T["newest_usage"], T["feed_lag"]
_USES, _VOICE, _DATA, _MESSAGES = METRIC["uses"], METRIC["voice_seconds"], METRIC["data_mb"], METRIC["messages"]
_CHARGE, _FAILED, _DROPPED = METRIC["charge"], METRIC["failed"], METRIC["dropped"]
_VOICE_PERIOD, _CALLS_PERIOD = METRIC["voice_day_seconds"], METRIC["calls_day"]  # day, evening, night follow each other
_INTL_SECONDS, _INTL_CALLS = METRIC["international_seconds"], METRIC["international_calls"]
_ROAMING, _VOICEMAIL, _OTHER = METRIC["roaming_uses"], METRIC["voicemails"], METRIC["other_uses"]
_BROADBAND, _OFFNET = METRIC["broadband_mb"], METRIC["offnet_seconds"]
_SPEED, _SPEEDS = METRIC["speed_sum"], METRIC["speed_count"]

_IS_VOICE, _IS_DATA = SERVICE["voice"], SERVICE["data"]
_IS_SMS, _IS_MMS, _IS_VOICEMAIL = SERVICE["sms"], SERVICE["mms"], SERVICE["voicemail"]
_IS_INTERNATIONAL, _IS_ROAMING = SERVICE["international"], SERVICE["roaming"]
_IS_BROADBAND, _IS_FIXED = SERVICE["broadband"], SERVICE["fixed"]
_OFF = PEER_NETWORK["other"]
_EXPLAINED = EXPLAINED
_HOME, _VOTES = L["home_cell"], C["home_votes"]
_MOVE = A["move"]
FIRM = 128  # in the count of votes: the home cell was far ahead
_FIRM_FROM = 40
_MOST_VOTES = 60  # so that who moves house is known to within some weeks
HOME_BITS = 0x7FFFFFFF
"""Of a cell's hash, what a customer's home cell is kept as; of 50,000 cells about one pair shares it."""


@compiled(borrows=True)
def _fold_service(r: np.void, e: np.void, slots: Slots) -> None:
    service, count, seconds, mb = e["a"], e["x"][0], e["x"][1], e["x"][2]
    if service == _IS_VOICE or service == _IS_FIXED:
        add(r, _VOICE, seconds, slots)
        add(r, _VOICE_PERIOD + np.int64(e["b"]), seconds, slots)
        add(r, _CALLS_PERIOD + np.int64(e["b"]), count, slots)
        if e["e"] == _OFF:
            add(r, _OFFNET, seconds, slots)
    elif service == _IS_DATA:
        add(r, _DATA, mb, slots)
    elif service == _IS_SMS or service == _IS_MMS:
        add(r, _MESSAGES, count, slots)
    elif service == _IS_INTERNATIONAL:
        add(r, _INTL_SECONDS, seconds, slots)
        add(r, _INTL_CALLS, count, slots)
    elif service == _IS_ROAMING:
        add(r, _ROAMING, max(count, 1.0), slots)
        add(r, _DATA, mb, slots)
        add(r, _VOICE, seconds, slots)
    elif service == _IS_VOICEMAIL:
        add(r, _VOICEMAIL, count, slots)
    elif service == _IS_BROADBAND:
        add(r, _BROADBAND, mb, slots)
    else:
        add(r, _OTHER, max(count, 1.0), slots)


@compiled(borrows=True)
def _vote(r: np.void, e: np.void, now: int) -> None:
    """The majority vote of Boyer and Moore (MJRTY, 1981) over the cells used: one candidate and its lead.

    Where one that was far ahead gives way to another, the customer has moved, or is away for weeks.
    """
    cell, count = np.int32(e["ref"] & np.uint64(HOME_BITS)), np.int64(r["codes"][_VOTES])
    firm = FIRM if count >= FIRM else 0
    votes = count - firm
    if r["labels"][_HOME] == cell:
        firm = FIRM if votes + 1 >= _FIRM_FROM else firm
        r["codes"][_VOTES] = firm + min(votes + 1, _MOST_VOTES)
    elif votes > 0:
        r["codes"][_VOTES] = firm + votes - 1
    else:
        r["labels"][_HOME], r["codes"][_VOTES] = cell, 1
        if firm > 0:
            r["ages"][_MOVE] = np.uint32(now // 1_000_000)


@compiled(borrows=True)
def fold_usage(r: np.void, e: np.void, at: int, now: int, slots: Slots) -> None:
    """Add one usage record dated `at` (µs) that came `now`, and falls in `slots`; an attempt that only failed is no use.

    What fails while an incident explains it is not counted as this customer's own trouble.
    """
    count, seconds, mb, failed = e["x"][0], e["x"][1], e["x"][2], e["x"][4]
    if at > r["times"][_NEWEST]:
        if r["times"][_NEWEST] > 0:  # of the first it is not known whether it came in order
            r["times"][_LAG] = max(r["times"][_LAG], now - at)
        r["times"][_NEWEST] = at
    if e["ref"] != np.uint64(0):
        _vote(r, e, now)
    if count > 0 or seconds > 0 or mb > 0:
        r["times"][_LAST_USE] = max(r["times"][_LAST_USE], at)
        add(r, _USES, count, slots)
        _fold_service(r, e, slots)
    if e["x"][3] > 0:
        add(r, _CHARGE, e["x"][3], slots)
    own = e["flags"] & _EXPLAINED == 0
    if failed > 0 and own:
        add(r, _FAILED, failed, slots)
    if e["x"][5] > 0 and own:
        add(r, _DROPPED, e["x"][5], slots)
    if not np.isnan(e["x"][6]):
        add(r, _SPEED, e["x"][6], slots)
        add(r, _SPEEDS, 1.0, slots)
