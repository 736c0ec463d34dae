"""What customers and the operator do with each other: complaints and their course, contacts, surveys, porting, plans.

Each function tells facts of one customer at one moment and files what follows later on the agenda. Whoever has left by
then does nothing more: every deed checks that first.
"""

from __future__ import annotations

import numpy as np

from simulator.agenda import Deed
from simulator.catalogue import CAUSES, PLANS
from simulator.clock import DAY, HOUR, NEVER
from simulator.state import World
from simulator.words import complaint, remark

CHANNELS = ("hotline", "app", "store", "wechat", "web")
CATEGORY = {  # the words agents file complaints under; what customers say and what agents tick differ at times
    "network": "network",
    "process": "process",
    "plan_fit": "plan",
    "competitor_price": "price",
    "plan_price": "billing",
    "after_sales": "after_sales",
    "care": "service",
    "personal": "request",
    "regulation": "regulation",
    "environment": "other",
    "other": "enquiry",
}
TOPIC = {
    "network": "network",
    "process": "process",
    "plan_fit": "price",
    "competitor_price": "competitor",
    "plan_price": "price",
    "after_sales": "service",
    "care": "service",
    "personal": "service",
    "regulation": "process",
    "environment": None,
    "other": None,
}
DEADLINE_DAYS = (7, 3, 2, 1)  # by severity 1 … 4


def _later(ms: int, days: float) -> int:
    """A moment in office hours about so many days later."""
    later = ms + int(days * DAY)
    hour = later % DAY // HOUR
    return later if 8 <= hour < 21 else later - later % DAY + 9 * HOUR + later % (8 * HOUR)


def complain(world: World, who: int, ms: int, cause: str, severity: int, course: str, angry: bool = False) -> None:
    """Opens a complaint; `course` is solved, poor (resolved, not satisfied), reopened, regulator or ignored."""
    if not world.here(who, ms):
        return
    random, number = world.random, f"k{world.number('complaint'):07d}"
    chinese = bool(world.people.chinese[who])
    filed = CATEGORY[cause] if random.random() < 0.6 else None
    world.tell(
        ms,
        who,
        "complaint.opened",
        source="crm",
        complaint_id=number,
        channel=CHANNELS[int(random.integers(0, 5))],
        category=filed,
        severity=severity if random.random() < 0.85 else None,
        text=complaint(cause, chinese, float(world.people.fee[who]), angry, random) if random.random() < 0.9 else None,
        language=("zh-CN" if chinese else "en") if random.random() < 0.5 else None,
    )
    _follow(world, who, ms, number, severity, course, cause)


def _follow(world: World, who: int, ms: int, number: str, severity: int, course: str, cause: str) -> None:
    """The rest of a complaint's life."""
    random = world.random
    first = _later(ms, float(random.uniform(0.1, 1.5)))
    due = world.clock.stamp(ms // 1000 * 1000 + DEADLINE_DAYS[severity - 1] * DAY)
    if course != "ignored":
        _update(world, who, first, number, "handled", due_at=due)
    end = _later(first, float(random.uniform(0.3, 2.5)))
    if course == "solved":
        _resolve(world, who, end, number, bool(random.random() < 0.88), cause)
    elif course == "poor":
        _resolve(world, who, _later(end, 2.0), number, False, cause)
    elif course == "reopened":
        _resolve(world, who, end, number, False, cause)
        again = _later(end, float(random.uniform(0.5, 4)))
        _update(world, who, again, number, "reopened", severity=min(4, severity + 1))
        if random.random() < 0.5:
            _resolve(world, who, _later(again, float(random.uniform(1, 6))), number, bool(random.random() < 0.4), cause)
    elif course == "regulator":
        up = _later(end, float(random.uniform(1, 5)))
        _update(world, who, up, number, "escalated", severity=min(4, severity + 1))
        _update(world, who, _later(up, float(random.uniform(1, 6))), number, "regulator", severity=4)


def _update(world: World, who: int, ms: int, number: str, status: str, **fields: object) -> None:
    def deed(at: int) -> None:
        if world.here(who, at):
            world.tell(at, who, "complaint.updated", source="crm", complaint_id=number, status=status, **fields)

    world.agenda.at(ms, deed)


def _resolve(world: World, who: int, ms: int, number: str, satisfied: bool, cause: str) -> None:
    def deed(at: int) -> None:
        if not world.here(who, at):
            return
        asked = world.random.random() < 0.75
        world.tell(
            at, who, "complaint.resolved", source="crm", complaint_id=number, satisfied=satisfied if asked else None
        )
        if world.random.random() < 0.35:
            ask(world, who, _later(at, 0.3), "csat", cause if not satisfied else "good", number)

    world.agenda.at(ms, deed)


def ask(world: World, who: int, ms: int, survey: str, about: str, complaint_id: str | None = None) -> None:
    """Files a survey's answer; `about` is a cause, `good`, or `other` when nothing special is on the customer's mind."""

    def deed(at: int) -> None:
        if not world.here(who, at):
            return
        random = world.random
        bad = about in CAUSES
        feeling = 0.5 * world.people.mood[who] - 1.5 * world.gloom[who] + 0.7 * random.normal() - 0.9 * bad + 0.5
        low, high, middle, width = {"csat": (1, 5, 3.9, 0.9), "nps": (0, 10, 7.4, 1.9), "ces": (1, 7, 5.2, 1.2)}[survey]
        text = about if bad else ("good" if feeling > 0.6 else "other")
        world.tell(
            at,
            who,
            "survey.answered",
            source="survey",
            survey=survey,
            score=int(np.clip(round(middle + width * feeling), low, high)),
            scale_max=high if random.random() < 0.3 else None,
            topic=TOPIC.get(about) if random.random() < 0.7 else None,
            complaint_id=complaint_id,
            text=remark(text, bool(world.people.chinese[who]), random) if random.random() < 0.3 else None,
        )

    world.agenda.at(ms, deed)


def contact(world: World, who: int, ms: int, purpose: str, smooth: bool) -> None:
    """The customer turns to us; not smooth means waiting, being passed on, many steps, and mostly no solution."""
    if not world.here(who, ms):
        return
    random = world.random
    world.tell(
        ms,
        who,
        "contact.recorded",
        source="contact_centre",
        channel=CHANNELS[int(random.integers(0, 3))],
        direction="in",
        purpose=purpose,
        wait_seconds=int(random.exponential(60 if smooth else 700)),
        transfers=int(random.poisson(0.2 if smooth else 2.2)),
        steps=int(2 + random.poisson(1 if smooth else 6)),
        resolved=bool(random.random() < (0.9 if smooth else 0.15)),
    )


def query_porting(world: World, who: int, ms: int) -> None:
    """The customer asks whether the number may be taken along."""
    if not world.here(who, ms):
        return
    blockers = []
    if ms // DAY < world.people.contract_end[who] < NEVER:
        blockers.append("contract")
    if world.status[who] != 0:
        blockers.append("arrears")
    world.tell(ms, who, "porting.queried", source="npc", eligible=not blockers, blockers=blockers or None)


def request_porting(world: World, who: int, ms: int, end: int, result: str) -> None:
    """A port-out code, good for an hour, and what becomes of it at `end`."""
    if not world.here(who, ms):
        return
    world.tell(ms, who, "porting.requested", source="npc", expires_at=world.clock.stamp(ms + HOUR))

    def deed(at: int) -> None:
        if world.here(who, at):
            world.tell(at, who, "porting.ended", source="npc", result=result)

    world.agenda.at(end, deed)


def change_plan(world: World, who: int, ms: int, plan: int, by: str, fee: float | None = None) -> None:
    """Moves a customer to a plan (or another fee of the same plan) and says so."""
    if not world.here(who, ms):
        return
    people = world.people
    before, fee_before = PLANS[int(people.plan[who])].code, world.money(people.fee[who])
    people.set_plan(who, plan, fee)
    world.tell(
        ms,
        who,
        "plan.changed",
        source="billing",
        to_plan=PLANS[plan].code,
        from_plan=before,
        fee_before=fee_before,
        fee_after=world.money(people.fee[who]),
        initiated_by=by,
    )


def profile(world: World, who: int, ms: int, **fields: object) -> None:
    """A change in what the CRM knows of a customer."""
    if world.here(who, ms):
        world.tell(ms, who, "customer.profiled", source="crm", **fields)


def deed_for(world: World, who: int, action: Deed) -> Deed:
    """The action, done only while the customer is here."""

    def deed(at: int) -> None:
        if world.here(who, at):
            action(at)

    return deed
