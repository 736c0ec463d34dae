"""An incident as it goes out: one for all whom it concerns (contract, section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST_LISTED: Final = 10_000
"""Affected customers listed by id; `customers` counts all."""
REGION, CELL, PLAN, EVERYWHERE = "region:", "cell:", "plan:", "all"
_ID_BYTES: Final = 12


class IncidentStatus(StrEnum):
    """Where an incident stands after a revision."""

    OPENED = "opened"
    UPDATED = "updated"
    REOPENED = "reopened"
    RESOLVED = "resolved"


class IncidentKind(StrEnum):
    """What is watched."""

    NETWORK = "network"
    BILLING = "billing"
    CHURN_PEAK = "churn_peak"


class Incident(Struct, frozen=True):
    """One revision. `started_at` is RFC 3339, `scope` is `cell:<id>`, `region:<name>`, `plan:<name>` or `all`.

    `customers` counts those affected, `high_value` those of them of high value; `customer_ids` lists the first
    MOST_LISTED. A later revision replaces the ones before.
    """

    incident_id: str
    revision: int
    status: IncidentStatus
    kind: IncidentKind
    scope: str
    started_at: str
    customers: int
    customer_ids: Sequence[str]
    high_value: int
    suggested_notice: dict[str, str]
    versions: dict[str, str]


class Known(Struct):
    """An incident as the watches remember it; times in µs. `notice_at`: when the newest revision was decided."""

    kind: str
    scope: str
    started_at: int
    revision: int = 0
    resolved: bool = False
    over_at: int = 0
    customers: int = 0
    high_value: int = 0

    @property
    def incident_id(self) -> str:
        """A function of kind, scope and start, so that delivering twice is harmless."""
        text = f"{self.kind}\0{self.scope}\0{self.started_at}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=_ID_BYTES).hexdigest()


def place_of(scope: str) -> dict[str, str]:
    """The scope in words."""
    if scope.startswith(CELL):
        return {"en": f"the area of cell {scope[len(CELL) :]}", "zh-CN": f"基站{scope[len(CELL) :]}覆盖区域"}
    if scope.startswith(REGION):
        return {"en": f"the region {scope[len(REGION) :]}", "zh-CN": f"{scope[len(REGION) :]}地区"}
    if scope.startswith(PLAN):
        return {"en": f"plan {scope[len(PLAN) :]}", "zh-CN": f"套餐{scope[len(PLAN) :]}"}
    return {"en": "all regions", "zh-CN": "全部地区"}


_TEXTS: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("network", "open"): {
        "en": "We know of a network fault in {place} since {start}. Our engineers are working on it; you need not "
        "report it. We apologise, and will tell you when service is back.",
        "zh-CN": "自{start}起,{place}出现网络故障,工程师正在抢修,您无需再次报障。给您带来不便深表歉意,恢复后我们会第一时间通知您。",
    },
    ("network", "resolved"): {
        "en": "The network fault in {place} that began at {start} is repaired. If anything still does not work, please "
        "tell us. We apologise for the trouble.",
        "zh-CN": "{place}自{start}起的网络故障已修复。如仍有异常请与我们联系,给您带来不便深表歉意。",
    },
    ("billing", "open"): {
        "en": "Bills issued in {place} since {start} may be wrong. We are checking them; please do not pay a sum that "
        "looks wrong before you hear from us. You need not complain, and no late fee will be charged meanwhile.",
        "zh-CN": "{place}自{start}起出具的账单可能有误,我们正在核查。金额异常的账单请暂缓缴纳,核查期间不收滞纳金,您无需投诉,结果将主动告知。",
    },
    ("billing", "resolved"): {
        "en": "The check of the bills issued in {place} since {start} is over. Whoever was billed too much gets it back "
        "with the next bill. We apologise for the trouble.",
        "zh-CN": "{place}自{start}起账单的核查已完成,多计费用将在下期账单退还,给您带来不便深表歉意。",
    },
    ("plan", "open"): {
        "en": "Bills of {place} issued since {start} may be wrong. We are checking them; please do not pay a sum that looks "
        "wrong before you hear from us. You need not complain, and no late fee will be charged meanwhile.",
        "zh-CN": "自{start}起出具的{place}账单可能有误,我们正在核查。金额异常的账单请暂缓缴纳,核查期间不收滞纳金,您无需投诉,结果将主动告知。",
    },
    ("plan", "resolved"): {
        "en": "The check of the bills of {place} issued since {start} is over. Whoever was billed too much gets it back with "
        "the next bill. We apologise for the trouble.",
        "zh-CN": "自{start}起{place}账单的核查已完成,多计费用将在下期账单退还,给您带来不便深表歉意。",
    },
    ("churn_peak", "open"): {
        "en": "Unusually many customers of {place} are leaving, or have taken steps to leave, since {start}. For care "
        "and marketing leads: look for a common cause before single customers are contacted.",
        "zh-CN": "自{start}起,{place}离网或有离网动向的客户异常增多。请客户关怀与市场负责人先排查共同原因,再联系个别客户。",
    },
    ("churn_peak", "resolved"): {
        "en": "The number of customers leaving in {place} is back to normal; the peak began at {start}.",
        "zh-CN": "{place}离网客户数已恢复正常水平,高峰始于{start}。",
    },
}


def notice(kind: str, scope: str, start: str, *, resolved: bool) -> dict[str, str]:
    """What may be told to those affected (of a churn peak: to care leads); `start` as people write a time."""
    place = place_of(scope)
    about = "plan" if scope.startswith(PLAN) else kind
    texts = _TEXTS[about, "resolved" if resolved else "open"]
    return {language: text.format(place=place[language], start=start) for language, text in texts.items()}
