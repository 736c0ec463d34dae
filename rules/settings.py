"""The shapes of `churn.yaml`, `actions.yaml` and `workdays.yaml`.

Every key of `churn.yaml` can be overridden by an environment variable (`environment`); the values here are the defaults.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, field

from events.contract import Cause
from rules.durations import DAY, HOUR, MINUTE, Duration, UtcOffset, WorkingTime
from rules.rulefile import Bilingual, Code, Identifier, Strict
from rules.signals import SignalEntry
from rules.workdays import OpenHours

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
ValueClass = Literal["high", "mid", "low", "other"]
"""`other` stands for every class that is not named, an unknown one included."""


class Deadline(Strict, frozen=True, kw_only=True):
    """How soon a warning has to be acknowledged and resolved."""

    ack: WorkingTime
    resolve: WorkingTime


class TierDeadlines(Strict, frozen=True, kw_only=True):
    """Deadlines of one tier; `always` counts every hour, `working` those of workdays.yaml."""

    clock: Literal["working", "always"] = "working"
    high: Deadline | None = None
    mid: Deadline | None = None
    low: Deadline | None = None
    other: Deadline

    def of(self, value_class: str | None) -> Deadline:
        """The deadline of a value class (None: unknown)."""
        named = {"high": self.high, "mid": self.mid, "low": self.low}.get(value_class or "")
        return named or self.other


class ValueClasses(Strict, frozen=True, kw_only=True):
    """Monthly spend, in the account's currency, from which a customer counts as of high and of mid value.

    Loyal customers with an RFM score from `loyal_rfm` on (3 to 15; 16: never) count a class higher.
    """

    high: Positive = 150.0
    mid: Positive = 50.0
    loyal_rfm: Annotated[float, Meta(ge=3, le=16)] = 14.0

    def __post_init__(self) -> None:
        """Raises ValueError when the cuts are the wrong way round."""
        if self.mid >= self.high:
            raise ValueError("`mid` must be less than `high`")


class Lifecycle(Strict, frozen=True, kw_only=True):
    """Tenure in days up to which a customer is new and growing, and the use (share of the own normal) that is decline."""

    new_days: Positive = 90.0
    growth_days: Positive = 365.0
    decline_below: Share = 0.6

    def __post_init__(self) -> None:
        """Raises ValueError when the stages are the wrong way round."""
        if self.new_days >= self.growth_days:
            raise ValueError("`new_days` must be less than `growth_days`")


Cuts = tuple[float, ...]


class Rfm(Strict, frozen=True, kw_only=True):
    """Four rising cut points each, for grades 1 to 5: days since use, sessions of 30 days, money a month."""

    recency_days: Cuts = (2.0, 5.0, 10.0, 30.0)
    uses: Cuts = (10.0, 40.0, 100.0, 200.0)
    money: Cuts = (20.0, 50.0, 100.0, 150.0)

    def __post_init__(self) -> None:
        """Raises ValueError for cut points that do not rise."""
        for name in ("recency_days", "uses", "money"):
            cuts = getattr(self, name)
            if len(cuts) != 4 or list(cuts) != sorted(set(cuts)):
                raise ValueError(f"`{name}` needs four cut points that rise")


class Loyalty(Strict, frozen=True, kw_only=True):
    """Loyal from `loyal_days` of tenure while use and satisfaction hold; disloyal after steps towards leaving."""

    loyal_days: Positive = 730.0
    steady_from: Share = 0.7
    content_from: Share = 0.4
    asked_days: Positive = 90.0
    drifting_below: Share = 0.4


class MonthlyChurn(Strict, frozen=True, kw_only=True):
    """The share that leaves in a month, by lifecycle."""

    new: Share = 0.03
    growth: Share = 0.02
    mature: Share = 0.012
    decline: Share = 0.08


class LifetimeValue(Strict, frozen=True, kw_only=True):
    """What CLV is made of: margin as a share of spend, discount a month, churn a month."""

    margin: Share = 0.4
    monthly_discount: Share = 0.01
    monthly_churn: MonthlyChurn = MonthlyChurn()


class Needs(Strict, frozen=True, kw_only=True):
    """Mobile data of a month (MB) from which needs are individual rather than basic."""

    individual_mb: Positive = 500.0


class Approval(Strict, frozen=True, kw_only=True):
    """`four_eyes`: whoever proposed a rule set may not approve it."""

    four_eyes: bool = False


class Guard(Strict, frozen=True, kw_only=True):
    """A rule that concerns more than this share of the customers (and at least so many) is held until somebody says yes."""

    share: Annotated[float, Meta(gt=0, le=1)] = 0.2
    at_least: Annotated[int, Meta(ge=1)] = 100


class Settings(Strict, frozen=True, kw_only=True):
    """churn.yaml. Spans of time are microseconds here and `24h` in the file."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    horizon_days: Annotated[int, Meta(ge=1, le=365)] = 30
    lateness: Duration = Duration(24 * HOUR)
    fact_lateness: Duration = Duration(90 * DAY)
    recheck: Duration = Duration(24 * HOUR)
    tick: Duration = Duration(HOUR)
    utc_offset: UtcOffset = UtcOffset(8 * HOUR)
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="a code of three capitals such as CNY")] = "CNY"
    value_class: ValueClasses = ValueClasses()
    lifecycle: Lifecycle = Lifecycle()
    needs: Needs = Needs()
    loyalty: Loyalty = Loyalty()
    rfm: Rfm = Rfm()
    clv: LifetimeValue = LifetimeValue()
    signals: dict[Code, SignalEntry] = field(default_factory=dict)
    tiers: Annotated[tuple[Code, ...], Meta(min_length=1)]
    hold_out: dict[Code, Share] = field(default_factory=dict)
    deadlines: dict[Code, TierDeadlines]
    routing: dict[ValueClass, Identifier]
    capacity: dict[Identifier, Positive] = field(default_factory=dict)
    guard: Guard = Guard()
    approval: Approval = Approval()

    def __post_init__(self) -> None:
        """Raises ValueError for steps of time that are none."""
        for name, least in (("recheck", HOUR), ("tick", MINUTE)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least // MINUTE} minutes")

    def queue(self, value_class: str | None) -> str:
        """The queue of a value class (None: unknown)."""
        return self.routing.get(value_class or "other", self.routing["other"])  # type: ignore[call-overload, no-any-return]

    def hold_out_share(self, tier: str) -> float:
        """The share of a tier's episodes that is held out."""
        return self.hold_out.get(tier, 0.0)


Tag = Literal["contact", "call", "offer", "comparison", "service", "internal"]
"""What kind of action it is, for `policy.yaml`: we turn to the customer; we give or sell something; we compare with other
operators; we help with what the customer has or wants; we do something the customer does not see."""


class Action(Strict, frozen=True, kw_only=True):
    """Something a care agent may do, with its cost in the account's currency and its tags."""

    text: Bilingual
    cost: Annotated[float, Meta(ge=0)] = 0.0
    needs_approval: bool = False
    tags: tuple[Tag, ...] = ()


class CauseEntry(Strict, frozen=True, kw_only=True):
    """A cause's name and what may be done about it; `actions` by tier, the first being tried first."""

    text: Bilingual
    actions: dict[Code, tuple[Code, ...]]


class ActionFile(Strict, frozen=True, kw_only=True):
    """actions.yaml."""

    version: Annotated[int, Meta(ge=1, le=1)]
    actions: dict[Code, Action]
    causes: dict[Cause, CauseEntry]


Hours = tuple[OpenHours, ...]


class Week(Strict, frozen=True, kw_only=True):
    """Working hours of each weekday; an empty list is a day off."""

    monday: Hours
    tuesday: Hours
    wednesday: Hours
    thursday: Hours
    friday: Hours
    saturday: Hours
    sunday: Hours


class HolidayEntry(Strict, frozen=True, kw_only=True):
    """A public holiday, both ends included, and the weekend days worked for it."""

    name: str
    first: dt.date
    last: dt.date
    make_up: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a holiday that ends before it begins, or lasts beyond a month."""
        if not 0 <= (self.last - self.first).days <= 31:
            raise ValueError("`last` must not be before `first`, nor more than a month after it")


class WorkdaysFile(Strict, frozen=True, kw_only=True):
    """workdays.yaml."""

    version: Annotated[int, Meta(ge=1, le=1)]
    week: Week
    make_up_hours: Hours
    holidays: tuple[HolidayEntry, ...] = ()
