"""How a usage record changes a customer."""

from __future__ import annotations

import numpy as np

from customers.layout import T
from customers.metrics import METRIC
from customers.rings import Slots, add
from events.codes import PEER_NETWORK, SERVICE
from events.compiled import compiled

_LAST_USE, _NEWEST = T["last_use"], T["newest_usage"]
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


@compiled
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


@compiled
def fold_usage(r: np.void, e: np.void, at: int, slots: Slots) -> None:
    """Add one usage record dated `at` (µs), which falls in `slots`; an attempt that only failed is no use."""
    count, seconds, mb, failed = e["x"][0], e["x"][1], e["x"][2], e["x"][4]
    r["times"][_NEWEST] = max(r["times"][_NEWEST], at)
    if count > 0 or seconds > 0 or mb > 0:
        r["times"][_LAST_USE] = max(r["times"][_LAST_USE], at)
        add(r, _USES, count, slots)
        _fold_service(r, e, slots)
    if e["x"][3] > 0:
        add(r, _CHARGE, e["x"][3], slots)
    if failed > 0:
        add(r, _FAILED, failed, slots)
    if e["x"][5] > 0:
        add(r, _DROPPED, e["x"][5], slots)
    if not np.isnan(e["x"][6]):
        add(r, _SPEED, e["x"][6], slots)
        add(r, _SPEEDS, 1.0, slots)
