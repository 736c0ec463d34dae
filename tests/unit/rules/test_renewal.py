"""What care has dealt with does not open the next episode; a fresh fact does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.engines import DEFAULT, QUICK, batch, cut, engine, frozen, newest, said

from detectors.features import CATALOGUE
from rules.renewal import FRESH

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
Lines = list[bytes]


def event(kind: str, hours: float, **fields: Any) -> bytes:
    at = START + timedelta(hours=hours)
    common = {"type": kind, "event_id": f"{kind}{hours}", "customer_id": "c", "occurred_at": at.isoformat()}
    return json.dumps(common | fields).encode()


def care(warning: str, hours: float, outcome: str = "retained") -> bytes:
    return event("care.resolved", hours, warning_id=warning, outcome=outcome)


def decisions(
    parts: Iterable[Lines], until: float, *, reborn: bool = False, folder: Path = DEFAULT
) -> list[dict[str, Any]]:
    """Everything decided up to `until` (hours); `reborn`: by an engine that is saved and read back after every batch."""
    made, found = engine(folder, model=frozen()), []
    for part in parts:
        found += made.step(batch(part), 0).decisions
        if reborn:
            again = engine(folder, model=frozen())
            again.restore(made.snapshot())
            made = again
    end = newest([batch([event("customer.returned", until)])])
    found += made.advance(end, 0).decisions
    return [said(one) for one in found]


def raised(found: list[dict[str, Any]]) -> list[tuple[str, set[str]]]:
    return [
        (one["raised_at"][:16], {rule["id"] for rule in one["rules"]}) for one in found if one["status"] == "raised"
    ]


def first_warning(lines: Lines) -> str:
    return str(decisions([lines], 1)[0]["warning_id"])


@pytest.mark.parametrize("outcome", ["retained", "declined", "false_alarm", "do_not_contact"])
@pytest.mark.parametrize(
    ("kind", "rule"), [("porting.requested", "porting-requested"), ("cancellation.requested", "cancellation-requested")]
)
def test_a_second_wish_to_leave_raises_a_second_warning(kind, rule, outcome):
    one = event(kind, 0)
    resolved = care(first_warning([one]), 5, outcome)
    assert raised(decisions([[one, resolved]], 20 * 24)) == [
        ("2024-03-01T12:00", {rule})
    ]  # the old fact alone does not
    found = decisions([[one, resolved, event(kind, 20 * 24)]], 21 * 24)
    assert raised(found) == [("2024-03-01T12:00", {rule}), ("2024-03-21T12:00", {rule})]
    assert len({each["warning_id"] for each in found}) == 2


def test_nor_does_another_kind_of_fact():
    one = event("porting.requested", 0)
    other = [event("usage.recorded", 30, service="data", mb=3), event("survey.answered", 31, survey="csat", score=1)]
    resolved = care(first_warning([one]), 5)
    assert len(raised(decisions([[one, resolved, *other]], 20 * 24))) == 1


def test_a_second_fact_while_the_warning_is_open_is_the_same_episode():
    assert len(raised(decisions([[event("porting.requested", 0), event("porting.requested", 30)]], 60))) == 1


def test_a_new_complaint_weeks_after_care_begins_the_wait_of_its_rule_anew():
    """`complained` waits five minutes; the old complaint stays open all the time."""
    one = event("complaint.opened", 0, complaint_id="a")
    opened = decisions([[one]], 1, folder=QUICK)
    assert raised(opened) == [("2024-03-01T12:05", {"complained"})]
    resolved = care(opened[0]["warning_id"], 1)
    told_again = event("complaint.opened", 100, complaint_id="a")  # another event, but no other complaint
    assert len(raised(decisions([[one, resolved, told_again]], 21 * 24, folder=QUICK))) == 1
    new = event("complaint.opened", 21 * 24, complaint_id="b")
    found = decisions([[one, resolved, told_again, new]], 22 * 24, folder=QUICK)
    assert raised(found)[1:] == [("2024-03-22T12:05", {"complained"})]


@pytest.mark.parametrize("reborn", [False, True])
@pytest.mark.parametrize("sizes", [[1] * 9, [2, 2, 2, 2], [3, 1, 4], [9]])
def test_so_it_is_however_the_stream_is_cut_and_after_every_restart(sizes, reborn):
    first, complaint = event("porting.requested", 0), event("complaint.opened", 1, complaint_id="a", severity=4)
    lines = [
        first,
        complaint,
        care(first_warning([first]), 5),
        event("complaint.updated", 6, complaint_id="a", status="handled"),
        event("porting.requested", 7),
        event("porting.requested", 7),  # a duplicate
        event("porting.requested", 9),
        event("complaint.opened", 10, complaint_id="b", severity=4),
        event("porting.ended", 11, result="withdrawn"),
    ]
    whole = decisions([lines], 40 * 24)
    assert len(raised(whole)) >= 2
    assert decisions(cut(lines, sizes), 40 * 24, reborn=reborn) == whole


def test_facts_that_renew_tell_features_that_there_are():
    assert all(name in CATALOGUE for one in FRESH for name in one.features)
