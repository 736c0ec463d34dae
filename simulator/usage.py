"""Usage records of a day: first who, when and which service for everybody, then the numbers slice by slice.

A record aggregates a few sessions. How many records a customer makes is Poisson around habit × season × mood; what is in
them scales so that a day's volume stays the customer's own whatever the number of records. Attempts fail and calls drop
by the weakness of the cell, faults at that quarter of an hour, and the pain of a story; in a total outage nearly all
records vanish and the rest are attempts that only failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Bools, Floats, Ints, Random
from simulator.billing import Billing
from simulator.catalogue import BUSINESS, FAMILY, IOT, SENIOR, STUDENT, WORKER, YOUTH
from simulator.clock import DAY, OPENING
from simulator.seasons import hour_tables, times_of_day
from simulator.state import World

SERVICES = (
    "voice",
    "data",
    "sms",
    "mms",
    "voicemail",
    "international",
    "roaming",
    "broadband",
    "fixed",
    "tv",
    "iot",
    "other",
)
VOICE, DATA, SMS, MMS, VOICEMAIL, INTERNATIONAL, ROAMING, BROADBAND, FIXED, TV, IOT_SERVICE, OTHER = range(12)
NONE_WORK = 0.03  # of attempts that still get through in a total outage
_MIX = {  # segment -> share of records by service, in the order above
    WORKER: (32, 56, 8, 0.4, 0.8, 0.3, 0.02, 0, 0, 0, 0, 0.6),
    YOUTH: (20, 71, 6, 0.5, 0.3, 0.3, 0.02, 0, 0, 0, 0, 0.9),
    STUDENT: (16, 75, 6, 0.6, 0.2, 0.1, 0.01, 0, 0, 0, 0, 0.9),
    FAMILY: (36, 52, 8, 0.5, 0.6, 0.2, 0.02, 0, 0, 0, 0, 0.5),
    SENIOR: (62, 26, 9, 0.3, 0.4, 0.1, 0, 0, 0, 0, 0, 0.3),
    BUSINESS: (48, 38, 8, 0.2, 2.0, 1.5, 0.05, 0, 1.5, 0, 0, 0.5),
    IOT: (0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 90, 0),
}
_HOME_LINE = (0, 0, 0, 0, 0, 0, 0, 22, 3, 9, 0, 0)  # added where the household has broadband


@dataclass(slots=True)
class Records:
    """One entry per usage record in order of time: `ms` in the run, customer, service, and the cell it used."""

    ms: Ints
    who: Ints
    service: Ints
    cell: Ints
    trouble: Floats


@dataclass(slots=True)
class Numbers:
    """What a slice of records holds; zero means that the field is left out, except for `count`."""

    count: Ints
    seconds: Ints
    mb: Floats
    charge: Floats
    failed: Ints
    dropped: Ints
    mbps: Floats
    network: Ints
    outgoing: Bools
    peer_network: Ints
    peer: Ints


class Usage:
    """Draws the usage of a day; the tables are made once."""

    def __init__(self, world: World) -> None:
        mix = np.array([_MIX[segment] for segment in range(len(_MIX))], dtype=np.float64)
        mix = np.concatenate([mix, mix + np.array(_HOME_LINE)])
        self._edges: Floats = np.cumsum(mix, axis=1) / mix.sum(axis=1, keepdims=True)
        self._share: Floats = mix / mix.sum(axis=1, keepdims=True)
        self._class: Ints = world.people.segment + len(_MIX) * world.people.broadband
        self._hours = hour_tables()

    def draw(self, world: World, day: int, random: Random) -> Records:
        """All records of the day, in order of time."""
        people = world.people
        expected = people.rate * world.lively * (people.born < (day + 1) * DAY) * (world.gone >= day * DAY)
        expected = np.where((world.held < day * DAY) & (world.freed >= (day + 1) * DAY), 0.0, expected)
        who = np.repeat(np.arange(people.count), random.poisson(expected))
        ms = day * DAY + times_of_day(self._hours, people.segment[who], random)
        ms = np.maximum(ms, OPENING)
        keep = world.usable(who, ms)
        who, ms = who[keep], ms[keep]
        order = np.argsort(ms, kind="stable")
        who, ms = who[order], ms[order]
        service = self._services(world, who, random)
        cell = self._cells(world, who, ms - day * DAY, day, random)
        fault = world.cells.severity(day)[cell, (ms - day * DAY) // (DAY // 96)]
        served = (random.random(len(who)) > (fault > 0.95) * (1 - NONE_WORK)) | (random.random(len(who)) < 0.12)
        wired = (service >= BROADBAND) & (service <= TV)
        trouble = np.minimum(
            0.95, world.cells.weakness[cell] + world.pain[who] + fault * np.where(fault > 0.95, 1, 0.5)
        )
        records = Records(ms, who, service, cell, np.where(wired, 0.0, trouble))
        return _select(records, served | wired)

    def _services(self, world: World, who: Ints, random: Random) -> Ints:
        kind, drawn = self._class[who], random.random(len(who))
        service = np.zeros(len(who), dtype=np.int64)
        for edge in range(len(SERVICES) - 1):
            service += drawn >= self._edges[kind, edge]
        abroad = world.abroad[who] & (service <= INTERNATIONAL)
        return np.where(abroad, ROAMING, service)

    def _cells(self, world: World, who: Ints, ms: Ints, day: int, random: Random) -> Ints:
        people = world.people
        hour = ms // (DAY // 24)
        workday = world.clock.day(day).weekday() < 5
        at_work = (hour >= 9) & (hour < 18) & (random.random(len(who)) < (0.65 if workday else 0.15))
        cell = np.where(at_work, people.work[who], people.home[who])
        elsewhere = world.away[who] | (random.random(len(who)) < 0.03)
        if world.scenario.outage is not None:
            elsewhere &= people.home[who] != 0
        return np.where(elsewhere, (people.home[who] * 7 + 3 + day // 3) % (len(world.cells.ids) - 1) + 1, cell)

    def numbers(self, world: World, billing: Billing, part: Records, random: Random) -> Numbers:
        """The contents of a slice; also counts them into the bills."""
        people, who, size = world.people, part.who, len(part.who)
        service, trouble = part.service, part.trouble
        kind = self._class[who]
        dead = trouble >= 0.95
        count = 1 + random.poisson(np.where(service == DATA, 3.0, 0.6))
        spread = np.exp(random.normal(-0.32, 0.8, size))
        own_mb = people.mb[who] / np.maximum(people.rate[who] * self._share[kind, DATA], 0.05)
        own_seconds = people.seconds[who] / np.maximum(people.rate[who] * self._share[kind, VOICE], 0.05)
        mb = _volume(service, spread, own_mb * world.volume[who]) * (1 - 0.6 * trouble)
        talks = (
            (service == VOICE)
            | (service == INTERNATIONAL)
            | (service == FIXED)
            | ((service == ROAMING) & (who % 3 == 0))
        )
        seconds = np.where(talks, np.minimum(own_seconds * spread, 9000.0), 0.0)
        seconds = np.where(service == VOICEMAIL, 20 * spread, seconds)
        failed = random.poisson(count * (0.006 + trouble) / (1 - np.minimum(trouble, 0.8)))
        dropped = random.binomial(count, np.minimum(0.5, 0.004 + 0.6 * trouble))
        wireless = (service != BROADBAND) & (service != FIXED) & (service != TV)
        failed, dropped = np.where(wireless, failed, 0), np.where(service == SMS, 0, np.where(wireless, dropped, 0))
        speed = np.array([0.2, 3.0, 30.0, 120.0])
        network = np.minimum(
            3, np.searchsorted(np.array([0.01, 0.03, 0.45]), random.random(size) * (1 - 0.5 * trouble))
        )
        count, seconds = np.where(dead, 0, count), np.where(dead, 0.0, np.maximum(seconds, talks * 1.0))
        mb, dropped, failed = np.where(dead, 0.0, mb), np.where(dead, 0, dropped), np.where(dead, failed + 1, failed)
        charge = _charges(service, count, seconds, mb)
        numbers = Numbers(
            count=count,
            seconds=seconds.astype(np.int64),
            mb=np.round(mb, 2),
            charge=charge,
            failed=failed,
            dropped=dropped,
            mbps=np.round(speed[network] * spread**0.5 * (1 - 0.8 * trouble), 1),
            network=network,
            outgoing=random.random(size) < 0.52,
            peer_network=np.minimum(random.geometric(0.55, size) - 1, 3),
            peer=(who * 7919 + random.geometric(0.3, size) * 104_729) % 9_999_991,
        )
        _count_in(billing, who, numbers, service, people.count)
        return numbers


def _volume(service: Ints, spread: Floats, own_mb: Floats) -> Floats:
    fixed = np.select(
        [service == BROADBAND, service == TV, service == IOT_SERVICE, service == MMS, service == ROAMING],
        [2600.0, 1500.0, 0.4, 0.8, 45.0],
        0.0,
    )
    return np.asarray(np.where(service == DATA, own_mb, fixed) * spread, dtype=np.float64)


def _charges(service: Ints, count: Ints, seconds: Floats, mb: Floats) -> Floats:
    minutes = np.ceil(seconds / 60)
    charge = np.select(
        [service == SMS, service == MMS, service == INTERNATIONAL, service == ROAMING],
        [0.0, 0.3 * count, 0.8 * minutes, 0.9 * minutes + 0.12 * mb],
        0.0,
    )
    return np.round(charge, 2)


def _count_in(billing: Billing, who: Ints, numbers: Numbers, service: Ints, customers: int) -> None:
    """Adds a slice to what the bills will hold."""
    data = service == DATA
    billing.used_mb += np.bincount(who[data], numbers.mb[data], customers)
    talk = (service == VOICE) & numbers.outgoing
    billing.used_seconds += np.bincount(who[talk], numbers.seconds[talk].astype(np.float64), customers)
    paid = numbers.charge > 0
    billing.extra += np.bincount(who[paid], numbers.charge[paid], customers)


def _select(records: Records, keep: Bools) -> Records:
    return Records(
        records.ms[keep], records.who[keep], records.service[keep], records.cell[keep], records.trouble[keep]
    )


def part_of(records: Records, first: int, last: int) -> Records:
    """The records from `first` up to `last`."""
    cut = slice(first, last)
    return Records(records.ms[cut], records.who[cut], records.service[cut], records.cell[cut], records.trouble[cut])
