"""Small streams of events that reach every event type and every trouble with time, as lines in order of arrival.

A `Moment` is what hypothesis draws and shrinks; `lines` turns moments into JSON. Every choice is an index, so smaller
numbers are plainer events.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from events.contract import TYPE_NAMES

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Seconds between arrivals: equal times, the `for`s of the quick rules to the second, and gaps.
GAPS = (0, 1, 5 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR, DAY, 3 * DAY, 16 * DAY, 95 * DAY)
# How much older than its arrival an event is dated: within and beyond both latenesses.
DELAYS = (0, 30 * MINUTE, 5 * HOUR, 23 * HOUR, 24 * HOUR, 25 * HOUR, 3 * DAY, 80 * DAY, 100 * DAY)
OFTEN = ("usage.recorded", "usage.recorded", "bill.issued", "customer.churned", "customer.returned", "line.changed")
TYPES = (*OFTEN, *TYPE_NAMES)

Fields = dict[str, Any]
Chooser = Callable[[Sequence[Any]], Any]


class Moment(NamedTuple):
    """One arrival: indices into GAPS, customers, TYPES and DELAYS, a seed for the fields, whether it comes twice."""

    gap: int
    who: int
    type: int
    delay: int
    seed: int
    again: bool


def moments(most: int = 40, *, least: int = 1, customers: int = 3) -> st.SearchStrategy[list[Moment]]:
    """Streams of few customers; most events come when they happen, some late."""
    one = st.builds(
        Moment,
        st.sampled_from([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 9]),
        st.integers(0, customers - 1),
        st.integers(0, len(TYPES) - 1),
        st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        st.integers(0, 2**16),
        st.booleans() if most < 20 else st.sampled_from([False] * 9 + [True]),
    )
    return st.lists(one, min_size=least, max_size=most)


def random_moments(seed: int, count: int, *, customers: int = 3, types: Sequence[int] | None = None) -> list[Moment]:
    """A longer stream that hypothesis need not shrink."""
    chance = random.Random(seed)
    return [
        Moment(
            chance.choice([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]),
            chance.randrange(customers),
            chance.choice(types) if types else chance.randrange(len(TYPES)),
            chance.choice([0, 0, 0, 0, 0, 0, 1, 2, 3, 5, 6]),
            chance.randrange(2**16),
            chance.random() < 0.05,
        )
        for _ in range(count)
    ]


def lines(stream: Iterable[Moment]) -> list[bytes]:
    """The stream as JSON lines, in order of arrival."""
    found, clock = [], START
    for number, moment in enumerate(stream, start=1):
        clock += timedelta(seconds=GAPS[moment.gap])
        at = clock - timedelta(seconds=DELAYS[moment.delay])
        line = json.dumps(event(TYPES[moment.type], f"c{moment.who}", at, f"e{number}", moment.seed)).encode()
        found += [line, line] if moment.again else [line]
    return found


def event(kind: str, customer: str, at: datetime, event_id: str, seed: int) -> Fields:
    """One event of a type; the seed chooses its fields."""
    choose = random.Random(seed).choice
    fields: Fields = {"type": kind, "event_id": event_id, "customer_id": customer, "occurred_at": text_of(at)}
    if choose((0, 0, 0, 1)):
        fields["account_id"] = choose(("a1", "a2"))
    if choose((0, 0, 0, 1)):
        fields["source"] = choose(("crm", "ocs"))
    fields |= FIELDS[kind](choose, at)
    return {name: value for name, value in fields.items() if value is not ABSENT}


def text_of(at: datetime) -> str:
    """RFC 3339."""
    return at.isoformat()


ABSENT = object()
IDS = ("i1", "i2", "i3")
YES_NO = (True, False, ABSENT)


def _later(choose: Chooser, at: datetime) -> Any:
    days = choose((None, -1, 0.01, 0.3, 1, 4, 40))
    return ABSENT if days is None else text_of(at + timedelta(days=days))


def _market(choose: Chooser, at: datetime) -> Fields:
    where = choose(("all", "all", "north", "south"))
    return {
        "customer_id": "market:" + where,
        "region": choose((ABSENT, where)),
        "kind": choose(("competitor_offer", "regulation", "tariff", "season")),
        "plan": choose((ABSENT, "p1", "p2", "rival")),
        "starts_at": _later(choose, at),
        "ends_at": _later(choose, at),
    }


def _usage(choose: Chooser, _: datetime) -> Fields:
    services = ("voice", "data", "sms", "mms", "voicemail", "international", "roaming", "broadband", "fixed", "tv",
                "iot", "other", "voice", "data", "data")  # fmt: skip
    return {
        "service": choose(services),
        "count": choose((ABSENT, 1, 2, 0, 5)),
        "seconds": choose((ABSENT, 60, 0.1, 600)),
        "mb": choose((ABSENT, 10, 0.3, 900)),
        "charge": choose((ABSENT, ABSENT, 0.1, 12)),
        "failed": choose((ABSENT, ABSENT, ABSENT, 1)),
        "dropped": choose((ABSENT, ABSENT, ABSENT, 2)),
        "mbps": choose((ABSENT, ABSENT, ABSENT, 30.5)),
        "peer_network": choose((ABSENT, "own", "other")),
        "cell_id": choose((ABSENT, "9", "9", "8")),
    }


def _profile(choose: Chooser, _: datetime) -> Fields:
    return {
        "since": choose((ABSENT, None, "2020-02-29", "2024-02-01")),
        "region": choose((ABSENT, "north", "south", None, "west")),
        "segment": choose((ABSENT, "gold")),
        "kind": choose((ABSENT, "person", "enterprise")),
        "pay_mode": choose((ABSENT, "prepaid", "postpaid", None)),
        "plan": choose((ABSENT, "p1", "p2", None)),
        "monthly_fee": choose((ABSENT, 20, 200, None)),
        "products": choose((ABSENT, ["mobile", "tv"])),
        "profiling_objected": choose((ABSENT, ABSENT, True, False)),
        "do_not_contact": choose((ABSENT, True, ["sms"])),
        "attributes": choose(
            (
                ABSENT,
                {"grade": 3},
                {"grade": "x", "city": "u"},
                {"city": "v"},
                {"city": None, "dog": True},
                {"grade": 7.5},
            )
        ),
    }


FIELDS: dict[str, Callable[[Chooser, datetime], Fields]] = {
    "usage.recorded": _usage,
    "network.incident": lambda c, at: {
        "customer_id": "cell:9", "cell_id": "9", "status": c(("opened", "resolved")), "kind": c((ABSENT, "power"))
    },
    "bill.issued": lambda c, at: {
        "bill_id": c(IDS), "amount": c((30, 31.5, 90, -5, 400)), "overage": c((ABSENT, 20)), "plan_fee": c((ABSENT, 29)),
        "due_at": _later(c, at),
    },
    "bill.adjusted": lambda c, at: {"bill_id": c(IDS), "amount": c((-10, 10))},
    "payment.received": lambda c, at: {"amount": c((30, 500)), "bill_id": c((*IDS, ABSENT))},
    "payment.reversed": lambda c, at: {"amount": c((30, 500)), "bill_id": c((*IDS, ABSENT))},
    "balance.topped_up": lambda c, at: {"amount": c((10, 100)), "balance": c((ABSENT, 3, 110))},
    "balance.reported": lambda c, at: {"balance": c((-2, 3, 50)), "expires_at": _later(c, at)},
    "plan.changed": lambda c, at: {
        "to_plan": c(("p1", "p2")), "fee_before": c((ABSENT, 20)), "fee_after": c((ABSENT, 10, 160)),
        "initiated_by": c((ABSENT, "customer", "operator")),
    },
    "contract.signed": lambda c, at: {
        "contract_id": c((*IDS, ABSENT)), "plan": c((ABSENT, "p2")), "monthly_fee": c((ABSENT, 45)),
        "term_months": c((ABSENT, 12, 0)), "ends_at": _later(c, at), "penalty": c((ABSENT, 100)),
    },
    "contract.ended": lambda c, at: {"contract_id": c((*IDS, ABSENT))},
    "line.changed": lambda c, at: {
        "status": c(("active", "suspended_arrears", "active", "suspended_request", "transferred", "closed")),
        "product": c((ABSENT, ABSENT, "mobile", "tv")),
    },
    "device.changed": lambda c, at: {"supports_5g": c(YES_NO), "dual_sim": c(YES_NO)},
    "customer.profiled": _profile,
    "complaint.opened": lambda c, at: {
        "complaint_id": c(IDS), "severity": c((ABSENT, 1, 2, 3, 4)), "category": c((ABSENT, "billing", "network")),
        "text": c((ABSENT, "no signal")),
    },
    "complaint.updated": lambda c, at: {
        "complaint_id": c(IDS), "status": c(("handled", "reopened", "escalated", "regulator")),
        "severity": c((ABSENT, 4)), "due_at": _later(c, at),
    },
    "complaint.resolved": lambda c, at: {"complaint_id": c(IDS), "satisfied": c(YES_NO)},
    "survey.answered": lambda c, at: {
        "survey": c(("csat", "nps", "ces")), "score": c((0, 1, 4, 10)), "topic": c((ABSENT, "price"))
    },
    "contact.recorded": lambda c, at: {
        "channel": "phone", "direction": c(("in", "out")), "wait_seconds": c((ABSENT, 40)), "transfers": c((ABSENT, 1))
    },
    "porting.queried": lambda c, at: {"eligible": c(YES_NO), "blockers": c((ABSENT, ["debt"]))},
    "porting.requested": lambda c, at: {"expires_at": _later(c, at)},
    "porting.ended": lambda c, at: {"result": c(("completed", "expired", "withdrawn"))},
    "cancellation.requested": lambda c, at: {"reason": c((ABSENT, "too expensive"))},
    "market.noted": _market,
    "customer.noted": lambda c, at: {
        "code": c(("vip", "vip", "CREDIT", "nothing")), "value": c((ABSENT, 1, True, False, "x", 5)), "ends_at": _later(c, at)
    },
    "customer.churned": lambda c, at: {"voluntary": c((ABSENT, True, False)), "reason": c((ABSENT, "network"))},
    "customer.returned": lambda c, at: {},
    "care.contacted": lambda c, at: {"channel": "phone", "purpose": c((ABSENT, "care"))},
    "care.resolved": lambda c, at: {
        "warning_id": "unknown", "outcome": c(("retained", "declined", "do_not_contact", "callback")),
        "offer_cost": c((ABSENT, 9)),
    },
}  # fmt: skip
