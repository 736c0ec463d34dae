"""Billing incidents and peaks of churn, from counts of days."""

from __future__ import annotations

import numpy as np
from support.cell_streams import OFFSET, Crowd

from events.contract import MarketNoted
from events.times import rfc3339
from population.bills import BillWatch, tail_bound
from population.desk import IncidentDesk
from population.peaks import PeakWatch
from population.tally import BILLS, LEFT, SHOCKS, SIGNS, Tally

CROWD = Crowd()


def fill(tally: Tally, day: int, region: int, **counts: int) -> None:
    """So many of each series, of different customers."""
    for name, count in counts.items():
        series = {"bills": BILLS, "shocks": SHOCKS, "left": LEFT, "signs": SIGNS}[name]
        for k in range(count):
            tally.add(series, day, region, 10_000 * region + 100 * day + k)


def bills(days: list[tuple[int, int]], region: int = 1) -> list[tuple[str, str]]:
    """(status, scope) of what comes of days of (bills, shocks), another region being ordinary."""
    desk, tally = IncidentDesk(OFFSET, {}), Tally()
    watch = BillWatch(desk, OFFSET)
    for day, (issued, shocks) in enumerate(days, start=100):
        fill(tally, day, region, bills=issued, shocks=shocks)
        fill(tally, day, region + 1, bills=100, shocks=4)
        watch.end_of_day(tally, day, (day + 1) * 86_400_000_000, CROWD)
        tally.forget(watch.keeps(day + 1))
    return [(one.status.value, one.scope) for one in desk.take()]


def test_a_day_of_shocking_bills_in_one_region():
    assert bills([(100, 4)] * 10 + [(100, 60)] + [(100, 4)] * 3) == [
        ("opened", "region:r1"),
        ("resolved", "region:r1"),
    ]


def test_ordinary_bills_and_a_handful_of_shocks():
    assert bills([(100, 4), (100, 9), (100, 0), (20, 12)] * 10) == []


def test_in_several_regions_it_is_one_incident_of_all():
    desk, tally = IncidentDesk(OFFSET, {}), Tally()
    watch = BillWatch(desk, OFFSET)
    for region in range(4):
        fill(tally, 100, region, bills=80, shocks=50)
    watch.look(tally, 100, 100 * 86_400_000_000, CROWD)
    [one] = desk.take()
    assert (one.scope, one.customers, len(one.customer_ids)) == ("all", 200, 200)


def test_the_tail_bound_bounds_the_binomial_tail():
    chance = np.random.default_rng(1).binomial(50, 0.1, 200_000)
    for hits in (8, 10, 14, 20):
        assert tail_bound(hits, 50, 0.1) >= np.mean(chance >= hits)


def peaks(counts: list[int], region: int = 1, season: MarketNoted | None = None) -> list[tuple[str, str]]:
    """(status, scope) of what comes of leavers day by day; a second region is ordinary."""
    desk, tally = IncidentDesk(OFFSET, {}), Tally()
    watch = PeakWatch(desk, OFFSET)
    if season is not None:
        watch.noted(season, 0)
    for day, left in enumerate(counts, start=100):
        fill(tally, day, region, left=left)
        fill(tally, day, region + 1, left=40)
        watch.end_of_day(tally, day, (day + 1) * 86_400_000_000, CROWD)
        tally.forget(watch.keeps(day + 1))
    return [(one.status.value, one.scope) for one in desk.take()]


def ordinary(days: int, mean: float, seed: int = 1) -> list[int]:
    return np.random.default_rng(seed).poisson(mean, days).tolist()


def test_a_peak_opens_grows_and_ends_once():
    said = peaks([*ordinary(30, 12), 50, 55, 60, 50, 52, *ordinary(20, 12, 2)])
    assert said[0] == ("opened", "region:r1")
    assert said[-1] == ("resolved", "region:r1")
    assert {status for status, _ in said[1:-1]} == {"updated"}


def test_ordinary_days_are_none():
    assert peaks(ordinary(400, 12)) == []


def test_a_holiday_and_its_rebound_are_none():
    assert peaks([*ordinary(40, 20), *ordinary(9, 6, 2), *ordinary(7, 33, 3), *ordinary(30, 20, 4)]) == []


def test_days_of_which_nothing_was_told_and_what_comes_after_them_are_none():
    assert peaks([*ordinary(40, 15), 0, 0, 0, 0, 75, *ordinary(30, 15, 2)]) == []


def test_a_season_that_was_noted_raises_the_bar_and_no_more():
    day = 86_400_000_000
    dates = {"starts_at": rfc3339(130 * day), "ends_at": rfc3339(140 * day)}
    common = {"event_id": "m", "customer_id": "market:all", "occurred_at": rfc3339(day)}
    season = MarketNoted(**common, **dates, kind="season")
    elsewhere = MarketNoted(**common, **dates, kind="season", region="r9")
    higher = [*ordinary(30, 12), 34, 34, 34, *ordinary(20, 12, 2)]
    assert peaks(higher)
    assert peaks(higher, season=season) == []
    assert peaks(higher, season=elsewhere) == peaks(higher)
    assert peaks([*ordinary(30, 12), 90, 90, *ordinary(20, 12, 2)], season=season)
