"""What the watch over cells finds, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cell_streams import DAY, HOUR, NAMES, START, Crowd, Use, events_of, feed, ordinary, watches
from support.profiles import examples

from events.columns import Batch, Origin
from events.times import SLOT_US
from streams.checkpoint import read_state, write_state

DAYS = 9  # from a Monday: the failure is on a Tuesday, whose hours are known
HOMES = {"A": list(range(300)), "B": list(range(1000, 1200))}


def outage(first: int, last: int, seed: int = 3) -> list[Use]:
    """Cell A in an outage: few attempts, all of which fail."""
    chance = np.random.default_rng(seed)
    return [Use(slot, "A", 0, int(chance.poisson(8)), int(chance.integers(0, 300))) for slot in range(first, last)]


def silent(first: int, last: int) -> list[Use]:
    """Cell A is gone: nothing is recorded but one call that was handed over."""
    return [Use(first, "A", 1)] if last > first else []


def story(failure, hours: int = 6) -> tuple[list[Use], int]:
    """Ordinary days, the failure of cell A at 9:00 of the last but one, ordinary again; and the slot it began in."""
    began = (DAYS - 1) * DAY
    ended = began + hours * HOUR
    uses = [
        *ordinary(0, began),
        *ordinary(began, ended, but="A", seed=2),
        *failure(began, ended),
        *ordinary(ended, ended + DAY, seed=4),
    ]
    return uses, began


def told(incidents) -> list[tuple[str, str, str, int]]:
    return [(one.status.value, one.kind.value, one.scope, one.revision) for one in incidents]


@pytest.mark.parametrize("failure", [outage, silent])
def test_an_outage_is_one_incident_that_ends_when_it_does(failure):
    uses, began = story(failure)
    found = feed(watches(), events_of(uses, NAMES), NAMES, [], Crowd(HOMES))
    assert told(found) == [("opened", "network", "cell:A", 1), ("resolved", "network", "cell:A", 2)]
    opened, resolved = found
    assert opened.incident_id == resolved.incident_id
    assert opened.customers == 300
    assert opened.high_value == 30
    assert opened.customer_ids[:2] == ["c0", "c1"]
    start = np.datetime64(opened.started_at.removesuffix("Z"), "us").astype(np.int64)
    assert abs(start - (START + began * SLOT_US)) <= SLOT_US
    assert "cell A" in opened.suggested_notice["en"]
    assert "基站A" in opened.suggested_notice["zh-CN"]
    assert resolved.suggested_notice != opened.suggested_notice


def test_ordinary_weeks_are_none():
    events = events_of(ordinary(0, 15 * DAY, seed=9), NAMES)
    assert feed(watches(), events, NAMES, [], Crowd()) == []


def test_small_cells_and_quiet_hours_are_none():
    names = [f"S{k}" for k in range(40)]
    chance = np.random.default_rng(5)
    uses = [
        Use(slot, name, int(chance.poisson(0.4 if slot % DAY < 40 else 3.0)), int(chance.poisson(0.1)), 10 * k)
        for slot in range(10 * DAY)
        for k, name in enumerate(names)
    ]
    assert feed(watches(), events_of(uses, names), names, [], Crowd()) == []


def test_a_feed_that_stops_for_everyone_is_none():
    uses = [*ordinary(0, 5 * DAY), *ordinary(5 * DAY + 7, 6 * DAY, seed=2)]
    assert feed(watches(), events_of(uses, NAMES), NAMES, [], Crowd()) == []


def test_a_feed_that_thins_out_for_everyone_is_none():
    uses = [*ordinary(0, 5 * DAY), *ordinary(5 * DAY, 6 * DAY, seed=2, mean=4.0)]
    assert feed(watches(), events_of(uses, NAMES), NAMES, [], Crowd()) == []


def test_one_broken_telephone_is_none():
    uses = ordinary(0, 5 * DAY)
    broken = [Use(slot, "B", 0, 1, 77) for slot in range(4 * DAY, 5 * DAY) for _ in range(30)]
    assert feed(watches(), events_of([*uses, *broken], NAMES), NAMES, [], Crowd()) == []


@settings(max_examples=examples(10), deadline=None)
@given(st.lists(st.integers(1, 9000), max_size=8), st.data())
def test_where_batches_are_cut_and_state_is_saved_makes_no_difference(tmp_path_factory, sizes, data):
    uses, _ = story(outage)
    events = events_of(uses, NAMES)
    whole = feed(watches(), events, NAMES, [], Crowd(HOMES))
    assert feed(watches(), events, NAMES, sizes, Crowd(HOMES)) == whole
    cut = data.draw(st.integers(1, len(events) - 1))
    first, second = watches(), watches()
    found = feed(first, events[:cut], NAMES, sizes, Crowd(HOMES))
    file = tmp_path_factory.mktemp("state") / "watches"
    with file.open("wb") as out:
        write_state(out, first.snapshot())
    second.restore(read_state(file))
    assert [*found, *feed(second, events[cut:], NAMES, sizes, Crowd(HOMES))] == whole


def test_time_that_passes_without_events_is_judged_as_if_they_came():
    uses, began = story(outage)
    events = events_of([use for use in uses if use.slot < began + 3], NAMES)
    made = watches()
    early = feed(made, events, NAMES, [], Crowd(HOMES))
    while (stop := made.pass_time(int(events["at"][-1]) + 2 * SLOT_US)) is not None:
        made.act(stop, None, Crowd(HOMES))
    assert told([*early, *made.take()]) == [("opened", "network", "cell:A", 1)]


def test_more_cells_than_the_table_began_with():
    names = [f"N{k}" for k in range(700)]
    made = watches()
    feed(made, events_of([Use(k % 5, name, 2) for k, name in enumerate(names)], names), names, [300], Crowd())
    cells = made.network.cells
    assert sorted(cells.names.text(k) for k in range(cells.count)) == sorted(names)
    again = cells.number(_batch_of(names))
    assert [cells.names.text(int(k)) for k in again] == names


def _batch_of(names):
    events = events_of([Use(k, name, 1) for k, name in enumerate(names)], names)
    return Batch(events, np.zeros(0, np.uint8), b"", [Origin(0, "f", ":", 1)])
