"""The customers: who they are, what they bought, how much and when they use it.

Drawn once per run. Customers come in accounts: single persons (no account), households of two to five lines and firms of
three to forty. Habits are lognormal across people, so there are quiet and heavy users; what people use follows the plan
they bought, but about one in five bought a plan that does not fit. Some customers join during the run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Bools, Floats, Ints, Random, pick
from simulator.catalogue import (
    BUSINESS,
    FAMILY,
    IOT,
    PLAN_INDEX,
    PLAN_WEIGHTS,
    PLANS,
    SENIOR,
    STUDENT,
    WORKER,
    YOUTH,
)
from simulator.cells import Cells
from simulator.clock import DAY, NEVER
from simulator.scenario import Scenario

PERSON_SEGMENTS = ((WORKER, 42.0), (YOUTH, 24.0), (STUDENT, 16.0), (SENIOR, 16.0), (IOT, 2.0))
OFFERED = {
    WORKER: "person",
    YOUTH: "person",
    STUDENT: "student",
    SENIOR: "senior",
    FAMILY: "family",
    BUSINESS: "enterprise",
    IOT: "iot",
}
AGES = {
    WORKER: ("25-34", "35-44", "45-54"),
    YOUTH: ("18-24", "25-34"),
    STUDENT: ("18-24",),
    SENIOR: ("55-64", "65+"),
    FAMILY: ("25-34", "35-44", "45-54"),
    BUSINESS: (),
    IOT: (),
}
SALES_CHANNELS = ("store", "app", "partner", "telesales", "campus")
PERSON, HOUSEHOLD, FIRM = range(3)
AUTO, PROMPT, CASUAL, SLOPPY = range(4)  # how bills get paid


@dataclass(slots=True)
class People:
    """One entry per customer in every array; days and milliseconds count from the start of the run.

    `rate` usage records a day, `mb` megabytes and `seconds` of calls on an ordinary day, `allow_mb` and `allow_seconds`
    of the plan per cycle, `fee` yuan a month (changes with the plan), `tenure` days at the start, `born` the moment a
    customer joins (negative: long before), `contract_end` a day or NEVER, `mood` lasting satisfaction (mean 0, sd 1).
    """

    ids: list[str]
    accounts: list[str | None]
    account: Ints
    kind: Ints
    segment: Ints
    region: Ints
    home: Ints
    work: Ints
    plan: Ints
    fee: Floats
    prepaid: Bools
    allow_mb: Floats
    allow_seconds: Floats
    tenure: Ints
    born: Ints
    contract_end: Ints
    term: Ints
    payer: Ints
    rate: Floats
    mb: Floats
    seconds: Floats
    mood: Floats
    chinese: Bools
    broadband: Bools
    sales_channel: Ints
    misfit: Ints

    @property
    def count(self) -> int:
        """How many customers there are, those who join later included."""
        return len(self.ids)

    def set_plan(self, who: int, plan: int, fee: float | None = None) -> None:
        """Moves one customer to another plan (its list price when no fee is given)."""
        chosen = PLANS[plan]
        self.plan[who], self.fee[who] = plan, chosen.fee if fee is None else fee
        self.allow_mb[who], self.allow_seconds[who] = chosen.data_gb * 1000, chosen.minutes * 60


def draw_people(count: int, days: int, cells: Cells, scenario: Scenario, random: Random) -> People:
    """The whole population; about 1.2 % a month of it joins during the run."""
    account, kind, first = _accounts(count, random)
    segment = _segments(kind, random)
    plan = _plans(segment, random)
    home, work = cells.homes(account, scenario.outage, random)
    fit, misfit = _fit(count, random)
    prepaid = np.array([p.pay_mode == "prepaid" for p in PLANS])[plan]
    allow_mb = np.array([p.data_gb * 1000 for p in PLANS])[plan]
    allow_seconds = np.array([p.minutes * 60 for p in PLANS])[plan]
    tenure = np.minimum(random.gamma(1.3, 800.0, count), 6000).astype(np.int64) + 20
    born = _births(count, days, random)
    tenure[born >= 0] = 0
    end, term = _contracts(count, prepaid, segment, born, random)
    return People(
        ids=[f"c{number:07d}" for number in range(count)],
        accounts=[
            None if k == PERSON else f"{'f' if k == FIRM else 'h'}{a:06d}"
            for k, a in zip(kind.tolist(), account.tolist(), strict=True)
        ],
        account=account,
        kind=kind,
        segment=segment,
        region=cells.region[home],
        home=home,
        work=work,
        plan=plan,
        fee=np.array([p.fee for p in PLANS])[plan],
        prepaid=prepaid,
        allow_mb=allow_mb,
        allow_seconds=allow_seconds,
        tenure=tenure,
        born=born,
        contract_end=end,
        term=term,
        payer=pick(random, (55.0, 22.0, 17.0, 6.0), count),
        rate=_rates(count, segment, scenario, random),
        mb=allow_mb / 30.4 * fit,
        seconds=np.maximum(allow_seconds, 300) / 30.4 * fit * _spread(count, 0.4, random),
        mood=random.normal(size=count),
        chinese=random.random(count) < scenario.chinese_share,
        broadband=first & (kind == HOUSEHOLD) & (random.random(count) < 0.7),
        sales_channel=pick(random, (40.0, 25.0, 20.0, 10.0, 5.0), count),
        misfit=misfit,
    )


def _accounts(count: int, random: Random) -> tuple[Ints, Ints, Bools]:
    """Account number and kind of each customer, and whether it is the first line of its account."""
    groups = count + 1
    kind = pick(random, (72.0, 26.0, 2.0), groups)
    sizes = np.where(kind == PERSON, 1, np.where(kind == HOUSEHOLD, random.integers(2, 6, groups), 0))
    firms = kind == FIRM
    sizes[firms] = 3 + np.minimum(random.geometric(0.12, int(firms.sum())), 37)
    account = np.repeat(np.arange(groups), sizes)[:count].astype(np.int64)
    first = np.ones(count, dtype=np.bool_)
    first[1:] = account[1:] != account[:-1]
    return account, kind[account], first


def _segments(kind: Ints, random: Random) -> Ints:
    names = np.array([segment for segment, _ in PERSON_SEGMENTS])
    persons = names[pick(random, [weight for _, weight in PERSON_SEGMENTS], len(kind))]
    chance = random.random(len(kind))
    household = np.where(chance < 0.12, STUDENT, np.where(chance < 0.26, SENIOR, FAMILY))
    firm = np.where(chance < 0.06, IOT, BUSINESS)
    return np.where(kind == PERSON, persons, np.where(kind == HOUSEHOLD, household, firm)).astype(np.int64)


def _plans(segment: Ints, random: Random) -> Ints:
    plan = np.zeros(len(segment), dtype=np.int64)
    for number, group in OFFERED.items():
        mine = np.flatnonzero(segment == number)
        codes = np.array([PLAN_INDEX[code] for code, _ in PLAN_WEIGHTS[group]])
        plan[mine] = codes[pick(random, [weight for _, weight in PLAN_WEIGHTS[group]], len(mine))]
    return plan


def _fit(count: int, random: Random) -> tuple[Floats, Ints]:
    """Use as a share of the allowance, and the misfit: 1 far too small a plan, -1 far too large, 0 fits."""
    misfit = np.array([0, 1, -1])[pick(random, (80.0, 8.0, 12.0), count)]
    usual = np.minimum(np.exp(random.normal(-0.75, 0.4, count)), 1.05)
    over, under = random.uniform(1.15, 1.9, count), random.uniform(0.04, 0.18, count)
    return np.where(misfit == 1, over, np.where(misfit == -1, under, usual)), misfit.astype(np.int64)


def _births(count: int, days: int, random: Random) -> Ints:
    """Moment of joining; an hour of the shops' day for those who join during the run, else long before."""
    joins = random.random(count) < min(0.25, 0.012 * days / 30)
    moment = random.integers(0, max(days, 1), count) * DAY + (random.uniform(9, 20, count) * 3_600_000).astype(np.int64)
    return np.where(joins & (moment > DAY), moment, -NEVER).astype(np.int64)


def _contracts(count: int, prepaid: Bools, segment: Ints, born: Ints, random: Random) -> tuple[Ints, Ints]:
    """Day each running contract ends (NEVER without one) and its term in months."""
    chance = np.where(prepaid, 0.12, np.where(segment == BUSINESS, 0.85, 0.6))
    term = np.array([12, 24, 36])[pick(random, (50.0, 40.0, 10.0), count)]
    left = (random.random(count) * term * 30.4).astype(np.int64)
    end = np.where(born >= 0, born // DAY + term * 365 // 12, left + 1)
    return np.where(random.random(count) < chance, end, NEVER).astype(np.int64), term.astype(np.int64)


def _rates(count: int, segment: Ints, scenario: Scenario, random: Random) -> Floats:
    """Usage records a day: lognormal, quiet things and seniors, busy youth; the mean is the scenario's."""
    lively = np.array([1.0, 1.35, 1.3, 1.0, 0.45, 1.25, 0.5])[segment]
    rate = lively * _spread(count, 0.65, random)
    if scenario.skewed:
        heavy = random.permutation(count)[: max(1, count // 100)]
        light = np.ones(count, dtype=np.bool_)
        light[heavy] = False
        rate[heavy] *= rate[light].sum() / rate[heavy].sum()
    return np.asarray(rate * (scenario.usage_per_day / rate.mean()), dtype=np.float64)


def _spread(count: int, sd: float, random: Random) -> Floats:
    """Lognormal factors with mean one."""
    return np.asarray(np.exp(random.normal(-sd * sd / 2, sd, count)), dtype=np.float64)
