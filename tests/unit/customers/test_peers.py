"""What a customer is asked for follows the week of peers, once it is known, and only downwards."""

from __future__ import annotations

import numpy as np
import pytest

from customers.layout import L
from customers.metrics import DAY_US
from customers.peers import DAYS, LEAST_USES, REGIONS, PeerGroups, count_use, peers_index
from customers.state import UNKNOWN

USES = int(LEAST_USES)


def customer(region: int = -1, segment: int = -1) -> np.void:
    record = UNKNOWN.copy()
    record["labels"][0, [L["region"], L["segment"]]] = region, segment
    return record[0]


def live(groups: PeerGroups, first: int, uses: list[int], who: np.void) -> None:
    """Days from `first` on, each with so many sessions of one customer, and its end."""
    for day, number in enumerate(uses, first):
        for _ in range(number // 500):
            count_use(who, groups.view, day * DAY_US, day * DAY_US, 500.0)
        groups.end_of_day(day)


def test_an_ordinary_month_is_one() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [USES] * 30, who)
    assert peers_index(who, groups.view, 129) == 1.0


def test_before_the_level_is_known_nothing_is_said() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [USES] * 12, who)
    assert np.isnan(peers_index(who, groups.view, 111))


def test_a_fall_of_all_is_a_fall_of_peers_and_a_rise_is_none() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [USES] * 30 + [USES // 2] * 7, who)
    assert peers_index(who, groups.view, 136) == pytest.approx(0.5, abs=0.05)
    live(groups, 137, [USES * 3] * 7, who)
    assert peers_index(who, groups.view, 143) == 1.0


def test_the_narrowest_known_group_counts() -> None:
    groups, here, there = PeerGroups(), customer(1, 2), customer(3, 2)
    for day in range(100, 140):
        for who, number in ((here, USES if day < 130 else USES // 2), (there, USES)):
            for _ in range(number // 500):
                count_use(who, groups.view, day * DAY_US, day * DAY_US, 500.0)
        groups.end_of_day(day)
    assert peers_index(here, groups.view, 139) < 0.6
    assert peers_index(there, groups.view, 139) == 1.0
    assert 0.6 < peers_index(customer(), groups.view, 139) < 0.9  # of no region: with all


def test_regions_beyond_those_counted_are_compared_with_all() -> None:
    groups, who = PeerGroups(), customer(REGIONS + 5, 2)
    live(groups, 100, [USES] * 30, who)
    assert peers_index(who, groups.view, 129) == 1.0


def test_few_peers_say_nothing() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [200] * 40, who)
    assert np.isnan(peers_index(who, groups.view, 139))


def test_after_a_long_gap_the_week_must_be_whole_again() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [USES] * 30, who)
    live(groups, 130 + DAYS, [USES] * 3, who)
    assert np.isnan(peers_index(who, groups.view, 132 + DAYS))
    live(groups, 133 + DAYS, [USES] * 10, who)
    assert peers_index(who, groups.view, 142 + DAYS) == 1.0


def test_days_that_nobody_reported_are_a_fall_and_not_a_fault() -> None:
    groups, who = PeerGroups(), customer()
    live(groups, 100, [USES] * 30, who)
    groups.end_of_day(133)
    assert peers_index(who, groups.view, 133) < 0.6


def test_a_restored_state_goes_on_the_same() -> None:
    groups, again, who = PeerGroups(), PeerGroups(), customer(1, 1)
    live(groups, 100, [USES] * 25, who)
    again.restore({name: part.copy() for name, part in groups.snapshot().items()})
    for one in (groups, again):
        live(one, 125, [USES // 3] * 5, who)
    np.testing.assert_array_equal(groups.view.weeks, again.view.weeks)
