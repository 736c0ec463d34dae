"""The default configuration: without findings, and every case passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.features import FEATURES
from detectors.registry import DETECTORS
from rules.casefile import read_cases
from rules.caserun import Runner
from rules.check import check, render
from rules.load import load
from rules.vocabulary import schema_of

CONFIG = Path(__file__).parents[3] / "config"
SCHEMA = schema_of(FEATURES, DETECTORS)


def unused(*_):
    raise AssertionError("these cases give values, no events")


@pytest.fixture(scope="module")
def loaded():
    return load(CONFIG, SCHEMA)


def test_there_is_nothing_to_find():
    assert render(check(CONFIG, SCHEMA)) == ""


def test_every_case_passes(loaded):
    cases, faults = read_cases(CONFIG, loaded.rules.rules, SCHEMA)
    assert not faults
    runner = Runner(SCHEMA, unused, unused)
    assert {
        case.entry.name: found for case in cases if case.entry.features is not None and (found := runner.run(case))
    } == {}


def test_every_tier_has_rules(loaded):
    assert {rule.tier for rule in loaded.rules.rules} == {"watch", "warning", "critical"}


def test_a_port_out_code_or_a_cancellation_is_critical_at_once_and_asks_for_service_only(loaded):
    by_id = {rule.id: rule for rule in loaded.rules.rules}
    for rule in (by_id["porting-requested"], by_id["cancellation-requested"]):
        assert (rule.tier, rule.hold_for, rule.actions) == ("critical", 0, ("service_only",))
    assert by_id["porting-queried"].tier == "warning"


def test_high_value_has_its_own_queue_and_shorter_deadlines(loaded):
    settings = loaded.settings
    assert settings.queue("high") == "high-value"
    assert settings.queue("low") == settings.queue(None) == "care"
    for tier in settings.tiers:
        deadlines = settings.deadlines[tier]
        assert deadlines.of("high").ack < deadlines.of(None).ack
        assert deadlines.of("high").resolve < deadlines.of("low").resolve


def test_every_cause_has_an_action_at_every_tier(loaded):
    for cause in loaded.causes:
        assert all(loaded.actions_for(cause, tier) for tier in loaded.settings.tiers), cause
