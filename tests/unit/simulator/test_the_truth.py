"""Leavers leave when and why the truth says, and nothing tells of it before."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

import simulator

AFTER_LEAVING = {"bill.issued", "payment.received", "payment.reversed", "customer.churned", "customer.returned"}


def test_outcomes_and_truth_agree(run: Any) -> None:
    told = {event["customer_id"]: event for event in run.of("customer.churned")}
    assert set(told) == set(run.leavers)
    for customer, event in told.items():
        truth = run.leavers[customer]
        assert event["occurred_at"] == truth["churned_at"]
        assert event["manner"] == truth["manner"]
        assert event.get("voluntary", True) == (truth["voluntary"] == "true")
        assert event.get("reason", truth["cause"]) == truth["cause"]


def test_whoever_has_left_does_nothing_more(run: Any) -> None:
    returned = {event["customer_id"] for event in run.of("customer.returned")}
    assert returned
    for event in run.events:
        truth = run.leavers.get(event["customer_id"])
        if truth and event["customer_id"] not in returned and event["occurred_at"] > truth["churned_at"]:
            assert event["type"] in AFTER_LEAVING


def test_all_ten_causes_lead_somebody_away(run: Any) -> None:
    causes = Counter(row["cause"] for row in run.leavers.values() if row["voluntary"] == "true")
    assert set(causes) == set(simulator.CAUSES)
    assert min(causes.values()) >= 8


def test_some_leave_involuntarily_after_a_suspension(run: Any) -> None:
    involuntary = {customer for customer, row in run.leavers.items() if row["voluntary"] == "false"}
    suspended = {e["customer_id"] for e in run.of("line.changed") if e["status"] == "suspended_arrears"}
    late = {c for c in involuntary if run.leavers[c]["churned_at"] > "2026-03-20"}
    assert len(involuntary) > 5
    assert len(late & suspended) > 0.7 * len(late)


def test_about_a_fifth_show_nothing_and_as_many_stay_as_leave(run: Any) -> None:
    shown = Counter(row["shown"] for row in run.leavers.values())
    assert 0.12 < shown["none"] / len(run.leavers) < 0.35
    assert shown["plain"] > shown["some"] > 0
    assert 0.7 < len(run.stayers) / len(run.leavers) < 1.3
    assert not set(run.stayers) & set(run.leavers)


def _daily(run: Any, customers: dict[str, dict[str, str]], kind: str, before_story: bool) -> list[float]:
    """Events a day of each customer, before the story begins or in its last ten days."""
    spans = {}
    for customer, row in customers.items():
        begin = datetime.fromisoformat(row["story_from"] + "T00:00:00+08:00")
        end = datetime.fromisoformat(row["churned_at"]) if row["churned_at"] else begin + timedelta(days=30)
        spans[customer] = (
            (datetime.fromisoformat("2026-01-01T00:00:00+08:00"), begin)
            if before_story
            else (end - timedelta(days=10), end)
        )
    texts = {customer: (since.isoformat(), until.isoformat()) for customer, (since, until) in spans.items()}
    counts: dict[str, int] = defaultdict(int)
    for event in run.of(kind):
        span = texts.get(event["customer_id"])
        if span and span[0] <= event["occurred_at"] < span[1]:
            counts[event["customer_id"]] += 1
    return [counts[c] / (b - a).days for c, (a, b) in spans.items() if (b - a).days >= 10 and a.year == 2026]


def test_before_their_story_leavers_live_like_everybody(run: Any) -> None:
    plain = {c: row for c, row in run.leavers.items() if row["voluntary"] == "true" and row["shown"] != "none"}
    others = {
        e["customer_id"]: {"story_from": "2026-02-10", "churned_at": ""}
        for e in run.of("customer.profiled")
        if e["customer_id"] not in run.leavers and e["customer_id"] not in run.stayers
    }
    for kind, tolerance in (("usage.recorded", 0.2), ("contact.recorded", 0.35)):
        mine = statistics.fmean(_daily(run, plain, kind, before_story=True))
        theirs = statistics.fmean(_daily(run, others, kind, before_story=True))
        assert abs(mine / theirs - 1) < tolerance


def test_plain_leavers_use_less_in_the_end_and_those_who_hide_it_do_not(run: Any) -> None:
    def ratio(shown: str) -> float:
        some = {c: r for c, r in run.leavers.items() if r["shown"] == shown and r["voluntary"] == "true"}
        everybody = len(run.of("usage.recorded")) / 1200 / 100
        return statistics.fmean(_daily(run, some, "usage.recorded", before_story=False)) / everybody

    assert ratio("plain") < 0.6
    assert ratio("none") > 0.75


def test_no_field_but_the_outcome_names_the_leaver(run: Any) -> None:
    """Field names seen on leavers before they leave are those seen on everybody else."""
    leavers, others = set(), set()
    for event in run.events:
        truth = run.leavers.get(event["customer_id"])
        names = {(event["type"], name) for name in event}
        if truth is None:
            others |= names
        elif event["occurred_at"] < truth["churned_at"]:
            leavers |= names
    assert leavers - others <= {("line.changed", name) for name in leavers}


def test_stayers_also_ask_for_a_code_and_let_it_go(run: Any) -> None:
    ended = Counter(event["result"] for event in run.of("porting.ended"))
    assert ended["completed"] > ended["expired"] > 0


def test_the_scenario_without_leavers_has_none(simulated: Any) -> None:
    run = simulated(200, 20, 1, simulator.Scenario(monthly_churn=0.0))
    assert not run.leavers
    assert not run.of("customer.churned")
