"""What the network itself reports: one incident, however often and in whatever order it is told."""

from __future__ import annotations

import numpy as np
from support.cell_streams import DAY, NAMES, START, Crowd, Use, events_of, feed, ordinary, watches

from events.contract import NetworkIncident
from events.times import SLOT_US, rfc3339
from population.holds import DAY_US, MOST_GRACE_US, Holds, home_of
from population.network import AGAIN_US, MOST_OPEN_US
from population.watches import Stop

MINUTE = 60_000_000
CROWD = Crowd({"A": [1, 2, 30], "X": [7]})


def report(status: str, dated: int, cell: str = "X") -> NetworkIncident:
    return NetworkIncident(
        event_id=f"{status}{dated}",
        customer_id=f"cell:{cell}",
        occurred_at=rfc3339(dated),
        cell_id=cell,
        status=status,
    )


def tell(made, *reports) -> list[tuple[str, int]]:
    """(status, revision) of what comes of reports (fact, clock)."""
    for fact, at in reports:
        made.network.reported(fact, at, CROWD)
    return [(one.status.value, one.revision) for one in made.take()]


def test_opened_at_once_and_resolved_when_told():
    made = watches()
    assert tell(made, (report("opened", START), START)) == [("opened", 1)]
    assert tell(made, (report("resolved", START + MINUTE), START + MINUTE)) == [("resolved", 2)]


def test_told_twice_late_and_out_of_order_changes_nothing():
    made = watches()
    opened, resolved = report("opened", START), report("resolved", START + MINUTE)
    assert tell(made, (opened, START), (opened, START + 5)) == [("opened", 1)]
    assert tell(made, (resolved, START + MINUTE), (resolved, START + MINUTE)) == [("resolved", 2)]
    assert tell(made, (opened, START + 2 * MINUTE)) == []
    late = watches()
    assert tell(late, (resolved, START + MINUTE), (opened, START + 2 * MINUTE)) == []


def test_another_fault_of_the_cell_is_another_incident():
    made = watches()
    tell(made, (report("opened", START), START), (report("resolved", START + MINUTE), START + MINUTE))
    made.network.reported(report("opened", START + DAY_US), START + DAY_US, CROWD)
    [again] = made.take()
    assert again.revision == 1
    assert again.started_at == rfc3339(START + DAY_US)


def test_a_fault_that_comes_and_goes_within_hours_is_one_incident():
    made = watches()
    told = []
    for k in range(4):
        begun = START + k * 120 * MINUTE
        told += tell(
            made, (report("opened", begun), begun), (report("resolved", begun + 30 * MINUTE), begun + 30 * MINUTE)
        )
    assert told[:3] == [("opened", 1), ("resolved", 2), ("reopened", 3)]
    assert told[-1] == ("resolved", 8)
    [known] = made.desk.known.values()
    assert known.started_at == START
    later = np.array([START + 600 * MINUTE])
    assert made.network.holds.lately(np.array([float(home_of("X"))]), later).tolist() == [1.0]


def test_a_fault_that_comes_back_after_the_time_for_that_is_another():
    made = watches()
    over = START + 30 * MINUTE
    tell(made, (report("opened", START), START), (report("resolved", over), over))
    again = over + AGAIN_US + 1
    assert tell(made, (report("opened", again), again)) == [("opened", 1)]


def test_a_fault_that_comes_and_goes_for_more_than_a_week_is_told_anew():
    made = watches()
    at = START
    statuses = []
    while at < START + MOST_OPEN_US + 12 * 60 * MINUTE:
        statuses += [
            status
            for status, _ in tell(made, (report("opened", at), at), (report("resolved", at + MINUTE), at + MINUTE))
        ]
        at += 5 * 60 * MINUTE
    assert statuses.count("opened") == 2


def test_what_was_found_and_is_reported_goes_on_as_the_same_incident():
    made = watches()
    chance = np.random.default_rng(1)
    began = 5 * DAY
    uses = [
        *ordinary(0, began),
        *ordinary(began, began + 8, but="A"),
        *(Use(slot, "A", 0, int(chance.poisson(8)), 50) for slot in range(began, began + 8)),
    ]
    [found] = feed(made, events_of(uses, NAMES), NAMES, [], CROWD)
    at = START + (began + 8) * SLOT_US
    assert tell(made, (report("opened", at - MINUTE, "A"), at)) == []
    assert tell(made, (report("resolved", at, "A"), at)) == [("resolved", 2)]
    calm = feed(made, events_of(ordinary(began + 8, began + DAY, seed=8), NAMES), NAMES, [], CROWD)
    assert found.scope == "cell:A"
    assert calm == []


def test_an_incident_whose_end_is_never_told_ends_after_a_week():
    made = watches()
    tell(made, (report("opened", START), START))
    made.act(Stop(0, START + MOST_OPEN_US + DAY_US, [], True, None), None, CROWD)
    [one] = made.take()
    assert one.status == "resolved"


def test_a_customer_of_the_cell_is_explained_while_it_is_open_and_for_a_while_after():
    holds, home = Holds(), home_of("X")
    homes = np.array([home, home, home, home, home_of("Y"), np.nan])
    holds.begin(home, 1000, "i")
    now = np.array([1000, 1001, 10**9, 10**18, 2000, 2000])
    assert holds.explained(homes, now).tolist() == [False, True, True, True, False, False]
    holds.end(home, 10**9, 5 * 3_600_000_000, felt=True)
    over = 10**9 + MOST_GRACE_US
    now = np.array([1001, 10**9 + 1, over, over + 1, 2000, 2000])
    assert holds.explained(homes, now).tolist() == [True, True, True, False, False, False]
    assert holds.open(homes, now).tolist()[:5] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert np.isnan(holds.open(homes, now)[5])
    assert holds.lately(homes, now).tolist()[:5] == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert holds.incident_id(float(home), 1001) == "i"
    assert holds.incident_id(float(home), over) is None
