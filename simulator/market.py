"""What happens around the operator: competitors' offers per region, our own tariff rounds, new regulation, seasons.

Planned once per run and announced as `market.noted` events on the day they begin. Competitors' offers come to each region
every five weeks or so; a tariff round raises the price of one plan for those without a contract, at their next bill.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.arrays import Random
from simulator.catalogue import PLANS, REGIONS
from simulator.clock import DAY, HOUR, Clock
from simulator.seasons import SPRING_FESTIVAL

RIVAL_PLANS = ("unite-39-unlimited", "orbit-29", "orbit-59-family", "telco-b-49-5g", "budget-19", "unite-79-home")


@dataclass(frozen=True, slots=True)
class Notice:
    """One `market.noted`: `region` None means everywhere; begins and ends in milliseconds of the run."""

    kind: str
    region: int | None
    plan: str | None
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class TariffRound:
    """From `day` on, for 31 days, the customers of `plan` are moved to a fee higher by `rise` (a share)."""

    plan: int
    day: int
    rise: float


class Market:
    """The plan of the run; `notices` in order of time, `rounds` of tariffs, `offers` per region and `regulations` as days."""

    def __init__(self, clock: Clock, days: int, random: Random) -> None:
        self.notices: list[Notice] = []
        self.rounds: list[TariffRound] = []
        self.offers: list[list[int]] = [[] for _ in REGIONS]
        self.regulations: list[int] = []
        self._plan_offers(days, random)
        self._plan_rounds(days, random)
        self._plan_regulation(days, random)
        self._plan_seasons(clock, days)
        self.notices.sort(key=lambda notice: notice.begins)

    def _note(self, kind: str, region: int | None, plan: str | None, day: int, length: int, hour: float) -> None:
        begins = day * DAY + int(hour * HOUR)
        self.notices.append(Notice(kind, region, plan, begins, begins + length * DAY))

    def _plan_offers(self, days: int, random: Random) -> None:
        for region in range(len(REGIONS)):
            day = int(random.integers(1, 30))
            while day < days:
                length = int(random.integers(14, 35))
                self._note(
                    "competitor_offer",
                    region,
                    str(random.choice(RIVAL_PLANS)),
                    day,
                    length,
                    float(random.uniform(8, 11)),
                )
                self.offers[region].append(day)
                day += int(random.integers(22, 55))

    def _plan_rounds(self, days: int, random: Random) -> None:
        day = int(random.integers(15, 45))
        while day < days:
            plan = int(random.integers(0, len(PLANS) - 1))
            self.rounds.append(TariffRound(plan, day, float(random.uniform(0.08, 0.2))))
            self._note("tariff", None, PLANS[plan].code, day, 31, 8.0)
            day += int(random.integers(45, 80))

    def _plan_regulation(self, days: int, random: Random) -> None:
        day = int(random.integers(5, 40))
        while day < days:
            self.regulations.append(day)
            self._note("regulation", None, None, day, 45, 9.0)
            day += int(random.integers(60, 110))

    def _plan_seasons(self, clock: Clock, days: int) -> None:
        for day in range(days):
            today = clock.day(day)
            festival = SPRING_FESTIVAL.get(today.year)
            if festival is not None and (festival - today).days == 10:
                self._note("season", None, None, day, 24, 7.5)
            if (today.month, today.day) == (7, 1):
                self._note("season", None, None, day, 62, 7.5)
