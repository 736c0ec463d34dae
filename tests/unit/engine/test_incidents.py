"""Warnings and incidents together: what an incident explains is held, everything else goes on and names it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from support.engines import QUICK, batch, engine, frozen, said
from support.small_streams import START

from engine.engine import Engine, Step
from rules.ledger import Ledger


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def use(hours: float, number: int, **fields: float) -> dict:
    return {
        "type": "usage.recorded", "event_id": f"u{number}", "customer_id": "c", "occurred_at": at(hours),
        "service": "voice", "seconds": 60, "cell_id": "X", **fields,
    }  # fmt: skip


def fault(hours: float, status: str) -> dict:
    return {
        "type": "network.incident", "event_id": f"n{hours}", "customer_id": "cell:X", "occurred_at": at(hours),
        "cell_id": "X", "status": status,
    }  # fmt: skip


def complaint(hours: float) -> dict:
    return {
        "type": "complaint.opened", "event_id": "k", "customer_id": "c", "occurred_at": at(hours), "complaint_id": "k",
    }  # fmt: skip


def tell(made: Engine, *events: dict) -> Step:
    return made.step(batch([json.dumps(event).encode() for event in events]), 0)


def until(made: Engine, hours: float) -> Step:
    return made.advance(int((START + timedelta(hours=hours)).timestamp() * 1e6), 0)


def rules_of(step: Step, status: str = "raised") -> set[str]:
    return {hit.id for one in step.decisions if one.status == status for hit in one.rules}


def known_customer(folder: Path = QUICK) -> Engine:
    """A customer at home in cell X."""
    made = engine(folder, model=frozen())
    tell(made, *(use(k / 10, k) for k in range(2)))
    return made


def test_trouble_during_an_incident_raises_nothing_and_without_one_it_does():
    failed = [use(2 + k / 10, 10 + k, failed=1) for k in range(3)]
    assert "trouble" in rules_of(tell(known_customer(), *failed))
    made = known_customer()
    step = tell(made, fault(1, "opened"), *failed)
    assert [(one.status, one.scope, one.customers) for one in step.incidents] == [("opened", "cell:X", 1)]
    assert "trouble" not in rules_of(step)
    step = tell(made, fault(3, "resolved"), use(9 * 24, 20, failed=1))
    assert [one.status for one in step.incidents] == ["resolved"]
    assert "trouble" in {made.decider.rules[k].id for k in made.decider.episodes[0].rules}


def test_another_warning_goes_on_and_names_the_incident_in_both_languages():
    made = known_customer()
    opened = tell(made, fault(1, "opened"), complaint(1.5)).incidents[0]
    [raised] = [said(one) for one in until(made, 2).decisions]
    assert [hit["id"] for hit in raised["rules"]] == ["complained"]
    [named] = [reason for reason in raised["reasons"] if reason["code"] == "network_incident"]
    assert named["value"] == opened.incident_id
    assert all(opened.incident_id in text for text in named["text"].values())
    weights = [reason["weight"] for reason in raised["reasons"]]
    assert weights == sorted(weights, reverse=True)
    made = known_customer()
    tell(made, fault(1, "opened"), fault(1.2, "resolved"), complaint(1.5))
    [raised] = [said(one) for one in until(made, 2).decisions]
    assert all(reason["code"] != "network_incident" for reason in raised["reasons"])


def test_what_still_holds_after_the_grace_is_raised_within_a_day():
    assert "resting" in rules_of(until(known_customer(), 30))
    made = known_customer()
    tell(made, fault(1, "opened"), fault(2, "resolved"))
    tell(made, {**use(2, 99), "customer_id": "another"})
    assert all(one.customer_id != "c" for one in until(made, 2 + 48).decisions)
    assert [one.rules[0].id for one in until(made, 2 + 72 + 3).decisions if one.customer_id == "c"] == ["resting"]


def test_a_rule_says_for_itself_whether_it_is_held(tmp_path: Path):
    shutil.copytree(QUICK, tmp_path / "own")
    file = tmp_path / "own" / "rules" / "quick.yaml"
    text = file.read_text()
    file.write_text(
        text.replace(
            "keep_firing_for: 5m,\n         reason: trouble", "held_by_incident: false,\n         reason: trouble"
        )
    )
    assert text != file.read_text()
    made = engine(tmp_path / "own", model=frozen())
    held = {rule.id for rule in engine(QUICK).decider.rules if rule.held}
    assert "trouble" in held
    assert "complained" not in held
    assert {rule.id for rule in made.decider.rules if rule.held} == held - {"trouble"}


def test_the_report_remembers_the_newest_revision():
    made = known_customer()
    made.ledger = Ledger(0)
    tell(made, fault(1, "opened"), fault(2, "resolved"))
    [one] = made.ledger.incidents.values()
    assert (one["status"], one["revision"]) == ("resolved", 2)


def test_features_tell_of_the_incident():
    made = known_customer()
    tell(made, {**use(0.2, 7), "customer_id": "nowhere", "cell_id": None}, fault(1, "opened"))
    sheets = {}
    for hours in (2.0, 26.0):
        moment = int((datetime.fromisoformat(at(hours))).timestamp() * 1e6)
        for rows, count in made.partition.look(made.partition.customers.column("times", 0).nonzero()[0], moment):
            made.evaluation.judge(rows, count)
            for row in range(count):
                sheet = made.evaluation.sheet(rows, row)
                for name in ("incident_open", "days_since_incident", "incidents_30d"):
                    sheets[hours, name, made.names.customer_id(int(rows.customer[row]))] = float(sheet[name][0])
        if hours == 2.0:
            tell(made, fault(3, "resolved"))
    assert sheets[2.0, "incident_open", "c"] == 1
    assert sheets[26.0, "incident_open", "c"] == 0
    assert round(sheets[26.0, "days_since_incident", "c"], 3) == round(25 / 24, 3)
    assert [sheets[hours, "incidents_30d", "c"] for hours in (2.0, 26.0)] == [1, 1]
    assert sheets[2.0, "incident_open", "nowhere"] != sheets[2.0, "incident_open", "nowhere"]
