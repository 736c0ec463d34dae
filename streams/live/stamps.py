"""Times that producers stamp records with. A broker takes what they say (unless it stamps arrival itself), however wrong."""

from __future__ import annotations

from typing import Final

import numpy as np

from events.packed import Records

MILLISECOND_US: Final = 1_000
AHEAD_US: Final = 86_400_000_000
"""By so much a clock may be fast. The contract lets an event be so much newer than its arrival."""


def believable(records: Records, now: int) -> tuple[Records, int]:
    """The records, those stamped more than a day after `now` (µs, wall time) as of now; and how many these were.

    Arrival is what an event's own date is held against: one stamped and dated 2100 would take the clock of its partition there,
    and all that follows would be too late.
    """
    limit = (now + AHEAD_US) // MILLISECOND_US
    if not records.count or int(records.rows["timestamp"].max()) <= limit:
        return records, 0
    rows = records.rows.copy()
    wrong = rows["timestamp"] > limit
    rows["timestamp"][wrong] = now // MILLISECOND_US
    return Records(records.raw, rows), int(np.count_nonzero(wrong))
