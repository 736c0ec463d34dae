"""What may be asked of the simulated operator, and what comes back from a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

LOCAL = timezone(timedelta(hours=8))
FIRST_DAY = date(2026, 1, 1)
LAST_DAY = date(2026, 10, 31)  # the default stretch ends by here, so that no event lies in a reader's future


@dataclass(frozen=True, slots=True)
class Outage:
    """One cell fails for everyone in it: from `day` at `hour` (local), for `hours`, `customers` of them living there."""

    day: int
    hour: float = 9.0
    hours: float = 14.0
    customers: int = 5000


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything about a run but its size and seed.

    `usage_per_day` is the mean number of usage records of a customer and day; the rates of balance reports and of
    service contacts follow it, so that about 94 % of events are usage, 5 % billing and 1 % complaints.
    `skewed`: one customer in a hundred makes half of the usage. `late_share`: the share of events that stand later in
    the file than their `occurred_at` (usage by less than 24 h, billing and complaints by up to five days);
    `duplicate_share`: the share of events that come a second time, unchanged.
    """

    start: datetime | None = None
    usage_per_day: float = 6.0
    skewed: bool = False
    monthly_churn: float = 0.02
    involuntary_share: float = 0.08
    stayers_per_leaver: float = 1.0
    chinese_share: float = 0.8
    late_share: float = 0.0
    duplicate_share: float = 0.0
    outage: Outage | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a share outside 0 … 1 or a rate below zero."""
        for name in ("involuntary_share", "chinese_share", "late_share", "duplicate_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be between 0 and 1")
        for name in ("usage_per_day", "monthly_churn", "stayers_per_leaver"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{name} must not be negative")


def first_midnight(start: datetime | None, days: int) -> datetime:
    """Local midnight the run begins at: the day of `start`, else 2026-01-01 or as much earlier as `days` asks for."""
    if start is None:
        first = min(FIRST_DAY, LAST_DAY - timedelta(days=days))
        return datetime(first.year, first.month, first.day, tzinfo=LOCAL)
    return datetime(start.year, start.month, start.day, tzinfo=start.tzinfo or LOCAL)


@dataclass(slots=True)
class Summary:
    """Counts of a run: `events` written, by stream and by type, leavers by cause, and the stretch of time."""

    customers: int
    days: int
    seed: int
    start: datetime
    events: int = 0
    duplicates: int = 0
    by_stream: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)
    leavers: int = 0
    stayers: int = 0
    by_cause: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
