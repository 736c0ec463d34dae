"""Settings from the environment."""

from __future__ import annotations

import pytest

from rules.durations import HOUR, MINUTE, Duration, UtcOffset, WorkingTime
from rules.environment import overridden
from rules.settings import Deadline, Settings, TierDeadlines

SLOW = Deadline(ack=WorkingTime(HOUR), resolve=WorkingTime(8 * HOUR))
SETTINGS = Settings(
    tiers=("watch", "warning"),
    deadlines={"watch": TierDeadlines(other=SLOW), "warning": TierDeadlines(other=SLOW, high=SLOW)},
    routing={"other": "care"},
)


def applied(**environment):
    settings, faults = overridden(SETTINGS, {f"CHURN_{name}": value for name, value in environment.items()})
    assert faults == []
    return settings


def test_a_plain_setting():
    assert applied(RECHECK="12h").recheck == Duration(12 * HOUR)


def test_it_leaves_the_rest_alone():
    assert applied(RECHECK="24h") == SETTINGS


def test_a_nested_setting():
    assert applied(VALUE_CLASS__HIGH="300").value_class.high == 300.0


def test_through_mappings_of_tiers():
    found = applied(DEADLINES__WARNING__HIGH__ACK="10m", HOLD_OUT__WARNING="0.1")
    assert found.deadlines["warning"].high == Deadline(ack=WorkingTime(10 * MINUTE), resolve=WorkingTime(8 * HOUR))
    assert found.deadlines["warning"].other == SLOW
    assert found.hold_out == {"warning": 0.1}


def test_whole_sections_and_lists():
    found = applied(TIERS="[watch, warning]", DEADLINES__WATCH__HIGH="{ack: 1h, resolve: 2h}", UTC_OFFSET="+00:00")
    assert found.tiers == ("watch", "warning")
    assert found.deadlines["watch"].high == Deadline(ack=WorkingTime(HOUR), resolve=WorkingTime(2 * HOUR))
    assert found.utc_offset == UtcOffset(0)


def test_names_of_other_parts_and_of_other_programs_are_left_alone():
    environment = {"CHURN_CONFIG": "x", "CHURN_KAFKA_BOOTSTRAP": "y", "PATH": "z", "CHURNX": "1"}
    assert overridden(SETTINGS, environment) == (SETTINGS, [])


@pytest.mark.parametrize(
    ("name", "value", "message", "severity"),
    [
        ("RECHECK", "soon", "it is wrong: `soon` is no span of time", "error"),
        ("RECHECK", "", "the file is empty", "error"),
        ("HORIZON_DAYS", "0", "it must be at least 1", "error"),
        ("HORIZON_DAYS", "'30'", "it must be a whole number without quotes", "error"),
        ("VALUE_CLASS__MID", "900", "`mid` must be less than `high`", "error"),
        ("TIERS", "[watch", "the bracket is never closed", "error"),
        ("RECHEK", "12h", "`CHURN_RECHEK` is no setting; did you mean `CHURN_RECHECK`?", "warning"),
        ("VALUE_CLASS__HGIH", "1", "did you mean `CHURN_VALUE_CLASS__HIGH`?", "warning"),
        ("DEADLINES__WACH__OTHER__ACK", "1h", "did you mean `CHURN_DEADLINES__WATCH`?", "warning"),
        ("DEADLINES__WATCH__HIGH__ACK", "1h", "is no setting", "warning"),
        ("TIERS__0", "watch", "is no setting", "warning"),
        ("RECHECK__HOURS", "1", "is no setting", "warning"),
        ("WORKER_SERVICE_HOST", "10.0.0.1", "is no setting", "warning"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(name, value, message, severity):
    settings, faults = overridden(SETTINGS, {f"CHURN_{name}": value})
    assert settings == SETTINGS
    (fault,) = faults
    assert message in fault.message
    assert (fault.severity, fault.file) == (severity, f"environment CHURN_{name}")
