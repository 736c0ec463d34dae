"""The ten stories: what a customer goes through in the weeks before leaving (or before thinking better of it).

A story is a list of beats. A beat has a stretch of the story (0 its begin, 1 its end), a chance for those who show
plainly (those who show `some` have two fifths of it), and an act. Leavers and stayers live the same beats; only the end
differs. Use fades along the way (see moods.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.catalogue import CAUSES, DATA_YUAN_PER_GB, PLANS
from simulator.clock import DAY, HOUR
from simulator.dealings import ask, change_plan, complain, contact, deed_for, profile, query_porting
from simulator.fates import Fate
from simulator.state import ACTIVE, FRAUD, REQUEST, World

Act = Callable[[World, Fate, int], None]


@dataclass(frozen=True, slots=True)
class Beat:
    """An act between two parts of a story, with its chance for a plain one.

    One that `lasts` is still true on the first day when the story began before the run.
    """

    since: float
    until: float
    chance: float
    act: Act
    lasts: bool = False


def grumble(low: int, high: int, *courses: str) -> Act:
    """A complaint about the story's cause, of a severity between two grades, taking one of the courses."""

    def act(world: World, fate: Fate, ms: int) -> None:
        course = courses[int(world.random.integers(0, len(courses)))]
        if not fate.leaves and world.random.random() < 0.35:
            course = "solved"
        severity = int(world.random.integers(low, high + 1))
        complain(world, fate.who, ms, CAUSES[fate.cause], severity, course, angry=True)

    return act


def call(purpose: str, smooth: bool = False) -> Act:
    """A contact with us."""
    return lambda world, fate, ms: contact(world, fate.who, ms, purpose, smooth)


def answer(survey: str) -> Act:
    """A survey answered with the story in mind."""
    return lambda world, fate, ms: ask(world, fate.who, ms, survey, CAUSES[fate.cause])


def hurt(low: float, high: float) -> Act:
    """From now on calls drop and data fail for this customer, more than the cell explains (bad indoor coverage)."""

    def act(world: World, fate: Fate, _ms: int) -> None:
        world.pain[fate.who] = world.random.uniform(low, high)

    return act


def outgrow(low: float, high: float) -> Act:
    """Use per session changes by a factor, out of proportion to the plan."""

    def act(world: World, fate: Fate, _ms: int) -> None:
        people, who = world.people, fate.who
        near = people.allow_mb[who] / 30.4 / max(float(people.mb[who]), 1.0)
        tiny = people.misfit[who] < 0 or (people.misfit[who] == 0 and world.random.random() < 0.35)
        world.volume[who] = near * world.random.uniform(0.03, 0.15) if tiny else near * world.random.uniform(low, high)

    return act


def raise_fee(low: float, high: float) -> Act:
    """The price of the customer's plan goes up: a discount ended."""

    def act(world: World, fate: Fate, ms: int) -> None:
        fee = round(float(world.people.fee[fate.who] * (1 + world.random.uniform(low, high))))
        change_plan(world, fate.who, ms, int(world.people.plan[fate.who]), "operator", float(fee))

    return act


def second_sim(world: World, fate: Fate, ms: int) -> None:
    """A telephone with room for another operator's card."""
    world.tell(
        ms,
        fate.who,
        "device.changed",
        source="device_db",
        model=f"duo-{int(world.random.integers(1, 9))}",
        supports_5g=True,
        dual_sim=True,
    )


def neglect(world: World, fate: Fate, _ms: int) -> None:
    """Nobody calls this customer any more."""
    world.loyal_care[fate.who] = False


def block(world: World, fate: Fate, ms: int) -> None:
    """The line is stopped until the customer proves who they are; a few days later it is back."""
    if world.suspend(fate.who, ms, FRAUD):
        back = ms + int(world.random.uniform(0.4, 5) * DAY)
        world.agenda.at(back, lambda at: world.resume(fate.who, at, FRAUD))


def pause(world: World, fate: Fate, ms: int) -> None:
    """The customer has the line stopped for a while."""
    if world.suspend(fate.who, ms, REQUEST):
        back = ms + int(world.random.uniform(4, 15) * DAY)
        world.agenda.at(back, lambda at: world.resume(fate.who, at, REQUEST))


def roam_away(world: World, fate: Fate, _ms: int) -> None:
    """The customer lives elsewhere now: another cell."""
    cells = world.cells.by_region[int(world.random.integers(0, len(world.cells.by_region)))]
    place = int(cells[int(world.random.integers(0, len(cells)))])
    world.people.home[fate.who] = world.people.work[fate.who] = place


def no_calls(world: World, fate: Fate, ms: int) -> None:
    """The customer wants to be left alone."""
    profile(world, fate.who, ms, do_not_contact=["call", "sms"])


def stop_paying(world: World, fate: Fate, _ms: int) -> None:
    """No more top-ups; for those with bills nothing changes."""
    if world.people.prepaid[fate.who]:
        world.pays[fate.who] = False


def enquire(world: World, fate: Fate, ms: int) -> None:
    """Asks whether the number may be taken along."""
    query_porting(world, fate.who, ms)


STORIES: dict[str, tuple[Beat, ...]] = {
    "network": (
        Beat(0.0, 0.15, 0.95, hurt(0.06, 0.3), lasts=True),
        Beat(0.15, 0.6, 0.75, grumble(2, 3, "poor", "reopened", "solved")),
        Beat(0.4, 0.9, 0.5, grumble(2, 4, "ignored", "poor")),
        Beat(0.2, 0.9, 0.5, call("fault")),
        Beat(0.3, 0.95, 0.35, answer("csat")),
        Beat(0.5, 0.98, 0.3, answer("nps")),
    ),
    "process": (
        Beat(0.0, 0.3, 0.85, call("plan_change")),
        Beat(0.2, 0.6, 0.8, call("plan_change")),
        Beat(0.4, 0.9, 0.7, call("ownership")),
        Beat(0.5, 0.95, 0.5, call("password")),
        Beat(0.3, 0.9, 0.6, grumble(1, 3, "poor", "ignored", "reopened")),
        Beat(0.4, 0.95, 0.5, answer("ces")),
    ),
    "plan_fit": (
        Beat(0.0, 0.1, 0.95, outgrow(1.2, 1.9), lasts=True),
        Beat(0.3, 0.9, 0.6, call("plan_enquiry", smooth=True)),
        Beat(0.4, 0.95, 0.65, grumble(1, 2, "poor", "solved", "ignored")),
        Beat(0.5, 0.98, 0.3, answer("nps")),
        Beat(0.5, 0.95, 0.3, call("usage_enquiry", smooth=True)),
    ),
    "competitor_price": (
        Beat(0.2, 0.8, 0.5, grumble(1, 2, "solved", "ignored", "poor")),
        Beat(0.2, 0.9, 0.45, call("price_enquiry", smooth=True)),
        Beat(0.2, 0.7, 0.25, second_sim),
        Beat(0.4, 0.95, 0.35, answer("nps")),
        Beat(0.5, 0.97, 0.55, enquire),
        Beat(0.6, 0.9, 0.2, no_calls),
    ),
    "plan_price": (
        Beat(0.0, 0.2, 0.97, raise_fee(0.12, 0.5)),
        Beat(0.2, 0.8, 0.7, grumble(2, 3, "poor", "ignored", "reopened")),
        Beat(0.2, 0.9, 0.5, call("bill_enquiry")),
        Beat(0.4, 0.95, 0.35, answer("nps")),
        Beat(0.6, 0.97, 0.3, enquire),
    ),
    "after_sales": (
        Beat(0.0, 0.2, 0.95, grumble(2, 3, "reopened", "regulator", "poor")),
        Beat(0.1, 0.5, 0.7, call("repair")),
        Beat(0.4, 0.8, 0.6, grumble(3, 4, "ignored", "reopened", "regulator")),
        Beat(0.5, 0.9, 0.5, call("repair")),
        Beat(0.4, 0.95, 0.5, answer("csat")),
    ),
    "care": (
        Beat(0.0, 0.05, 0.9, neglect, lasts=True),
        Beat(0.1, 0.6, 0.6, call("callback")),
        Beat(0.4, 0.9, 0.5, call("callback")),
        Beat(0.2, 0.8, 0.75, grumble(1, 3, "ignored", "ignored", "poor")),
        Beat(0.4, 0.95, 0.5, answer("nps")),
    ),
    "personal": (
        Beat(0.0, 0.5, 0.75, call("special_request")),
        Beat(0.3, 0.9, 0.6, call("special_request")),
        Beat(0.2, 0.9, 0.65, grumble(1, 2, "poor", "ignored")),
        Beat(0.5, 0.95, 0.35, answer("csat")),
    ),
    "regulation": (
        Beat(0.0, 0.3, 0.6, block),
        Beat(0.05, 0.5, 0.7, call("identity_check")),
        Beat(0.2, 0.8, 0.75, grumble(2, 4, "poor", "regulator", "ignored")),
        Beat(0.4, 0.95, 0.35, answer("ces")),
    ),
    "environment": (
        Beat(0.1, 0.4, 0.6, roam_away, lasts=True),
        Beat(0.1, 0.8, 0.5, call("address_change", smooth=True)),
        Beat(0.2, 0.9, 0.55, grumble(1, 2, "solved", "poor")),
        Beat(0.4, 0.7, 0.15, pause),
        Beat(0.3, 0.9, 0.3, stop_paying, lasts=True),
    ),
}


def begin(world: World, fate: Fate) -> None:
    """Files the beats of a story on the agenda; those before the run's begin are not called unless they last."""
    if fate.cause < 0 or fate.shown == "none":
        return
    random, share = world.random, 1.0 if fate.shown == "plain" else 0.4
    start = fate.begins * DAY
    length = fate.ends - start - 3 * HOUR
    for beat in STORIES[CAUSES[fate.cause]]:
        if random.random() > beat.chance * share:
            continue
        at = start + int(length * random.uniform(beat.since, beat.until))
        at = max(at // DAY * DAY + int(random.uniform(8.5, 21.5) * HOUR), start)
        act = beat.act
        at = HOUR if at < 0 and beat.lasts else at
        if at < fate.ends:
            world.agenda.at(at, deed_for(world, fate.who, lambda ms, act=act: act(world, fate, ms)))  # type: ignore[misc]
    if world.people.prepaid[fate.who] and random.random() < 0.5 * share:
        world.agenda.at(start + int(length * 0.6), lambda ms: stop_paying(world, fate, ms))


def fitting_plan(world: World, who: int) -> int:
    """The cheapest plan of the same kind for what the customer uses (a stayer finds it in the end)."""
    people = world.people
    current = PLANS[int(people.plan[who])]
    need = people.mb[who] * world.volume[who] * 30.4

    def cost(number: int) -> float:
        plan = PLANS[number]
        return plan.fee + max(0.0, float(need) - plan.data_gb * 1000) / 1000 * DATA_YUAN_PER_GB

    same = [n for n, plan in enumerate(PLANS) if plan.offered == current.offered and plan.pay_mode == current.pay_mode]
    return min(same, key=cost)


def settle(world: World, fate: Fate, ms: int) -> None:
    """A stayer's end: what hurt is over."""
    who = fate.who
    if fate.cause == CAUSES.index("plan_fit") and world.status[who] == ACTIVE:
        better = fitting_plan(world, who)
        if better != world.people.plan[who]:
            change_plan(world, who, ms, better, "customer")
    world.pain[who], world.gloom[who] = 0.0, 0.0
    world.loyal_care[who] = world.pays[who] = True
