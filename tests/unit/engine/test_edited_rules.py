"""A saved state goes on under edited rules: what was not edited stays as it was, what is gone closes its episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from support.engines import QUICK, batch, engine, frozen, newest, said

from engine.engine import Engine
from streams import bootstrap
from streams.problems import UsageError

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
OTHERS = [f"other-{number}" for number in range(70)]


def rule(name: str, expr: str, tier: str = "warning", **more: str) -> str:
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return (
        f"      - {{alert: A{name.replace('-', '')}, id: {name}, tier: {tier}, expr: {expr}{extra}, reason: any,"
        ' text: {en: "Said", zh-CN: "说"}}\n'
    )


COMPLAINED = rule("complained", "complaints_open >= 1")
WAITING = rule("waiting", "complaints_open >= 1", "critical", **{"for": "5h"})
COOLING = rule("cooling", "complaints_30d == 1", cooldown="2d")
EBBING = rule("ebbing", "complaints_open == 1", "watch", keep_firing_for="6h")
UNHAPPY = rule("unhappy", "satisfaction_90d < 0.5")


def folder(root: Path, *rules: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "rules").mkdir(exist_ok=True)
    for name in ("churn.yaml", "actions.yaml", "workdays.yaml"):
        (root / name).write_bytes((QUICK / name).read_bytes())
    (root / "rules" / "some.yaml").write_text("version: 1\ngroups:\n  - name: some\n    rules:\n" + "".join(rules))
    return root


def event(kind: str, hours: float, customer: str = "c", **fields: Any) -> bytes:
    at = START + timedelta(hours=hours)
    common = {"type": kind, "event_id": f"{kind}{hours}", "customer_id": customer, "occurred_at": at.isoformat()}
    return json.dumps(common | fields).encode()


BEFORE = [
    event("complaint.opened", 0, complaint_id="a"),
    event("complaint.opened", 1, complaint_id="b"),  # cooling: clears; ebbing: its wait begins
    event("survey.answered", 1.5, "d", survey="csat", score=1),
]
AFTER = [event("complaint.resolved", 9, complaint_id="b"), event("usage.recorded", 60, service="voice")]


def run(made: Engine, lines: Sequence[bytes], until: float) -> list[dict[str, Any]]:
    found = [*made.step(batch(lines), 0).decisions] if lines else []
    found += made.advance(newest([batch([event("customer.returned", until)])]), 0).decisions
    return [{key: value for key, value in said(one).items() if key != "versions"} for one in found]


def saved(root: Path, lines: Sequence[bytes] = BEFORE) -> tuple[Engine, dict[str, Any]]:
    made = engine(root, model=frozen())
    made.step(batch(lines), 0)
    return made, {
        name: np.copy(part) if isinstance(part, np.ndarray) else part for name, part in made.snapshot().items()
    }


def reborn(root: Path, parts: dict[str, Any]) -> Engine:
    made = engine(root, model=frozen())
    made.restore(parts)
    return made


def test_rules_that_were_not_edited_go_on_as_if_nothing_had_been(tmp_path):
    """More rules before them, so that their bits lie in another word, and one that never fired is gone."""
    kept = [COMPLAINED, WAITING, COOLING, EBBING]
    steady, parts = saved(folder(tmp_path / "old", rule("gone", "complaints_open > 50"), *kept, UNHAPPY))
    more = [rule(name, "complaints_open > 60", cooldown="1d") for name in OTHERS]
    edited = reborn(folder(tmp_path / "new", *more, UNHAPPY, EBBING, *kept[:3]), parts)
    assert edited.decider.words == 2
    expected = run(steady, AFTER, 100)
    assert {one["status"] for one in expected} >= {"elevated"}
    assert run(edited, AFTER, 100) == expected
    assert edited.report() | {"state_bytes_per_customer": 0} == steady.report() | {"state_bytes_per_customer": 0}


def test_an_episode_of_removed_rules_alone_is_closed_at_the_clock_of_the_restore(tmp_path):
    _, parts = saved(folder(tmp_path / "old", COMPLAINED, UNHAPPY, WAITING))
    edited = reborn(folder(tmp_path / "new", UNHAPPY), parts)
    again = reborn(folder(tmp_path / "new", UNHAPPY), edited.snapshot())  # saved before its first step
    for made in (edited, again):
        found = run(made, [event("usage.recorded", 50, service="voice")], 60)
        [closed] = [one for one in found if one["customer_id"] == "c"]
        assert (closed["status"], closed["status_reason"], closed["revision"]) == ("closed", "rule_removed", 2)
        assert closed["raised_at"] == "2024-03-01T13:30:00.000000Z"
        assert made.decider.tier_of(made.partition.ids.find("d")) == "warning"
        assert not [timer for customer, timer in made.decider.timers if customer == 0]


def test_what_other_rules_hold_up_stays_open_and_its_tier_never_falls(tmp_path):
    _, parts = saved(folder(tmp_path / "old", COMPLAINED, rule("high", "complaints_open >= 2", "critical")))
    made = reborn(folder(tmp_path / "new", rule("complained", "complaints_open >= 1", "watch")), parts)
    assert run(made, [], 50) == []
    assert made.decider.tier_of(0) == "critical"
    [cleared] = run(made, [event("complaint.resolved", 51 + k, complaint_id=name) for k, name in enumerate("ab")], 60)
    assert (cleared["status"], cleared["tier"]) == ("cleared", "critical")


def test_a_new_rule_begins_idle_and_a_removed_one_that_comes_back_does_too(tmp_path):
    _, parts = saved(folder(tmp_path / "old", COMPLAINED))
    without = reborn(folder(tmp_path / "none", UNHAPPY), parts)
    run(without, [], 2)
    back = reborn(folder(tmp_path / "back", WAITING, COMPLAINED), without.snapshot())
    found = run(back, [event("usage.recorded", 3, service="voice")], 20)
    assert [(one["status"], one["raised_at"][11:16]) for one in found] == [("raised", "15:00"), ("elevated", "20:00")]


def test_other_tiers_are_refused_by_name(tmp_path):
    _, parts = saved(folder(tmp_path / "old", COMPLAINED))
    ids, episodes, log, _ = msgspec.json.decode(parts["decider.state"])
    parts["decider.state"] = msgspec.json.encode([ids, episodes, log, ["low", "high"]])
    with pytest.raises(ValueError, match=r"low, high.*watch, warning, critical"):
        reborn(folder(tmp_path / "new", COMPLAINED), parts)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("ages", lambda names: names[:-1], "ages .with move"),
        ("codes", lambda names: [*names, "humour"], "codes .without humour"),
        ("floats", lambda names: names[::-1], "floats .in another order"),
        ("feeds", lambda _: None, "feeds .with usage"),
    ],
)
def test_a_state_that_lies_otherwise_is_refused_with_what_differs(tmp_path, part, change, message):
    made, parts = saved(folder(tmp_path / "old", COMPLAINED))
    own = msgspec.json.decode(parts["engine"])
    own["layouts"][part] = change(own["layouts"][part]) or []
    parts["engine"] = msgspec.json.encode(own)
    with pytest.raises(UsageError, match=message):
        bootstrap.engine(made.decider.configuration, None, parts)


def test_a_state_that_lacks_a_part_is_refused_with_its_name(tmp_path):
    made, parts = saved(folder(tmp_path / "old", COMPLAINED))
    del parts["partition.customers.layout"]
    with pytest.raises(UsageError, match="layout"):
        bootstrap.engine(made.decider.configuration, None, parts)
