"""Times that producers stamp records with. A broker takes what they say (unless it stamps arrival itself), however wrong."""

from __future__ import annotations

from typing import Final

import numpy as np

from events.packed import Records

DAY_US: Final = 86_400_000_000
MILLISECOND_US: Final = 1_000


def believable(records: Records, now: int) -> tuple[Records, int]:
    """The records, those stamped after the end of tomorrow (UTC) as of the end of today, and those without a stamp too; how many
    are stamped so far ahead. `now` is wall time (µs).

    Arrival is what an event's own date is held against: one stamped and dated 2100 would take the clock of its partition there,
    and all that follows would be too late. Whole days, so that who reads a record again after a crash finds the same of it.
    """
    today_ends = (now // DAY_US + 1) * DAY_US
    stamps = records.rows["timestamp"]
    ahead = stamps > (today_ends + DAY_US) // MILLISECOND_US
    wrong = ahead | (stamps <= 0)
    if not wrong.any():
        return records, 0
    rows = records.rows.copy()
    rows["timestamp"][wrong] = today_ends // MILLISECOND_US
    return Records(records.raw, rows), int(np.count_nonzero(ahead))
