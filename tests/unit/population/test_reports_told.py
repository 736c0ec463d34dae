"""A report of the network is one, however often, wherever and in whatever form it comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.packed import Record, packed
from events.records import decode_records
from population.findings import Word
from population.judge import Judge
from population.reports import facts_of, identity_of, in_turn, report_of, turn_of

OPENED = {
    "type": "network.incident",
    "event_id": "n1",
    "customer_id": "cell:A",
    "occurred_at": "2024-03-04T09:06:00+00:00",
    "source": "noc",
    "cell_id": "A",
    "status": "opened",
}
AT = 1_709_543_160_000_000
OURS = {"cell_id": "A", "status": "opened"}
ABOUT = {"id": "n1", "type": "network.incident", "subject": "cell:A", "time": OPENED["occurred_at"], "source": "noc"}


def told(value: Any, headers: tuple[tuple[str, bytes], ...] = ()) -> str:
    """What the partition that this record comes to tells the others."""
    record = Record(json.dumps(value).encode(), headers, b"cell:A", 0, 0)
    batch = decode_records(packed([record]), "t/0", received_at="")
    assert not batch.dead
    [fact] = batch.facts.values()
    return report_of(fact)


BINARY = tuple((f"ce_{name}", value.encode()) for name, value in {"specversion": "1.0", **ABOUT}.items())
FORMS = {
    "plain": told(OPENED),
    "with more in it": told({**OPENED, "sent_at": "2024-03-04T09:07:00Z"}),
    "structured": told({"specversion": "1.0", **ABOUT, "data": OURS}),
    "binary": told(OURS, BINARY),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_others_are_told_is_the_event_whatever_it_came_in(form):
    [fact] = facts_of(FORMS[form])
    assert (fact.customer_id, fact.event_id, fact.status) == ("cell:A", "n1", "opened")
    assert turn_of(FORMS[form]) == AT
    assert identity_of(FORMS[form]) == identity_of(FORMS["plain"])


@pytest.mark.parametrize("unreadable", ["", "[1]", "{}", '{"occurred_at": 5}', '{"occurred_at": "soon"}', "{"])
def test_a_report_that_says_no_time_has_its_turn_at_once(unreadable):
    assert in_turn([FORMS["plain"], unreadable]) == [(0, unreadable), (AT, FORMS["plain"])]


@pytest.mark.parametrize("other", [{"event_id": "n2"}, {"source": None}, {"customer_id": "cell:B"}])
def test_another_event_is_another_report(other):
    assert identity_of(json.dumps({**OPENED, **other})) != identity_of(FORMS["plain"])


def test_the_judge_hears_a_report_once_also_from_another_partition_and_after_a_takeover():
    again = json.dumps({**OPENED, "sent_at": "later"})
    judge = Judge(0, {}, 2)
    judge.hear(Word(lane=0, reports=[FORMS["plain"]]), 0)
    judge.hear(Word(lane=1, reports=[again]), 1)
    assert len(judge.waiting) == 1
    restored = Judge(0, {}, 2)
    restored.restore(judge.snapshot())
    restored.hear(Word(lane=1, reports=[again, FORMS["binary"]]), 2)
    assert [turn for turn, _ in restored.waiting] == [AT]
