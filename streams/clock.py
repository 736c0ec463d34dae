"""The wall clock and how times are written. Only the drivers look at the clock; the engine is told."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1_000


def rfc3339(at: int) -> str:
    """Microseconds UTC as text; always with six digits, so that texts sort like times."""
    return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
