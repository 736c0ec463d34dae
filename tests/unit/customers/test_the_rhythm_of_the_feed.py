"""How long a gap of the usage feed must be to be longer than usual is learned from the feed's own clock."""

import numpy as np

from customers.feeds import GAP_US, LARGEST_PART, LEARNED_US, FeedClock, dead_time, note_gap, usual_gap
from customers.metrics import DAY_US, HOUR_US

BEGIN = 20_000 * DAY_US


def feed_of(times):
    """A feed with usage at these times (µs after BEGIN), and its clock."""
    feeds, clock = FeedClock(), 0
    for at in times:
        feeds.begin(1)
        note_gap(feeds.view, clock, BEGIN + at)
        clock = BEGIN + at
    return feeds, clock


def every(step, end, start=0):
    return range(start, end + 1, step)


def usual(times):
    feeds, clock = feed_of(times)
    return usual_gap(feeds.view, clock)


def test_a_feed_that_runs_all_day_is_silent_after_three_hours():
    assert usual(every(HOUR_US, 40 * DAY_US)) == GAP_US


def test_until_a_week_is_known_three_hours_are_a_gap():
    assert usual(every(DAY_US, 6 * DAY_US)) == GAP_US
    assert usual(every(DAY_US, 7 * DAY_US)) == 36 * HOUR_US


def test_daily_and_weekly_files_have_gaps_half_as_long_again_as_usual():
    assert usual(every(DAY_US, 30 * DAY_US)) == 36 * HOUR_US
    assert usual(every(7 * DAY_US, 56 * DAY_US)) == 252 * HOUR_US


def test_quiet_nights_are_no_rhythm():
    times = [day * DAY_US + hour * HOUR_US for day in range(30) for hour in range(8, 24)]
    assert usual(times) == GAP_US


def test_one_outage_is_no_rhythm_however_long():
    running = [*every(HOUR_US, 20 * DAY_US), *every(HOUR_US, 42 * DAY_US, 33 * DAY_US)]
    assert usual(running) == GAP_US
    early = [*every(HOUR_US, 2 * DAY_US), *every(HOUR_US, 9 * DAY_US, 8 * DAY_US)]
    assert usual(early) == GAP_US
    assert LARGEST_PART * 7 * DAY_US == LEARNED_US


def test_a_feed_that_changes_is_known_anew_within_weeks():
    daily, hourly = [*every(DAY_US, 30 * DAY_US)], [*every(HOUR_US, 46 * DAY_US, 30 * DAY_US)]
    assert usual(daily + hourly) == GAP_US
    assert usual([*every(HOUR_US, 30 * DAY_US), *every(DAY_US, 46 * DAY_US, 30 * DAY_US)]) == 36 * HOUR_US


def test_usual_gaps_are_not_dead_time_and_longer_ones_are():
    feeds, clock = feed_of([*every(DAY_US, 20 * DAY_US), *every(DAY_US, 30 * DAY_US, 24 * DAY_US)])
    since = BEGIN + 12 * DAY_US
    assert dead_time(feeds.view, clock, since, BEGIN + 20 * DAY_US) == 0
    assert dead_time(feeds.view, clock, since, clock) == 4 * DAY_US
    assert dead_time(feeds.view, clock, since, clock + 5 * HOUR_US) == 4 * DAY_US + 5 * HOUR_US


def test_what_was_learned_is_part_of_a_snapshot():
    feeds, clock = feed_of(every(DAY_US, 30 * DAY_US))
    feeds.clock = clock
    again = FeedClock()
    again.restore({name: np.array(part) for name, part in feeds.snapshot().items()})
    for one in (feeds, again):
        one.begin(1)
        note_gap(one.view, clock, clock + 3 * DAY_US)
    assert again.snapshot()["usual"].tolist() == feeds.snapshot()["usual"].tolist()
    assert usual_gap(again.view, clock) == 36 * HOUR_US
