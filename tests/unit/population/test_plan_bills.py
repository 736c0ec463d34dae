"""Billing incidents of a plan: shocks and complaints of many of its customers within days are one incident that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from support.cell_streams import OFFSET, Crowd

from population.bills import BillWatch
from population.desk import IncidentDesk
from population.plan_bills import PlanBillWatch, poisson_bound
from population.tally import ALL, BILLS, GRIEVANCES, SHOCKS, Tally, plan_of, plan_place

DAY = 86_400_000_000
CROWD = Crowd()
Counts = Mapping[int, tuple[int, int, int]]  # by plan: bills, shocks, complaints of a day
QUIET = (20, 1, 0)


def run(days: Sequence[Counts], regions: int = 4, cut: int | None = None) -> list[tuple[str, str, int]]:
    """(status, scope, day) of what comes of days; customers are spread over regions. `cut`: saved and read back before that day."""
    desk, tally = IncidentDesk(OFFSET, {}), Tally()
    plans, places = PlanBillWatch(desk, OFFSET), BillWatch(desk, OFFSET)
    found = []
    for day, counts in enumerate(days, start=100):
        if cut is not None and day == 100 + cut:
            saved = plans.snapshot()
            plans = PlanBillWatch(desk, OFFSET)
            plans.restore(saved)
        for plan, (bills, shocks, complaints) in counts.items():
            for series, count in ((BILLS, bills), (SHOCKS, shocks), (GRIEVANCES, complaints)):
                for k in range(count):
                    customer = 1_000_000 * plan + 1_000 * day + k
                    tally.add(series, day, customer % regions, customer, plan)
        at = (day + 1) * DAY
        plans.end_of_day(tally, day, at, CROWD, general=places.struck(tally, day))
        places.end_of_day(tally, day, at, CROWD, explained=plans.explains(tally, day))
        tally.forget(min(plans.keeps(day + 1), places.keeps(day + 1)))
        found += [(one.status.value, one.scope, day - 100) for one in desk.take()]
    return found


def ordinary(days: int) -> list[Counts]:
    return [dict.fromkeys(range(5), QUIET) for _ in range(days)]


def test_a_plan_whose_bills_shock_is_named_once():
    struck = [dict.fromkeys(range(5), QUIET) | {2: (20, 14, 3)} for _ in range(3)]
    found = run([*ordinary(20), *struck, *ordinary(6)])
    assert found[0] == ("opened", "plan:p2", 20)
    assert {status for status, _, _ in found[1:-1]} <= {"updated"}
    assert found[-1][:2] == ("resolved", "plan:p2")
    assert {scope for _, scope, _ in found} == {"plan:p2"}


def test_complaints_of_bills_alone_are_enough():
    struck = [dict.fromkeys(range(5), QUIET) | {3: (0, 0, 12)}]
    assert run([*ordinary(20), *struck, *ordinary(6)])[0] == ("opened", "plan:p3", 20)


def test_a_plan_that_is_complained_of_every_day_is_no_incident():
    assert run([{0: (20, 1, 4), 1: QUIET} for _ in range(60)]) == []


def test_ordinary_days_are_none():
    chance = np.random.default_rng(3)
    days = [
        {plan: (20, int(chance.binomial(20, 0.05)), int(chance.poisson(0.3))) for plan in range(5)} for _ in range(200)
    ]
    assert run(days) == []


def test_what_strikes_every_plan_is_one_incident_of_all():
    struck = [dict.fromkeys(range(5), (20, 12, 0)) for _ in range(3)]
    found = run([*ordinary(20), *struck, *ordinary(6)])
    assert [(status, scope) for status, scope, _ in found if status != "updated"] == [
        ("opened", "all"),
        ("resolved", "all"),
    ]


def test_two_plans_are_two_incidents():
    struck = [dict.fromkeys(range(5), QUIET) | {1: (20, 16, 0), 4: (20, 16, 0)} for _ in range(2)]
    found = run([*ordinary(20), *struck, *ordinary(8)], regions=40)
    assert [scope for status, scope, _ in found if status == "opened"] == ["plan:p1", "plan:p4"]
    assert [scope for status, scope, _ in found if status == "resolved"] == ["plan:p1", "plan:p4"]


@pytest.mark.parametrize("cut", [20, 21, 22, 24])
def test_saved_and_read_back_it_goes_on(cut):
    struck = [dict.fromkeys(range(5), QUIET) | {2: (20, 14, 3)} for _ in range(3)]
    days = [*ordinary(20), *struck, *ordinary(6)]
    assert run(days, cut=cut) == run(days)


def test_the_notice_names_the_plan():
    desk, tally = IncidentDesk(OFFSET, {}), Tally()
    for k in range(40):
        tally.add(GRIEVANCES, 100, 1, k, 7)
    PlanBillWatch(desk, OFFSET).look(tally, 100, 101 * DAY, CROWD, general=False)
    [one] = desk.take()
    assert (one.kind.value, one.scope, one.customers, len(one.customer_ids)) == ("billing", "plan:p7", 40, 40)
    assert "plan p7" in one.suggested_notice["en"]
    assert "套餐p7" in one.suggested_notice["zh-CN"]


def test_places_of_plans_are_no_regions():
    tally = Tally()
    tally.add(BILLS, 1, 0, 5, 0)
    tally.add(BILLS, 1, -1, 6)
    assert tally.regions(1) == [0]
    assert [plan_of(place) for place in tally.plans((1,))] == [0]
    assert tally.count(BILLS, 1, plan_place(0)) == 1
    assert tally.count(BILLS, 1, ALL) == 2


def test_the_bound_bounds_the_poisson_tail():
    drawn = np.random.default_rng(1).poisson(3.0, 400_000)
    for count in (4, 8, 12):
        assert poisson_bound(count, 3.0) >= np.mean(drawn >= count)
