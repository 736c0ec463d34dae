"""The part of the day that a local hour belongs to, where an event does not say."""

from events.compiled import compiled

DAY, EVENING, NIGHT = 0, 1, 2
"""Codes of `period`."""


@compiled
def period_of_hour(hour: int) -> int:
    """Day from 8 to 18, evening from 18 to 23, night the rest."""
    if hour < 8 or hour >= 23:
        return NIGHT
    return DAY if hour < 18 else EVENING
