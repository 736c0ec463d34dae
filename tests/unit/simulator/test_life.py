"""Seasons, faults, bills and words are as documented."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

import simulator
from simulator.arrays import random_for
from simulator.phrases_en import COMPLAINTS as ENGLISH
from simulator.phrases_zh import COMPLAINTS as CHINESE
from simulator.words import complaint


def per_day(run: Any, customers: set[str]) -> dict[str, int]:
    days: dict[str, int] = defaultdict(int)
    for event in run.of("usage.recorded"):
        if event["customer_id"] in customers:
            days[event["occurred_at"][:10]] += 1
    return days


def segment(run: Any, name: str) -> set[str]:
    return {e["customer_id"] for e in run.of("customer.profiled") if e.get("segment") == name}


def mean(days: dict[str, int], since: str, until: str) -> float:
    return float(np.mean([count for day, count in days.items() if since <= day < until]))


def test_spring_festival_empties_offices_and_sends_people_home(run: Any) -> None:
    everybody = per_day(run, {e["customer_id"] for e in run.of("customer.profiled")})
    office = per_day(run, segment(run, "business"))
    assert mean(everybody, "2026-02-16", "2026-02-22") < 0.7 * mean(everybody, "2026-01-12", "2026-01-19")
    assert mean(office, "2026-02-16", "2026-02-21") < 0.35 * mean(office, "2026-01-12", "2026-01-17")
    assert mean(everybody, "2026-03-09", "2026-03-16") > 0.8 * mean(everybody, "2026-01-12", "2026-01-19")


def test_students_leave_in_summer_and_come_back(simulated: Any) -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    run = simulated(400, 110, 2, simulator.Scenario(start=start, usage_per_day=1, monthly_churn=0))
    students = per_day(run, segment(run, "student"))
    assert mean(students, "2026-07-20", "2026-08-20") < 0.6 * mean(students, "2026-06-10", "2026-06-30")
    assert mean(students, "2026-09-10", "2026-09-18") > 0.75 * mean(students, "2026-06-10", "2026-06-30")


def test_offices_rest_at_weekends_and_nights_are_quiet(run: Any) -> None:
    days = per_day(run, segment(run, "business"))
    assert days["2026-01-17"] < 0.6 * days["2026-01-15"]
    hours = Counter(event["occurred_at"][11:13] for event in run.of("usage.recorded"))
    assert hours["03"] < 0.2 * hours["19"]


def test_an_outage_takes_the_whole_cell_and_is_announced_once(simulated: Any) -> None:
    outage = simulator.Outage(day=5, hour=9, hours=10, customers=300)
    run = simulated(900, 7, 6, simulator.Scenario(outage=outage, monthly_churn=0))
    hit = {f"c{number:07d}" for number in range(300)}
    hours: dict[tuple[bool, str], int] = Counter()
    for event in run.of("usage.recorded"):
        if event.get("count") and event["service"] in {"data", "voice", "sms"}:
            hours[event["customer_id"] in hit, event["occurred_at"][8:13]] += 1

    def use(inside: bool, day: str) -> int:
        return sum(hours[inside, f"{day}T{hour:02d}"] for hour in range(9, 19))

    assert use(True, "06") < 0.15 * use(True, "05")
    assert use(False, "06") > 0.7 * use(False, "05")
    cell = next(e["cell_id"] for e in run.of("usage.recorded") if e["customer_id"] in hit and "cell_id" in e)
    told = [e["status"] for e in run.of("network.incident") if e["cell_id"] == cell]
    assert told == ["opened", "resolved"]
    assert any("failed" in e and e["count"] == 0 for e in run.of("usage.recorded"))


def test_network_stories_show_drops_and_failures(run: Any) -> None:
    story = {c: r["story_from"] for c, r in run.leavers.items() if r["cause"] == "network" and r["shown"] == "plain"}
    bad: dict[bool, list[int]] = {True: [], False: []}
    for event in run.of("usage.recorded"):
        begin = story.get(event["customer_id"])
        if begin is not None and event["service"] in {"data", "voice"}:
            bad[event["occurred_at"][:10] > begin].append(event.get("failed", 0) + event.get("dropped", 0))
    assert np.mean(bad[True]) > 4 * np.mean(bad[False])


def test_bills_add_up_and_are_mostly_paid(run: Any) -> None:
    paid = {event["bill_id"] for event in run.of("payment.received")}
    bills = [event for event in run.of("bill.issued") if "plan_fee" in event]
    for bill in bills:
        assert bill["amount"] == pytest.approx(bill["plan_fee"] + bill["overage"], abs=0.006)
    early = [bill for bill in bills if bill["occurred_at"] < "2026-03-01"]
    assert 0.9 < sum(bill["bill_id"] in paid for bill in early) / len(early) <= 1.0
    assert paid <= {event["bill_id"] for event in run.of("bill.issued")}


def test_prices_rise_with_notice_of_who_did_it(run: Any) -> None:
    by = Counter(event["initiated_by"] for event in run.of("plan.changed"))
    assert by["operator"] > 0
    assert by["customer"] > 0
    for event in run.of("plan.changed"):
        if event["initiated_by"] == "operator":
            assert event["fee_after"] > event["fee_before"]


def test_codes_live_an_hour_and_ported_numbers_had_one(run: Any) -> None:
    asked: dict[str, str] = {event["customer_id"]: event["occurred_at"] for event in run.of("porting.requested")}
    for event in run.of("customer.churned"):
        if event["manner"] == "ported":
            assert event["customer_id"] in asked


def test_complaints_of_the_two_languages_vary(run: Any) -> None:
    texts = [event["text"] for event in run.of("complaint.opened") if "text" in event]
    chinese = [text for text in texts if any("\u4e00" <= letter <= "\u9fff" for letter in text)]
    assert 0.65 < len(chinese) / len(texts) < 0.95
    assert len(set(texts)) > 0.9 * len(texts)


@pytest.mark.parametrize("cause", [*simulator.CAUSES, "other"])
@pytest.mark.parametrize("chinese", [True, False])
def test_every_template_can_be_filled(cause: str, chinese: bool) -> None:
    random = random_for(1, 1)
    book = CHINESE if chinese else ENGLISH
    assert len(book[cause]) >= 7
    texts = [complaint(cause, chinese, 59.0, True, random) for _ in range(200)]
    assert not [text for text in texts if "{" in text or not text.strip()]
    assert len(set(texts)) > 100


def test_newcomers_use_nothing_before_they_join(run: Any) -> None:
    first: dict[str, str] = {}
    for event in run.events:
        if not event["customer_id"].startswith(("cell:", "market:")):
            first.setdefault(event["customer_id"], event["type"])
    assert set(first.values()) == {"customer.profiled"}
    assert len(first) > 1190


def test_accounts_join_lines_of_households_and_firms(run: Any) -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    lines: dict[str, set[str]] = defaultdict(set)
    for event in run.of("customer.profiled"):
        if "kind" in event and "account_id" in event:
            kinds[event["kind"]].add(event["account_id"])
            lines[event["account_id"]].add(event["customer_id"])
    assert set(kinds) == {"family", "enterprise"}
    assert max(len(members) for members in lines.values()) > 5
