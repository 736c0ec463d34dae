"""A rule that concerns too many customers at once is held as a shadow rule until somebody says yes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import QUICK, batch, frozen, newest

from engine.engine import Engine
from rules.load import Configuration, load
from streams.bootstrap import schema
from streams.checkpoint import read_state, write_state

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
RULE = "      - {{alert: {alert}, id: {id}, tier: watch, expr: {expr}, reason: any, text: {{en: Said, zh-CN: 说}}}}\n"


def configured(
    root: Path, exprs: dict[str, str], guard: str = "{share: 0.5, at_least: 5}", more: str = ""
) -> Configuration:
    (root / "rules").mkdir(parents=True, exist_ok=True)
    for name in ("churn.yaml", "actions.yaml", "workdays.yaml"):
        text = (QUICK / name).read_text()
        (root / name).write_text(text + f"guard: {guard}\n{more}" if name == "churn.yaml" else text)
    rules = "".join(RULE.format(alert=f"A{name}", id=name, expr=expr) for name, expr in exprs.items())
    (root / "rules" / "some.yaml").write_text(f"version: 1\ngroups:\n  - name: some\n    rules:\n{rules}")
    return load(root, schema(), {})


def event(kind: str, hours: float, customer: str, **fields: Any) -> bytes:
    at = START + timedelta(hours=hours)
    common = {
        "type": kind,
        "event_id": f"{kind}{hours}{customer}",
        "customer_id": customer,
        "occurred_at": at.isoformat(),
    }
    return json.dumps(common | fields).encode()


def used(hours: float, customers: int = 10) -> list[bytes]:
    return [
        event("usage.recorded", hours + k / 60, f"c{k}", service="voice", seconds=60, count=3) for k in range(customers)
    ]


def complaints(hours: float, customers: int) -> list[bytes]:
    return [event("complaint.opened", hours + k / 60, f"c{k}", complaint_id=f"{hours}") for k in range(customers)]


CALM = {"sad": "complaints_open >= 1"}


def test_an_edit_that_is_true_of_too_many_is_held_and_kept_in_shadow(tmp_path: Path) -> None:
    made = Engine(configured(tmp_path / "a", CALM), frozen())
    made.step(batch(used(0)), 0)
    wild = configured(tmp_path / "b", CALM | {"wild": "uses_1d >= 1"})
    (alarm,) = made.reload(wild)
    assert (alarm.rule, alarm.why, alarm.customers, alarm.share) == ("wild", "edited", 10, 1.0)
    assert str(alarm).startswith("rule `wild` would be true of 10 customers (100.0%)")
    done = made.step(batch(used(1)), 0)
    assert not done.decisions
    assert {rule.id for one in done.shadow for rule in one.rules} == {"wild"}
    assert made.reload(wild) == []  # and it stays held
    assert [rule.id for rule in made.decider.rules] == ["sad"]
    made.release("wild")
    assert {rule.id for one in made.step(batch(used(2)), 0).decisions for rule in one.rules} == {"wild"}
    assert made.reload(wild) == []  # what is live and not edited is not looked at again


def test_an_edit_that_is_not_is_live_at_once_and_small_populations_are_left_alone(tmp_path: Path) -> None:
    made = Engine(configured(tmp_path / "a", CALM), frozen())
    made.step(batch(used(0)), 0)
    assert made.reload(configured(tmp_path / "b", CALM | {"some": "uses_1d >= 99"})) == []
    assert made.reload(configured(tmp_path / "c", CALM | {"wild": "uses_1d >= 1"}, "{share: 0.5, at_least: 11}")) == []
    assert [rule.id for rule in made.decider.rules] == ["sad", "wild"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_rule_that_suddenly_fires_for_too_many_is_held_at_the_end_of_the_day(tmp_path: Path, size: int) -> None:
    made = Engine(configured(tmp_path / "a", CALM | {"used": "uses_30d >= 1000"}), frozen())
    stream = [
        *used(0),
        *complaints(2, 8),
        *used(30),
        *(event("complaint.opened", 31, f"c{k}", complaint_id="z") for k in (8, 9)),
        *used(60),
    ]
    alarms, decided, shadow = [], [], []
    for start in range(0, len(stream), size):
        done = made.step(batch(stream[start : start + size]), 0)
        alarms += done.alarms
        decided += done.decisions
        shadow += done.shadow
    assert [(one.rule, one.why, one.customers, one.share) for one in alarms] == [("sad", "sudden", 8, 0.8)]
    assert sorted((one.customer_id, one.status) for one in decided) == sorted(
        (f"c{k}", status) for k in range(8) for status in ("raised", "closed")
    )
    assert {one.status_reason for one in decided if one.status == "closed"} == {"rule_removed"}
    assert {"c8", "c9"} <= {one.customer_id for one in shadow}


def test_what_is_held_stays_held_over_a_restart(tmp_path: Path) -> None:
    made = Engine(configured(tmp_path / "a", CALM), frozen())
    made.step(batch(used(0)), 0)
    wild = configured(tmp_path / "b", CALM | {"wild": "uses_1d >= 1"})
    made.reload(wild)
    with (tmp_path / "state").open("wb") as out:
        write_state(out, made.snapshot())
    again = Engine(wild, frozen())
    again.restore(read_state(tmp_path / "state"))
    assert again.held.keys() == {"wild"}
    assert not again.step(batch(used(1)), 0).decisions
    other = Engine(
        configured(tmp_path / "c", CALM | {"wild": "uses_1d >= 2"}), frozen()
    )  # another version: looked at anew
    other.restore(read_state(tmp_path / "state"))
    assert not other.held


def test_settings_that_state_rests_on_need_a_restart_and_nothing_changes(tmp_path: Path) -> None:
    made = Engine(configured(tmp_path / "a", CALM), frozen())
    made.step(batch([*used(0), *complaints(1, 2)]), 0)
    before = {name: np.copy(part) if isinstance(part, np.ndarray) else part for name, part in made.snapshot().items()}
    root = tmp_path / "b"
    configured(root, CALM)
    (root / "churn.yaml").write_text(
        (root / "churn.yaml").read_text().replace("horizon_days: 1\n", "horizon_days: 2\n")
    )
    with pytest.raises(ValueError, match="`horizon_days` cannot be changed while the engine runs"):
        made.reload(load(root, schema(), {}))
    for name, part in made.snapshot().items():
        assert np.asarray(part).tobytes() == np.asarray(before[name]).tobytes(), name


def test_each_warning_names_the_version_that_made_it(tmp_path: Path) -> None:
    first, second = configured(tmp_path / "a", CALM), configured(tmp_path / "b", {"sad": "complaints_open >= 2"})
    made = Engine(first, frozen())
    (one,) = made.step(batch([*used(0), *complaints(1, 1)]), 0).decisions
    made.reload(second)
    stream = [event("complaint.opened", 2, "d", complaint_id=name) for name in ("x", "y")]
    (other,) = made.step(batch([stream[0], event("complaint.opened", 2.1, "d", complaint_id="y")]), 0).decisions
    assert [one.versions["rules"], other.versions["rules"]] == [first.rules.version, second.rules.version]
    assert newest([batch(stream)])
