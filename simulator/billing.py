"""Bills and payments of postpaid customers, and tariff rounds at everybody's cycle day.

A bill is the plan's fee, what went over the allowances (capped), and extras (roaming, international, one-off charges).
It is due fifteen days later. People pay by habit: automatically, promptly, casually or sloppily, and at times run into
trouble; twenty days after a missed due date the line is suspended, and comes back with the payment.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Bools, Floats, Ints, Random, pick
from simulator.catalogue import DATA_YUAN_PER_GB, OVERAGE_CAP, PLANS, VOICE_YUAN_PER_MINUTE
from simulator.clock import DAY, HOUR, NEVER
from simulator.dealings import change_plan, complain
from simulator.people import AUTO, CASUAL, PROMPT
from simulator.state import ACTIVE, ARREARS, Fact, World

CYCLE_DAYS = (1, 5, 8, 12, 16, 20, 24, 27)
DUE_DAYS, GRACE_DAYS, OPEN_BILLS = 15, 20, 4
METHODS = ("direct_debit", "app", "wechat_pay", "alipay", "bank", "cash")


class Billing:
    """`used_mb` and `used_seconds` since the last bill, `extra` yuan to bill, and each customer's open bills."""

    def __init__(self, world: World, random: Random) -> None:
        count = world.people.count
        self.cycle: Ints = np.array(CYCLE_DAYS)[random.integers(0, len(CYCLE_DAYS), count)]
        elapsed = (world.clock.day(0).day - self.cycle) % 30
        elapsed[world.people.born >= 0] = 0
        self.used_mb: Floats = world.people.mb * elapsed
        self.used_seconds: Floats = world.people.seconds * elapsed
        self.extra: Floats = np.zeros(count)
        self.open_amount: Floats = np.zeros((OPEN_BILLS, count))
        self.open_day: Ints = np.full((OPEN_BILLS, count), -1, dtype=np.int64)
        self.pay_day: Ints = np.full(count, NEVER, dtype=np.int64)
        self.method: Ints = np.where(world.people.payer == AUTO, 0, random.integers(1, len(METHODS), count))
        self.raised: Bools = np.zeros((max(1, len(world.market.rounds)), count), dtype=np.bool_)

    def run(self, world: World, day: int, random: Random) -> None:
        """One day of cycle days, bills, payments and suspensions."""
        due = np.flatnonzero(self.cycle == world.clock.day(day).day)
        self._tariff_rounds(world, day, due)
        self._issue(world, day, due, random)
        self._collect(world, day, random)
        self._suspend(world, day, random)

    def _tariff_rounds(self, world: World, day: int, due: Ints) -> None:
        for number, tariff in enumerate(world.market.rounds):
            if not tariff.day <= day < tariff.day + 31:
                continue
            people = world.people
            free = (people.contract_end[due] <= day) | (people.contract_end[due] >= NEVER)
            for who in due[(people.plan[due] == tariff.plan) & free & ~self.raised[number, due]].tolist():
                self.raised[number, who] = True
                fee = float(round(people.fee[who] * (1 + tariff.rise)))
                change_plan(world, who, day * DAY + HOUR // 2 + who % 1_700_000, tariff.plan, "operator", fee)
                if world.random.random() < 0.03:
                    ms = day * DAY + int(world.random.uniform(9, 20) * HOUR)
                    world.agenda.at(
                        ms + DAY,
                        lambda at, who=who: complain(  # type: ignore[misc]
                            world, who, at, "plan_price", 2, "poor"
                        ),
                    )

    def _issue(self, world: World, day: int, due: Ints, random: Random) -> None:
        people = world.people
        ms = (day * DAY + random.uniform(1.2, 6.0, len(due)) * HOUR).astype(np.int64)
        mine = ~people.prepaid[due] & world.served(due, ms)
        who, ms = due[mine], ms[mine]
        overage = self.overage(world, who)
        once = np.where(random.random(len(who)) < 0.012, np.round(random.uniform(30, 260, len(who))), 0.0)
        extra = np.round(overage + self.extra[who] + once, 2)
        amount = np.round(people.fee[who] + extra, 2)
        self._reset(who)
        self._file(who, day, amount, random, world)
        due_at = world.clock.stamp((day + DUE_DAYS) * DAY + DAY - 1000)
        month = world.clock.day(day).strftime("%y%m%d")
        for w, at, total, more in zip(who.tolist(), ms.tolist(), amount.tolist(), extra.tolist(), strict=True):
            body = (
                f',"source":"billing","bill_id":"b{month}-{w}","amount":{total},"currency":"CNY",'
                f'"plan_fee":{round(float(people.fee[w]), 2)},"overage":{more},"due_at":"{due_at}"'
            )
            world.facts.append(Fact(at, "bill.issued", world.subject[w], body))

    def overage(self, world: World, who: Ints) -> Floats:
        """Yuan owed for use above the allowances, so far in the cycle."""
        people = world.people
        data = np.maximum(self.used_mb[who] - people.allow_mb[who], 0) / 1000 * DATA_YUAN_PER_GB
        voice = np.maximum(self.used_seconds[who] - people.allow_seconds[who], 0) / 60 * VOICE_YUAN_PER_MINUTE
        return np.asarray(np.minimum(data + voice, OVERAGE_CAP * people.fee[who]), dtype=np.float64)

    def _reset(self, who: Ints) -> None:
        self.used_mb[who] = self.used_seconds[who] = self.extra[who] = 0.0

    def _file(self, who: Ints, day: int, amount: Floats, random: Random, world: World) -> None:
        """Puts the new bills into the first free slot (the last one when all are taken) and plans their payment."""
        slot = np.minimum((self.open_day[:, who] >= 0).sum(axis=0), OPEN_BILLS - 1)
        self.open_amount[slot, who], self.open_day[slot, who] = amount, day
        payer = world.people.payer[who]
        delay = np.select(
            [payer == AUTO, payer == PROMPT, payer == CASUAL],
            [np.full(len(who), 3), random.integers(1, 10, len(who)), random.integers(7, 20, len(who))],
            random.integers(12, 42, len(who)),
        )
        trouble = random.random(len(who)) < np.array([0.003, 0.01, 0.03, 0.06])[payer]
        delay = np.where(trouble, delay + random.integers(20, 45, len(who)), delay)
        planned = np.where(world.pays[who], day + delay, NEVER)
        kept = (self.pay_day[who] < NEVER) & (self.pay_day[who] >= day) & world.pays[who]
        self.pay_day[who] = np.where(kept, self.pay_day[who], planned)

    def _collect(self, world: World, day: int, random: Random) -> None:
        """Payments of the day: all open bills of a payer, each its own payment; some direct debits bounce."""
        who = np.flatnonzero(self.pay_day == day)
        who = who[world.pays[who]]
        self.pay_day[who] = NEVER
        times = (day * DAY + random.uniform(7, 22, len(who)) * HOUR).astype(np.int64)
        bounces = random.random(len(who)) < np.where(world.people.payer[who] == AUTO, 0.006, 0.0)
        for w, at, bounced in zip(who.tolist(), times.tolist(), bounces.tolist(), strict=True):
            self._pay(world, w, at, bounced)

    def _pay(self, world: World, who: int, ms: int, bounced: bool) -> None:
        method = METHODS[int(self.method[who])]
        for slot in range(OPEN_BILLS):
            day = int(self.open_day[slot, who])
            if day < 0:
                break
            bill = f"b{world.clock.day(day):%y%m%d}-{who}"
            amount = round(float(self.open_amount[slot, who]), 2)
            world.tell(ms + slot, who, "payment.received", source="billing", amount=amount, bill_id=bill, method=method)
            if bounced:
                world.tell(
                    ms + HOUR + slot,
                    who,
                    "payment.reversed",
                    source="billing",
                    amount=amount,
                    bill_id=bill,
                    method=method,
                )
        if bounced:
            self.pay_day[who] = ms // DAY + 4 + who % 9
            return
        self.open_day[:, who] = -1
        world.resume(who, ms + OPEN_BILLS, ARREARS)

    def _suspend(self, world: World, day: int, random: Random) -> None:
        oldest = self.open_day[0]
        late = (oldest >= 0) & (oldest + DUE_DAYS + GRACE_DAYS < day) & (world.status == ACTIVE)
        for who in np.flatnonzero(late).tolist():
            at = (day + 1) * DAY + int(random.uniform(9, 12) * HOUR)
            world.agenda.at(at, lambda ms, who=who: self._stop_line(world, who, ms))  # type: ignore[misc]

    def _stop_line(self, world: World, who: int, ms: int) -> None:
        if self.open_day[0, who] >= 0:
            world.suspend(who, ms, ARREARS)

    def final_bills(self, world: World, left: list[int], random: Random) -> None:
        """Files the last bill of those who left today: it comes some days later, and most pay it."""
        for who in left:
            if world.people.prepaid[who]:
                continue
            at = int(world.gone[who]) + int(random.uniform(2, 9) * DAY)
            amount = round(float(world.people.fee[who] * random.uniform(0.2, 1.0) + self.extra[who]), 2)
            paid = at + int(random.uniform(2, 20) * DAY) if world.pays[who] and random.random() < 0.75 else None
            self.pay_day[who], self.open_day[:, who] = NEVER, -1
            world.agenda.at(
                at,
                lambda ms, who=who, amount=amount, paid=paid: self._final(  # type: ignore[misc]
                    world, who, ms, amount, paid
                ),
            )

    def _final(self, world: World, who: int, ms: int, amount: float, paid: int | None) -> None:
        bill = f"b{world.clock.day(ms // DAY):%y%m%d}-{who}-final"
        world.tell(
            ms,
            who,
            "bill.issued",
            source="billing",
            bill_id=bill,
            amount=amount,
            currency="CNY",
            due_at=world.clock.stamp(ms // DAY * DAY + DUE_DAYS * DAY),
        )
        if paid is not None:
            world.agenda.at(
                paid,
                lambda at: world.tell(
                    at, who, "payment.received", source="billing", amount=amount, bill_id=bill, method="app"
                ),
            )


def adjust(world: World, who: int, ms: int) -> None:
    """A credit after a complaint about money."""
    if world.here(who, ms) and not world.people.prepaid[who]:
        world.tell(
            ms,
            who,
            "bill.adjusted",
            source="billing",
            bill_id=f"b{world.clock.day(ms // DAY):%y%m}-{who}-credit",
            amount=-float(world.random.integers(5, 40)),
            reason="goodwill",
        )


def other_plan(world: World, who: int, random: Random) -> int:
    """Another plan offered to the same kind of customer in the same pay mode; the present one when there is none."""
    now = PLANS[int(world.people.plan[who])]
    same = [n for n, plan in enumerate(PLANS) if (plan.offered, plan.pay_mode) == (now.offered, now.pay_mode)]
    return same[int(pick(random, [1.0] * len(same), 1)[0])]
