"""A small history whose numbers can be worked out by hand.

Ten customers, first seen on 1 January; 60 days; a horizon of 30. Times are local noon (UTC+8).

- 0 was warned on day 10 (watch) and 12 (critical), left on day 20: caught, 10 days ahead, cause as found
- 1 was warned on day 10 and stayed
- 2 left on day 40 unwarned
- 3 was warned on day 50 and nobody knows yet
- 4 was held out on day 10 and left on day 30
- 5 went for arrears on day 15 and came back on day 45
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from events.codes import CAUSES, Kind
from events.columns import EVENT
from rules.ledger import History, Ledger
from rules.outcomes import EpisodeLog, Leaver

OFFSET = 8 * 3_600_000_000
DAY = 86_400_000_000
FIRST = dt.date(2026, 1, 1)
TIERS = ("watch", "warning", "critical")
CAUSE_NAMES = {
    "network": {"en": "Network quality", "zh-CN": "网络质量"},
    "care": {"en": "Lack of care", "zh-CN": "关怀不足"},
}


def noon(day: int) -> int:
    """The µs of local noon, `day` days after 1 January."""
    return ((FIRST - dt.date(1970, 1, 1)).days + day) * DAY + DAY // 2 - OFFSET


def fact(kind: Kind, day: int, **fields: Any) -> np.ndarray:
    event = np.zeros(1, EVENT)
    event["kind"], event["at"], event["clock"] = kind, noon(day), noon(day)
    for name, value in fields.items():
        if name.startswith("x"):
            event["x"][0, int(name[1:])] = value
        else:
            event[name] = value
    return event


def ledger(region: str | None = "north") -> Ledger:
    kept = Ledger(OFFSET)
    kept.began(noon(0))
    for event, customer, where in (
        (fact(Kind.COMPLAINT_OPENED, 5, a=2, b=CAUSES.index("network")), 0, region),
        (fact(Kind.COMPLAINT_RESOLVED, 6, a=1), 0, region),
        (fact(Kind.COMPLAINT_RESOLVED, 7, a=2), 0, region),
        (fact(Kind.COMPLAINT_RESOLVED, 8, a=0), 0, region),
        (fact(Kind.COMPLAINT_OPENED, 33, a=2, b=CAUSES.index("network")), 0, region),
        (fact(Kind.COMPLAINT_OPENED, 34, b=0), 1, None),
        (fact(Kind.SURVEY_ANSWERED, 6, a=0, x0=2, x1=5), 0, region),
        (fact(Kind.SURVEY_ANSWERED, 6, a=1, x0=10, x1=10), 0, region),
        (fact(Kind.SURVEY_ANSWERED, 6, a=1, x0=3, x1=10), 1, region),
        (fact(Kind.SURVEY_ANSWERED, 6, a=1, x0=9, x1=10), 1, region),
        (fact(Kind.CUSTOMER_RETURNED, 45), 5, region),
        (fact(Kind.CARE_CONTACTED, 11), 0, region),
        (fact(Kind.CARE_RESOLVED, 12, a=1), 0, region),
        (fact(Kind.NETWORK_INCIDENT, 9, a=0), 11, None),
        (fact(Kind.NETWORK_INCIDENT, 9, a=1), 11, None),
    ):
        kept.facts(event, np.array([customer], np.int32), [where])
    return kept


def log(rule: str = "usage-collapse", region: str | None = "north") -> EpisodeLog:
    made = EpisodeLog(TIERS)
    for customer, day, out in ((0, 10, False), (1, 10, False), (4, 10, True), (3, 50, False)):
        made.raised(customer, 0, noon(day), out)
        made.fired(customer, rule, noon(day))
        made.described(customer, "network" if customer == 0 else "care", "high", region if customer == 0 else None)
    made.reached(0, 2, noon(12))
    made.fired(0, "complaints", noon(12))
    made.ended(0, noon(20), "churned")
    made.left(Leaver(0, noon(20), True, True, "network"))
    made.left(Leaver(2, noon(40), True, True, "care"))
    made.left(Leaver(4, noon(30), True))
    made.left(Leaver(5, noon(15), True, False))
    return made


def history(**said: Any) -> History:
    first_seen = np.full(12, noon(0))
    first_seen[10:] = 0  # a cell and a market are nobody
    return History(log(**said), ledger(said.get("region", "north")), first_seen, noon(59), 30)
