"""Who leaves, when and why; and who goes through the same and stays.

Leaving is a hazard that depends on who the customer is (new, prepaid, out of contract, in a weak cell, on a plan that does
not fit, impatient by nature) and on the time of year. Each leaver has a cause out of the ten, a date, a way of leaving and
a level of showing: `plain` (about half), `some`, or `none` (a fifth show nothing before the day). For the causes that
come from outside, the date follows what happens outside: a competitor's offer, a regulation, the end of a contract.
Stayers are drawn in the same manner and live through the same stories. A few leavers are involuntary: they stop paying.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats, Ints, Random, pick
from simulator.catalogue import CAUSES, IOT, STUDENT
from simulator.clock import DAY, HOUR, NEVER, Clock
from simulator.market import Market
from simulator.people import AUTO, FIRM, HOUSEHOLD, People
from simulator.scenario import Scenario

NETWORK, PROCESS, PLAN_FIT, COMPETITOR, PLAN_PRICE, AFTER_SALES, CARE, PERSONAL, REGULATION, ENVIRONMENT = range(10)
CAUSE_WEIGHTS = np.array([16.0, 7.5, 13.0, 16.5, 11.0, 9.5, 8.5, 6.5, 6.5, 8.5])
SHOWN = ("none", "some", "plain")
SHOWN_WEIGHTS = (20.0, 27.0, 53.0)
MANNERS = ("ported", "cancelled", "silent", "arrears")
ARREARS_STORY_DAYS = 85  # a last unpaid bill, its due date, the suspension and the closing


@dataclass(frozen=True, slots=True)
class Fate:
    """One story: from day `begins` to the moment `ends`. `leaves` False is a stayer; `cause` indexes CAUSES, -1 unknown."""

    who: int
    begins: int
    ends: int
    leaves: bool
    voluntary: bool
    cause: int
    shown: str
    manner: str


def draw_fates(
    people: People, weakness: Floats, market: Market, clock: Clock, days: int, scenario: Scenario, random: Random
) -> list[Fate]:
    """Every story of the run, in order of customer. No customer has two."""
    tend = _tendency(people, weakness)
    chance = 1 - np.exp(-scenario.monthly_churn * tend * days / 30)
    drawn = random.random(people.count)
    stay_chance = np.minimum(chance * scenario.stayers_per_leaver, 1 - chance)
    leaves, stays = drawn < chance, (drawn >= chance) & (drawn < chance + stay_chance)
    who = np.flatnonzero(leaves | stays)
    end = _moments(len(who), clock, days, random)
    cause = _causes(people, weakness, who, random)
    shown = pick(random, SHOWN_WEIGHTS, len(who))
    fates = []
    for n, customer in enumerate(who.tolist()):
        leaver = bool(leaves[customer])
        owing = leaver and not people.prepaid[customer] and random.random() < scenario.involuntary_share * 1.7
        moment = _fit_outside(people, market, customer, int(cause[n]), int(end[n]), days, random)
        fate = (
            _arrears(customer, moment)
            if owing
            else _voluntary(
                people, customer, moment, leaver, int(cause[n]), max(int(shown[n]), 0 if leaver else 1), random
            )
        )
        if people.born[customer] + 3 * DAY < moment:
            fates.append(fate)
    return _with_households(fates, people, days, random)


def _tendency(people: People, weakness: Floats) -> Floats:
    """How much likelier than the mean each customer is to leave (mean one)."""
    left = people.contract_end
    tend = np.select([people.tenure < 180, people.tenure < 720, people.tenure > 1800], [1.7, 1.15, 0.65], 0.9)
    tend = tend * np.where(people.prepaid, 1.3, 0.9) * np.where((left > 90) & (left < NEVER), 0.5, 1.0)
    tend *= np.where(people.payer == AUTO, 0.85, 1.1) * np.where(people.misfit != 0, 1.5, 0.95)
    tend *= 1 + 12 * weakness[people.home]
    tend *= np.exp(-0.35 * people.mood)
    tend *= np.where(people.kind == FIRM, 0.7, np.where(people.kind == HOUSEHOLD, 0.8, 1.1))
    tend *= np.where(people.segment == IOT, 0.2, np.where(people.segment == STUDENT, 1.2, 1.0))
    return np.asarray(tend / tend.mean(), dtype=np.float64)


def _moments(count: int, clock: Clock, days: int, random: Random) -> Ints:
    """Moments of leaving in shop hours; more after Spring Festival and in September, fewer in the festival's week."""
    month = np.array([0.95, 0.8, 1.3, 1.05, 1.0, 0.95, 0.95, 1.0, 1.25, 0.95, 0.95, 0.9])
    weights = [month[clock.day(day).month - 1] for day in range(days)]
    day = pick(random, weights, count)
    return np.asarray(day * DAY + random.uniform(9.2, 20.5, count) * HOUR, dtype=np.int64)


def _causes(people: People, weakness: Floats, who: Ints, random: Random) -> Ints:
    """A cause each, likelier where the life of the customer supports it."""
    weights = np.tile(CAUSE_WEIGHTS, (len(who), 1))
    weights[:, NETWORK] *= 0.9 + 25 * weakness[people.home[who]]
    weights[:, PLAN_FIT] *= np.where(people.misfit[who] != 0, 2.5, 0.8)
    weights[:, PLAN_PRICE] *= np.where(people.contract_end[who] < 400, 0.8, 1.1)
    weights[:, COMPETITOR] *= np.where(people.prepaid[who], 1.2, 1.0)
    weights[:, CARE] *= np.where(people.tenure[who] > 720, 1.3, 0.7)
    weights[:, ENVIRONMENT] *= np.where(people.segment[who] == STUDENT, 1.6, 0.9)
    edges = np.cumsum(weights, axis=1)
    drawn = random.random(len(who)) * edges[:, -1]
    return np.asarray(np.minimum((edges <= drawn[:, None]).sum(axis=1), len(CAUSES) - 1), dtype=np.int64)


def _fit_outside(people: People, market: Market, who: int, cause: int, end: int, days: int, random: Random) -> int:
    """Moves the end after the event it follows, when one is near: an offer, a regulation, the end of a contract."""
    day, hour = divmod(end, DAY)
    starts: list[int] = []
    if cause == COMPETITOR:
        starts = market.offers[int(people.region[who])]
    elif cause == REGULATION:
        starts = market.regulations
    if starts:
        near = min(starts, key=lambda start: abs(start + 14 - day))
        day = near + int(random.integers(5, 35)) if abs(near + 14 - day) < 40 else day
    contract = int(people.contract_end[who])
    if cause in (COMPETITOR, CARE, PLAN_FIT, PERSONAL) and 0 < contract - day < 60:
        day = contract + int(random.exponential(6.0))
    return min(day, days - 1) * DAY + hour


def _voluntary(people: People, who: int, end: int, leaves: bool, cause: int, shown: int, random: Random) -> Fate:
    length = int(np.clip(np.exp(random.normal(np.log(32), 0.35)), 14, 75))
    weights = np.array([0.5, 0.32, 0.18])
    if cause in (COMPETITOR, PLAN_PRICE, NETWORK):
        weights *= (1.6, 0.8, 1.0)
    if cause == ENVIRONMENT:
        weights *= (0.4, 1.5, 1.5)
    if people.prepaid[who]:
        weights *= (1.0, 0.5, 2.2)
    if SHOWN[shown] == "none":
        weights[2], length = 0.0, 0
    manner = MANNERS[int(pick(random, weights, 1)[0])]
    return Fate(who, end // DAY - length, end, leaves, True, cause, SHOWN[shown], manner)


def _arrears(who: int, end: int) -> Fate:
    return Fate(who, end // DAY - ARREARS_STORY_DAYS, end, True, False, -1, "plain", "arrears")


def _with_households(fates: list[Fate], people: People, days: int, random: Random) -> list[Fate]:
    """In one household of six where somebody leaves, one more line follows within a few days, showing nothing of its own."""
    taken = {fate.who for fate in fates}
    more = []
    for fate in fates:
        if not fate.leaves or not fate.voluntary or people.kind[fate.who] != HOUSEHOLD or random.random() > 0.16:
            continue
        for other in (fate.who + 1, fate.who - 1):
            end = fate.ends + int(random.uniform(0.1, 5.0) * DAY) // HOUR * HOUR
            same = 0 <= other < people.count and people.account[other] == people.account[fate.who]
            if same and other not in taken and end < days * DAY and people.born[other] < end - 3 * DAY:
                taken.add(other)
                manner = fate.manner if fate.manner != "silent" else "cancelled"
                more.append(Fate(other, end // DAY, end, True, True, fate.cause, "none", manner))
                break
    return sorted(fates + more, key=lambda fate: fate.who)
