"""The wall clock. Only the drivers look at it; the engine is told."""

from __future__ import annotations

import time

from events.times import rfc3339


def now() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1_000


def now_text() -> str:
    """The same in RFC 3339."""
    return rfc3339(now())
