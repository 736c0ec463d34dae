"""Running cases: values against conditions, events through an engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import get_args

import pytest

from events.contract import Cause
from rules.casefile import read_cases
from rules.caserun import Runner
from rules.feature_types import FeatureType
from rules.load import load

SCHEMA = {"use": FeatureType(unit="ratio"), "grade": FeatureType("category", values=("high", "low"))}
RULES = """version: 1
groups:
  - name: usage
    rules:
      - alert: Drop
        id: drop
        tier: watch
        expr: use < 0.4
        clear_expr: use > 0.8
        reason: drop
        text: {en: "at {{ use }}", zh-CN: "为{{ use }}"}
      - alert: HighDrop
        id: high-drop
        tier: watch
        expr: use < 0.4 and grade == 'high'
        reason: drop
        text: {en: less, zh-CN: 减少}
"""


CHURN = """version: 1
tiers: [watch]
deadlines:
  watch: {other: {ack: 8h, resolve: 40h}}
routing: {other: care}
"""
HOURS = '["09:00-18:00"]'
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKDAYS = f"version: 1\nweek: {{{', '.join(f'{day}: {HOURS}' for day in DAYS)}}}\nmake_up_hours: {HOURS}\n"
CAUSE = "{text: {en: x, zh-CN: x}, actions: {}}"
ACTIONS = "version: 1\nactions: {}\ncauses:\n" + "".join(f"  {cause}: {CAUSE}\n" for cause in get_args(Cause))


@pytest.fixture
def run(tmp_path):
    """Runs one case written as the YAML of a list item; gives the differences and the engine."""
    (tmp_path / "rules").mkdir()
    files = {"churn": CHURN, "actions": ACTIONS, "workdays": WORKDAYS, "rules/usage": RULES}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)

    def differences(text):
        (tmp_path / "rules" / "usage_test.yaml").write_text(f"version: 1\ntests:\n{text}")
        cases, faults = read_cases(tmp_path, load(tmp_path, SCHEMA).rules.rules, SCHEMA)
        assert faults == []
        engine = FakeEngine()
        runner = Runner(SCHEMA, lambda _: engine, decoded)
        return runner.run(cases[0]), engine

    return differences


def decoded(raw, _file):
    """Events, and a dead letter for each that has no type of an event."""
    events = [json.loads(line) for line in raw.splitlines()]
    dead = [SimpleNamespace(reason="invalid", detail=e["type"]) for e in events if e["customer_id"] == "refused"]
    return SimpleNamespace(events=[e for e in events if e["customer_id"] != "refused"], dead=dead)


@dataclass
class FakeEngine:
    """Raises a warning for a customer at the second event, clears it a day later, and keeps what it was given."""

    seen: list = field(default_factory=list)
    due: int | None = None

    def step(self, batch, decided_at):
        self.seen += batch.events
        out = [_decision("raised")] if len(self.seen) == 2 else []
        if out:
            self.due = decided_at + 86_400_000_000
        bad = (
            [SimpleNamespace(reason="unknown_type", detail="type")]
            if any(e["customer_id"] == "bad" for e in batch.events)
            else []
        )
        return SimpleNamespace(decisions=out, dead=bad)

    def advance(self, to, _decided_at):
        done = self.due is not None and to >= self.due
        return SimpleNamespace(decisions=[_decision("cleared")] if done else [], dead=[])


def _decision(status):
    return SimpleNamespace(
        warning_id="w", status=status, tier="watch", cause="network", queue="care", customer_id="customer",
        rules=[SimpleNamespace(id="drop")], reasons=[SimpleNamespace(code="drop")],
    )  # fmt: skip


def test_values_as_expected(run):
    assert (
        run("""
  - name: low
    features: {use: 0.3, grade: low}
    exp_rules: [drop]
    exp_cleared: [high-drop]
    exp_text: {drop: {en: at 30%, zh-CN: 为30%}}
""")[0]
        == []
    )


def test_every_difference_is_named(run):
    differences = run("""
  - name: high
    features: {use: 0.3, grade: high}
    exp_rules: []
    exp_cleared: [drop]
    exp_text: {drop: {en: at 30%, zh-CN: 30%}}
""")[0]
    assert "  drop: `use < 0.4` is true (left 0.3)" in differences
    assert [one for one in differences if not one.startswith("  ")] == [
        "drop should not be true, but it is so",
        "high-drop should not be true, but it is so",
        "drop should be clear, but it is not so",
        "drop should say '30%' (zh-CN), but says '为30%'",
    ]


def test_what_a_case_leaves_out_is_unknown(run):
    assert (
        run("""
  - name: nothing known
    features: {}
    exp_rules: []
    exp_cleared: []
""")[0]
        == []
    )


EVENTS = """
  - name: story
    start: 2026-03-01T00:00:00+08:00
    input_events:
      - {at: 0h, every: 1d, times: 3, type: usage.recorded, with: {service: data, mb: 900}}
      - {at: 12h, type: bill.issued, with: {bill_id: b, amount: 9}}
    warning_test:
"""


def test_events_reach_the_engine_in_order_of_time_and_warnings_open_and_close(run):
    found, engine = run(
        EVENTS
        + """
      - {eval_time: 11h, exp_warnings: []}
      - {eval_time: 12h, exp_warnings: [{tier: watch, cause: network, queue: care, rules: [drop], reasons: [drop]}]}
      - {eval_time: 36h, exp_warnings: []}
"""
    )
    assert found == []
    assert [(event["type"], event["occurred_at"]) for event in engine.seen] == [
        ("usage.recorded", "2026-02-28T16:00:00+00:00"),
        ("bill.issued", "2026-03-01T04:00:00+00:00"),
        ("usage.recorded", "2026-03-01T16:00:00+00:00"),
    ]
    assert len({event["event_id"] for event in engine.seen}) == 3


def test_a_missing_and_a_further_warning_are_named(run):
    found, _ = run(
        EVENTS
        + """
      - {eval_time: 1h, exp_warnings: [{tier: watch}]}
      - {eval_time: 13h, exp_warnings: []}
      - {eval_time: 14h, exp_warnings: [{rules: [high-drop]}]}
"""
    )
    assert found == [
        "at 1h there should be another warning",
        "  - tier watch",
        "  + none",
        "at 13h there should be no further warning",
        "  + watch (network) by drop",
        "at 14h there should be another warning",
        "  - rules high-drop",
        "  + watch (network) by drop",
    ]


def test_a_bad_event_in_a_case_is_no_pass(run):
    found, _ = run(
        EVENTS.replace("with: {bill", "customer_id: bad, with: {bill")
        + "      - {eval_time: 12h, exp_warnings: [{tier: watch}]}\n"
    )
    assert found == ["an event of the case is bad: unknown_type: type"]


def test_an_event_that_the_decoder_refuses_is_no_pass(run):
    found, _ = run(
        EVENTS.replace("with: {bill", "customer_id: refused, with: {bill")
        + "      - {eval_time: 12h, exp_warnings: []}\n"
    )
    assert found == ["an event of the case is bad: invalid: bill.issued"]
