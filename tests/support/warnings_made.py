"""Decisions to put into queues."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, RuleHit, StatusReason, WarningReason

TIERS = ("watch", "warning", "critical")
SAID = {"en": "used 21 % of the usual data", "zh-CN": "流量降至平时的 21 %"}
MINUTE = 60_000


class Clock:
    """Milliseconds UTC that stand still until told."""

    def __init__(self) -> None:
        self.now = 1_767_225_600_000  # 2026-01-01

    def __call__(self) -> int:
        return self.now

    def pass_by(self, milliseconds: int) -> None:
        self.now += milliseconds


def warning(warning_id: str = "w1", revision: int = 1, **changed: Any) -> EarlyWarning:
    """A decision; `ack` and `resolve` are times of 2026-01-01 such as 10:30."""
    for name in ("ack", "resolve"):
        time = changed.pop(name, None)
        if time is not None:
            changed[f"{name}_by"] = f"2026-01-01T{time}:00.000000Z"
    one = EarlyWarning(
        warning_id=warning_id,
        revision=revision,
        status=EpisodeStatus.RAISED if revision == 1 else EpisodeStatus.ELEVATED,
        status_reason=None,
        customer_id=f"customer-{warning_id}",
        account_id=None,
        raised_at="2026-01-01T00:00:00.000000Z",
        decided_at="2026-01-01T00:00:00.000000Z",
        tier="warning",
        risk=0.83,
        horizon_days=30,
        cause="network",
        rules=(RuleHit("usage-collapse", "warning"),),
        reasons=(WarningReason("usage_drop", "network", "data_mb_7d_vs_own", 0.21, 1.0, 0.6, SAID, sayable=True),),
        actions=(
            ProposedAction("visit", {"en": "send an engineer", "zh-CN": "安排上门检测"}, 0.0, needs_approval=False),
        ),
        value_class=None,
        lifecycle=None,
        queue="care",
        ack_by="2026-01-01T10:00:00.000000Z",
        resolve_by="2026-01-02T10:00:00.000000Z",
        held_out=False,
        versions={"engine": "0.1.0", "rules": "abc", "model": "none"},
    )
    return msgspec.structs.replace(one, **changed)


def cleared(warning_id: str = "w1", revision: int = 2, **changed: Any) -> EarlyWarning:
    """The end of an episode."""
    ended = {"status": EpisodeStatus.CLEARED, "status_reason": StatusReason.RISK_FELL}
    return warning(warning_id, revision, **{**ended, **changed})
