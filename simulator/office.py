"""The office's daily work without any meaning: who joins, contracts, plan and device changes, pauses, moves, lost cards.

At the start every customer is introduced by a `customer.profiled` and their running contracts; newcomers when they join.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Ints, Random
from simulator.billing import adjust, other_plan
from simulator.catalogue import PLANS, REGIONS, SEGMENTS
from simulator.clock import DAY, HOUR, NEVER, OPENING
from simulator.dealings import change_plan, deed_for, profile
from simulator.people import AGES, AUTO, FIRM, PERSON, SALES_CHANNELS
from simulator.state import FRAUD, LOST, REQUEST, Fact, World

MONTHLY = {
    "plan": 0.008,
    "device": 0.012,
    "request": 0.0025,
    "lost": 0.003,
    "fraud": 0.0003,
    "transfer": 0.0002,
    "profile": 0.004,
    "contract": 0.006,
    "adjust": 0.004,
}
KINDS = ("person", "family", "enterprise")


def introduce(world: World, who: int, ms: int, random: Random) -> None:
    """What the operator knows of a customer, and the contract if there is one."""
    people, age = world.people, AGES[int(world.people.segment[who])]
    plan = PLANS[int(people.plan[who])]
    since = world.clock.day(ms // DAY - int(people.tenure[who])) if people.born[who] < 0 else world.clock.day(ms // DAY)
    told = random.random(6).tolist()
    products = ["mobile", "broadband", "tv"][: 1 + int(people.broadband[who]) * (1 + who % 2)]
    world.tell(
        ms,
        who,
        "customer.profiled",
        source="crm",
        since=since.isoformat(),
        region=REGIONS[int(people.region[who])][0],
        segment=SEGMENTS[int(people.segment[who])],
        kind=KINDS[int(people.kind[who])],
        pay_mode=plan.pay_mode,
        plan=plan.code,
        monthly_fee=world.money(people.fee[who]),
        products=products,
        language=("zh-CN" if people.chinese[who] else "en") if told[0] < 0.8 else None,
        age_band=age[who % len(age)] if age and told[1] < 0.85 else None,
        manager=f"m{int(people.account[who]) % 40:02d}" if people.kind[who] == FIRM else None,
        consent={"call": bool(told[2] < 0.8), "sms": bool(told[2] < 0.9), "email": bool(told[3] < 0.5)}
        if told[4] < 0.7
        else None,
        do_not_contact=True if told[5] < 0.01 else None,
        profiling_objected=True if told[5] > 0.995 else None,
        attributes={
            "autopay": bool(people.payer[who] == AUTO),
            "paperless": bool(told[3] < 0.7),
            "sales_channel": SALES_CHANNELS[int(people.sales_channel[who])],
            "lines_in_account": 1 if people.kind[who] == PERSON else int(2 + people.account[who] % 3),
        },
    )
    if people.contract_end[who] < NEVER:
        _sign(world, who, ms, int(people.contract_end[who]), int(people.term[who]))


def _sign(world: World, who: int, ms: int, end: int, term: int) -> None:
    kind = ("plan", "device", "plan", "discount", "broadband")[who % 5]
    world.tell(
        ms,
        who,
        "contract.signed",
        source="crm",
        contract_id=f"s{who}-{end}",
        kind="plan" if kind == "broadband" and not world.people.broadband[who] else kind,
        plan=PLANS[int(world.people.plan[who])].code,
        monthly_fee=world.money(world.people.fee[who]),
        term_months=term,
        ends_at=world.clock.stamp(end * DAY),
        device=f"phone-{who % 23}" if kind == "device" else None,
        penalty=float(100 + who % 7 * 50) if who % 3 else None,
    )


def open_books(world: World, first: int, last: int, random: Random) -> list[Fact]:
    """Introduces those from `first` up to `last` who are customers already: the books of the first minute."""
    world.facts = []
    for who in (first + np.flatnonzero(world.people.born[first:last] < 0)).tolist():
        introduce(world, who, OPENING * who // world.people.count, random)
    return world.facts


def run(world: World, day: int, random: Random) -> None:
    """One day of the office."""
    for who in np.flatnonzero(world.people.born // DAY == day).tolist():
        introduce(world, who, int(world.people.born[who]), random)
    _contracts(world, day, random)
    for kind, share in MONTHLY.items():
        for who in _some(world, share / 30.4, random).tolist():
            ms = (day + 1) * DAY + int(random.uniform(8.5, 20.5) * HOUR)
            world.agenda.at(
                ms,
                deed_for(
                    world,
                    who,
                    lambda at, kind=kind, who=who: _incident(  # type: ignore[misc]
                        world, kind, who, at
                    ),
                ),
            )


def _some(world: World, chance: float, random: Random) -> Ints:
    return np.unique(random.integers(0, world.people.count, random.poisson(world.people.count * chance)))


def _contracts(world: World, day: int, random: Random) -> None:
    """Renewals three weeks before the end (seldom by those who are unhappy), and contracts that end."""
    people = world.people
    for who in np.flatnonzero(people.contract_end == day + 21).tolist():
        ms = day * DAY + int(random.uniform(10, 19) * HOUR)
        if random.random() < (0.6 if world.gloom[who] == 0 else 0.1) and world.here(who, ms):
            people.contract_end[who] += int(people.term[who]) * 365 // 12
            _sign(world, who, ms, int(people.contract_end[who]), int(people.term[who]))
    for who in np.flatnonzero(people.contract_end == day).tolist():
        if world.served(np.array([who]), np.array([day * DAY + 600_000]))[0] and people.born[who] < day * DAY:
            world.tell(day * DAY + 600_000, who, "contract.ended", source="crm", contract_id=f"s{who}-{day}")
            people.contract_end[who] = NEVER


def _incident(world: World, kind: str, who: int, ms: int) -> None:
    """One of the things that happen to anybody."""
    people, random = world.people, world.random
    if kind == "plan" and people.contract_end[who] >= NEVER:
        plan = other_plan(world, who, random)
        if plan != people.plan[who]:
            change_plan(world, who, ms, plan, "customer")
    elif kind == "device":
        world.tell(
            ms,
            who,
            "device.changed",
            source="device_db",
            model=f"phone-{int(random.integers(1, 60))}",
            supports_5g=bool(random.random() < 0.8),
            dual_sim=bool(random.random() < 0.6),
        )
    elif kind in ("request", "lost", "fraud"):
        status = {"request": REQUEST, "lost": LOST, "fraud": FRAUD}[kind]
        length = {"request": 20.0, "lost": 1.5, "fraud": 4.0}[kind] * float(random.uniform(0.3, 1.8))
        if world.suspend(who, ms, status):
            world.agenda.at(ms + int(length * DAY), lambda at: world.resume(who, at, status))
    elif kind == "transfer" and world.gloom[who] == 0 and people.kind[who] == PERSON:
        world.tell(ms, who, "line.changed", source="crm", status="transferred", product="mobile")
        profile(
            world, who, ms + 1, since=world.clock.day(ms // DAY).isoformat(), plan=PLANS[int(people.plan[who])].code
        )
    elif kind == "profile":
        field = ("paperless", "language", "do_not_contact")[int(random.integers(0, 3))]
        if field == "paperless":
            profile(world, who, ms, attributes={"paperless": bool(random.random() < 0.8)})
        else:
            profile(
                world,
                who,
                ms,
                **{field: ("en" if random.random() < 0.3 else "zh-CN") if field == "language" else ["call"]},
            )
    elif kind == "contract" and people.contract_end[who] >= NEVER and world.gloom[who] == 0:
        people.contract_end[who], people.term[who] = ms // DAY + 365, 12
        _sign(world, who, ms, ms // DAY + 365, 12)
    elif kind == "adjust":
        adjust(world, who, ms)
