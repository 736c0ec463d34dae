"""What goes out: one object per decision on an episode (contract, section 2)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class EpisodeStatus(StrEnum):
    """Where an episode stands after a decision."""

    RAISED = "raised"
    ELEVATED = "elevated"
    CLEARED = "cleared"
    CLOSED = "closed"


class StatusReason(StrEnum):
    """Why an episode was cleared or closed."""

    RISK_FELL = "risk_fell"
    CHURNED = "churned"
    RESOLVED = "resolved"
    SUSPENDED = "suspended"
    RULE_REMOVED = "rule_removed"
    EXPIRED = "expired"
    POLICY = "policy"
    FORGOTTEN = "forgotten"


class RuleHit(Struct, frozen=True):
    """A rule that holds the episode up."""

    id: str
    tier: str


class WarningReason(Struct, frozen=True):
    """One reason: what was seen, what would be normal, how much it weighs (0 to 1), and how to say it."""

    code: str
    cause: str
    feature: str
    value: float | str | None
    normal: float | None
    weight: float
    text: dict[str, str]
    sayable: bool


class ProposedAction(Struct, frozen=True):
    """Something to do about it."""

    code: str
    text: dict[str, str]
    cost: float
    needs_approval: bool


class EarlyWarning(Struct, frozen=True):
    """One decision. Times are RFC 3339; `risk` is a probability or None; `revision` counts from 1 within an episode."""

    warning_id: str
    revision: int
    status: EpisodeStatus
    status_reason: StatusReason | None
    customer_id: str
    account_id: str | None
    raised_at: str
    decided_at: str
    tier: str
    risk: float | None
    horizon_days: int
    cause: str
    rules: tuple[RuleHit, ...]
    reasons: tuple[WarningReason, ...]
    actions: tuple[ProposedAction, ...]
    value_class: str | None
    lifecycle: str | None
    queue: str
    ack_by: str | None
    resolve_by: str | None
    held_out: bool
    versions: dict[str, str]
