"""An operator's own signals: declared codes of `customer.noted` are features that expire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import QUICK, batch, engine, frozen, said

from engine.engine import Engine
from streams import bootstrap

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
SIGNALS = """signals:
  fibre: {code: FTTH-7, kind: yes/no, text: {en: Fibre, zh-CN: 光纤}, causes: [competitor_price], holds: 2d, sayable: true}
  score: {kind: number, unit: points, text: {en: Score, zh-CN: 分}, causes: [plan_price], holds: 10d}
"""
RULES = """version: 1
groups:
  - name: some
    rules:
      - {alert: Fibre, id: fibre, tier: warning, expr: fibre, evidence: [fibre, score], reason: fibre,
         text: {en: "Fibre", zh-CN: "光"}}
      - {alert: Low, id: low, tier: watch, expr: score < 3, clear_expr: not has(score) or score >= 3, reason: low,
         text: {en: "{{ score | number }} points", zh-CN: "{{ score | number }}分"}}
"""
OTHER = """version: 1
groups:
  - name: some
    rules:
      - {alert: Complained, id: complained, tier: watch, expr: complaints_open >= 1, reason: complained,
         text: {en: "Said", zh-CN: "说"}}
"""


def folder(root: Path, signals: str = SIGNALS, rules: str = RULES) -> Path:
    (root / "rules").mkdir(parents=True, exist_ok=True)
    for name in ("actions.yaml", "workdays.yaml"):
        (root / name).write_bytes((QUICK / name).read_bytes())
    text = (QUICK / "churn.yaml").read_text()
    begin, end = text.index("signals:"), text.index("tiers:")
    (root / "churn.yaml").write_text(text[:begin] + signals + text[end:])
    (root / "rules" / "some.yaml").write_text(rules)
    return root


def moment(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def note(hours: float, code: str, event_id: str | None = None, customer: str = "c", **fields: Any) -> bytes:
    common = {"type": "customer.noted", "event_id": event_id or f"{code}{hours}", "customer_id": customer}
    return json.dumps(common | {"occurred_at": moment(hours), "code": code} | fields).encode()


def passing(hours: float) -> bytes:
    """The clock gets to a moment by another customer's use."""
    common = {"type": "usage.recorded", "event_id": f"use{hours}", "customer_id": "other", "service": "voice"}
    return json.dumps(common | {"occurred_at": moment(hours)}).encode()


def run(made: Engine, lines: Sequence[bytes], until: float) -> list[tuple[str, str, str]]:
    """(status, when, rules) of the decisions, and how time goes on to a moment."""
    steps = [made.step(batch(lines), 0)] if lines else []
    steps.append(made.advance(int((START + timedelta(hours=until)).timestamp() * 1e6), 0))
    found = [said(one) for step in steps for one in step.decisions]
    return [(one["status"], one["raised_at"][:16], "+".join(hit["id"] for hit in one["rules"])) for one in found]


@pytest.fixture
def made(tmp_path: Path) -> Engine:
    return engine(folder(tmp_path / "config"), model=frozen())


def at(hours: float) -> str:
    return moment(hours)[:16]


def test_a_signal_holds_until_its_end_and_clears_in_time(made):
    assert run(made, [note(0, "FTTH-7", ends_at=moment(5))], 100) == [
        ("raised", at(0), "fibre"),
        ("cleared", at(5), ""),
    ]


def test_without_an_end_it_holds_as_long_as_declared(made):
    assert run(made, [note(0, "FTTH-7")], 100) == [("raised", at(0), "fibre"), ("cleared", at(48), "")]


def test_a_number_is_unknown_when_it_is_over(made):
    assert run(made, [note(0, "score", value=2)], 400) == [("raised", at(0), "low"), ("cleared", at(240), "")]


@pytest.mark.parametrize(
    ("code", "fields"),
    [("other", {}), ("fibre", {}), ("FTTH-7", {"value": False}), ("FTTH-7", {"value": "yes"}), ("score", {}),
     ("FTTH-7", {"ends_at": moment(-1)})],
)  # fmt: skip
def test_what_changes_nothing(made, code, fields):
    assert run(made, [note(0, code, **fields)], 100) == []


def test_an_undeclared_code_keeps_no_state(made):
    run(made, [note(0, "other"), note(1, "other2")], 2)
    assert len(made.snapshot()["partition.customers.notes"]) == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_newest_stands_whatever_the_order(made, order):
    notes = [note(0, "FTTH-7", "a"), note(2, "FTTH-7", "b", value=False), note(2, "FTTH-7", "c", ends_at=moment(9))]
    found = run(made, [passing(3), *(notes[k] for k in order)], 100)
    assert found[-1] == ("cleared", at(9), "")


def test_an_older_note_does_not_outlive_a_newer_one_that_is_over(made):
    notes = [note(2, "FTTH-7", ends_at=moment(4)), passing(10), note(1, "FTTH-7", ends_at=moment(90))]
    assert run(made, notes, 100)[1:] == [("cleared", at(4), "")]


def test_a_note_of_the_person_before_is_not_the_new_one_s(made):
    transfer = {"type": "line.changed", "event_id": "t", "customer_id": "c", "occurred_at": moment(2)}
    gone = json.dumps(transfer | {"status": "transferred"}).encode()
    found = run(made, [note(0, "FTTH-7"), gone, note(1, "FTTH-7", "late")], 100)
    assert [one[0] for one in found] == ["raised", "closed"]


def test_a_second_note_warns_again_after_care_closed_the_warning(made):
    raised = made.step(batch([note(0, "FTTH-7", ends_at=moment(50))]), 0).decisions[0]
    resolved = {"type": "care.resolved", "event_id": "r", "customer_id": "c", "occurred_at": moment(1)}
    done = json.dumps(resolved | {"warning_id": raised.warning_id, "outcome": "retained"}).encode()
    found = run(made, [done, passing(3), note(4, "FTTH-7", ends_at=moment(60)), note(3, "FTTH-7")], 100)
    assert [one[:2] for one in found] == [("closed", at(1)), ("raised", at(4)), ("cleared", at(60))]


def test_it_is_said_and_speaks_for_its_causes(made):
    decision = said(made.step(batch([note(0, "score", value=7), note(1, "FTTH-7")]), 0).decisions[0])
    assert decision["cause"] == "competitor_price"
    assert [(one["feature"], one["text"]["en"], one["sayable"]) for one in decision["reasons"]] == [
        ("fibre", "Fibre", True),
        ("score", "Score: 7", False),
    ]


def test_the_model_sees_it(made):
    place = made.model.names.index("score")
    made.step(batch([note(0, "score", value=7)]), 0)
    for rows, count in made.partition.look(np.zeros(1, np.int64), made.partition.clock):
        rows.freeze[:count] = True
        assert made.evaluation.judge(rows, count, learn=False).matrix[made.model.columns[place], 0] == 7


def test_an_edited_declaration_goes_on_from_the_state(tmp_path):
    old = engine(folder(tmp_path / "old"), model=frozen())
    run(old, [note(0, "FTTH-7"), note(0, "score", value=7)], 1)
    parts = old.snapshot()
    added = SIGNALS + "  more: {kind: yes/no, text: {en: More, zh-CN: 多}}\n"
    again = engine(folder(tmp_path / "added", added), model=frozen())
    again.restore(parts)
    assert run(again, [], 100) == [("cleared", at(48), "")]
    removed = engine(folder(tmp_path / "removed", "", OTHER), model=frozen())
    removed.restore(parts)
    assert [one[:2] for one in run(removed, [note(3, "FTTH-7")], 100)] == [("closed", at(1))]


def test_notes_of_a_removed_code_are_dropped_with_the_next_note(tmp_path):
    old = engine(folder(tmp_path / "old"), model=frozen())
    run(old, [note(0, "FTTH-7"), note(0, "score", value=7)], 1)
    only = "signals:\n  score: {kind: number, text: {en: Score, zh-CN: 分}}\n"
    rules = RULES.replace("expr: fibre", "expr: score > 9").replace("[fibre, score]", "[score]")
    again = engine(folder(tmp_path / "new", only, rules), model=frozen())
    again.restore(old.snapshot())
    run(again, [note(3, "score", value=8)], 4)
    assert int(again.partition.customers.pools.used[4, 1]) >= 0  # one is free again


def test_features_are_listed_with_the_operator_s_own(tmp_path):
    names = [one.name for one in bootstrap.features(bootstrap.configuration(folder(tmp_path / "config")))]
    assert names[-2:] == ["fibre", "score"]
