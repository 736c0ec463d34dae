"""How stories begin and end: the fading of use, the last days, the leaving itself, and what comes after it."""

from __future__ import annotations

from simulator.catalogue import CAUSES
from simulator.clock import DAY, HOUR, NEVER
from simulator.dealings import query_porting, request_porting
from simulator.fates import Fate
from simulator.moods import Moods
from simulator.state import ACTIVE, World
from simulator.stories import begin, settle
from simulator.words import complaint

GLOOM = {"none": 0.0, "some": 0.5, "plain": 1.0}
RETURN_CHANCE = 0.05


def open_story(world: World, moods: Moods, fate: Fate) -> None:
    """Sets a story going: its mood, its beats, and its end."""
    random, who = world.random, fate.who
    if not fate.voluntary:
        world.pays[who] = False
        moods.fade(fate, floor=float(random.uniform(0.3, 0.9)), power=2.0)
        world.agenda.at(fate.ends, lambda ms: leave(world, fate, ms))
        return
    world.gloom[who] = GLOOM[fate.shown]
    floor = {"none": 1.0, "some": random.uniform(0.6, 0.95), "plain": random.uniform(0.12, 0.6)}[fate.shown]
    if not fate.leaves:
        floor = 1 - (1 - floor) * random.uniform(0.4, 1.0)
    moods.fade(fate, floor=float(floor), power=float(random.choice((1.0, 1.0, 2.0, 4.0))))
    begin(world, fate)
    if fate.leaves:
        _last_days(world, fate)
        world.agenda.at(fate.ends, lambda ms: leave(world, fate, ms))
    else:
        _second_thoughts(world, fate)
        world.agenda.at(fate.ends, lambda ms: settle(world, fate, ms))


def _last_days(world: World, fate: Fate) -> None:
    """The formal steps of a leaver, by manner. Those who show nothing go within the hour."""
    random, who, end = world.random, fate.who, fate.ends
    hidden = fate.shown == "none"
    if fate.manner == "ported":
        if not hidden and random.random() < 0.65:
            asked = end - int(random.uniform(0.8, 12) * DAY)
            world.agenda.at(max(asked, fate.begins * DAY), lambda ms: query_porting(world, who, ms))
        code = end - int(random.uniform(0.15, 0.9) * HOUR)
        world.agenda.at(code, lambda ms: request_porting(world, who, ms, end - 1500, "completed"))
    elif fate.manner == "cancelled":
        notice = end - int((random.uniform(0.1, 0.8) * HOUR) if hidden else (random.uniform(0, 9) * DAY + HOUR))
        world.agenda.at(max(notice, fate.begins * DAY), lambda ms: cancel(world, fate, ms))
    elif fate.manner == "silent":
        stop = max(end - int(random.uniform(7, 21) * DAY), fate.begins * DAY)
        world.mute[who] = stop


def _second_thoughts(world: World, fate: Fate) -> None:
    """What some stayers do that looks like leaving."""
    random, who, end = world.random, fate.who, fate.ends
    late = end - int(random.uniform(0.02, 0.3) * (end - fate.begins * DAY))
    if random.random() < 0.22:
        world.agenda.at(late, lambda ms: query_porting(world, who, ms))
    if random.random() < 0.07:
        result = "expired" if random.random() < 0.6 else "withdrawn"
        life = HOUR if result == "expired" else int(random.uniform(0.1, 0.9) * HOUR)
        world.agenda.at(end - 2 * HOUR, lambda ms: request_porting(world, who, ms, ms + life, result))
    elif random.random() < 0.04:
        world.agenda.at(end - 3 * HOUR, lambda ms: cancel(world, fate, ms))


def cancel(world: World, fate: Fate, ms: int) -> None:
    """A notice of cancellation, with a reason in words or as a code, or none."""
    if not world.here(fate.who, ms):
        return
    cause, chance = CAUSES[fate.cause], world.random.random()
    text = complaint(
        cause, bool(world.people.chinese[fate.who]), float(world.people.fee[fate.who]), False, world.random
    )
    world.tell(
        ms,
        fate.who,
        "cancellation.requested",
        source="crm",
        reason=cause if chance < 0.3 else text if chance < 0.7 else None,
    )


def leave(world: World, fate: Fate, ms: int) -> None:
    """The customer is gone: the line is closed, the outcome told, a last bill to come, perhaps a return."""
    who, random = fate.who, world.random
    if ms >= world.gone[who]:
        return
    world.tell(ms - 1, who, "line.changed", source="crm", status="closed", product="mobile")
    reason = CAUSES[fate.cause] if fate.voluntary and random.random() < 0.7 else None
    rival = random.choice(("unite", "orbit", "telco-b")) if fate.manner == "ported" and random.random() < 0.6 else None
    world.tell(
        ms,
        who,
        "customer.churned",
        source="crm",
        reason=reason,
        manner=fate.manner,
        voluntary=None if fate.voluntary and random.random() < 0.5 else fate.voluntary,
        to_competitor=str(rival) if rival else None,
    )
    world.gone[who] = ms
    world.left.append(who)
    if fate.voluntary and random.random() < RETURN_CHANCE:
        world.agenda.at(ms + int(random.uniform(15, 70) * DAY), lambda at: come_back(world, fate, at))


def come_back(world: World, fate: Fate, ms: int) -> None:
    """A customer won back: everything is open again."""
    who = fate.who
    world.gone[who] = world.mute[who] = NEVER
    world.status[who] = ACTIVE
    world.returned.append(who)
    world.pays[who] = True
    world.pain[who], world.gloom[who] = 0.0, 0.0
    world.held[who], world.freed[who] = fate.ends, ms
    world.tell(ms, who, "customer.returned", source="crm")
    world.tell(ms + 1, who, "line.changed", source="crm", status="active", product="mobile")
