"""Prepaid balances: daily charges, the fee at the cycle day, top-ups when the balance runs low, reports of the balance.

The charging system reports balances every few days; how often follows the scenario, so that billing has its share of the
events. Who does not top up runs into arrears, and the line is suspended until they do.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Floats, Ints, Random
from simulator.billing import Billing
from simulator.clock import DAY, HOUR
from simulator.state import ACTIVE, ARREARS, Fact, World

BILLING_PER_USAGE = 5 / 94
AMOUNTS = np.array([20.0, 30.0, 50.0, 100.0, 200.0])
BILLED_PER_DAY, WALLET_PER_DAY, ONCE = 0.075, 0.12, 1.4  # billing events of a customer besides reports


class Wallet:
    """`balance` in yuan (only that of prepaid customers means anything) and how often it is reported."""

    def __init__(self, world: World, random: Random) -> None:
        people = world.people
        self.balance: Floats = np.round(people.fee * random.uniform(0.2, 1.6, people.count), 2)
        self.who: Ints = np.flatnonzero(people.prepaid)
        share = max(len(self.who) / max(people.count, 1), 0.01)
        wanted = world.scenario.usage_per_day * BILLING_PER_USAGE
        others = ONCE / world.days + BILLED_PER_DAY * (1 - share) + WALLET_PER_DAY * share
        self.every = int(np.clip(round(share / max(wanted - others, 0.01)), 1, 30))

    def run(self, world: World, billing: Billing, day: int, random: Random) -> None:
        """One day of charges, top-ups, suspensions and reports."""
        who, people = self.who, world.people
        today = who[billing.cycle[who] == world.clock.day(day).day]
        today = today[world.served(today, np.full(len(today), day * DAY))]
        self.balance[today] -= people.fee[today] + billing.overage(world, today)
        billing.used_mb[today] = billing.used_seconds[today] = 0.0
        self.balance[who] -= billing.extra[who]
        billing.extra[who] = 0.0
        self._report(world, day, random)
        self._top_up(world, day, random)
        self._suspend(world, day, random)

    def _report(self, world: World, day: int, random: Random) -> None:
        who = self.who[(self.who + day) % self.every == 0]
        ms = (day * DAY + random.uniform(0.1, 5.0, len(who)) * HOUR).astype(np.int64)
        here = world.served(who, ms)
        who, ms = who[here], ms[here]
        balance = np.round(self.balance[who], 2)
        expires = random.random(len(who)) < 0.5
        until = world.clock.stamp((day + 90) * DAY)
        tail = f',"expires_at":"{until}"'
        for w, at, amount, told in zip(who.tolist(), ms.tolist(), balance.tolist(), expires.tolist(), strict=True):
            body = f',"source":"ocs","balance":{amount}{tail if told else ""}'
            world.facts.append(Fact(at, "balance.reported", world.subject[w], body))

    def _top_up(self, world: World, day: int, random: Random) -> None:
        fee = world.people.fee[self.who]
        low = self.balance[self.who] < 0.25 * fee
        able = low & (random.random(len(self.who)) < 0.45) & world.pays[self.who]
        who = self.who[able]
        ms = (day * DAY + random.uniform(7, 23, len(who)) * HOUR).astype(np.int64)
        here = world.present(who, ms)
        who, ms = who[here], ms[here]
        need = world.people.fee[who] * random.choice((0.6, 1.0, 1.0, 2.0), len(who)) - np.minimum(self.balance[who], 0)
        amount = AMOUNTS[np.minimum(np.searchsorted(AMOUNTS, need), len(AMOUNTS) - 1)]
        self.balance[who] += amount
        told = random.random(len(who)) < 0.8
        for w, at, paid, left, tell in zip(
            who.tolist(), ms.tolist(), amount.tolist(), self.balance[who].tolist(), told.tolist(), strict=True
        ):
            world.tell(at, w, "balance.topped_up", source="ocs", amount=paid, balance=round(left, 2) if tell else None)
            world.resume(w, at + 1, ARREARS)

    def _suspend(self, world: World, day: int, random: Random) -> None:
        broke = (self.balance[self.who] < -0.6 * world.people.fee[self.who]) & (world.status[self.who] == ACTIVE)
        for who in self.who[broke].tolist():
            at = (day + 1) * DAY + int(random.uniform(9, 12) * HOUR)
            world.agenda.at(at, lambda ms, who=who: self._stop_line(world, who, ms))  # type: ignore[misc]

    def _stop_line(self, world: World, who: int, ms: int) -> None:
        if self.balance[who] < -0.5 * world.people.fee[who]:
            world.suspend(who, ms, ARREARS)
