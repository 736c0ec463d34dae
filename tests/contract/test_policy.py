"""After a port-out application, and for those who want to be left alone, no decision carries what policy forbids."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.decode import decode
from rules.load import load
from rules.policy import PolicyFile, compile_policy, permitted
from rules.shapes import read
from rules.yaml_source import parse
from streams import bootstrap

CONFIG = Path(__file__).parents[2] / "config"
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def pushy(tmp_path_factory):
    """The default configuration, but every rule that says what to do wants to sell and to compare."""
    folder = tmp_path_factory.mktemp("pushy") / "config"
    shutil.copytree(CONFIG, folder)
    actions = folder / "actions.yaml"
    compare = (
        "actions:\n  compare_offer:\n    text: {en: Show that we are cheaper, zh-CN: 说明我们更便宜}\n"
        "    tags: [contact, offer, comparison]\n"
    )
    actions.write_text(actions.read_text("utf-8").replace("actions:\n", compare, 1), "utf-8")
    for file in (folder / "rules").glob("*.yaml"):
        if not file.name.endswith("_test.yaml"):
            text = file.read_text("utf-8").replace(
                "actions: [service_only]", "actions: [compare_offer, contract_extend]"
            )
            file.write_text(text, "utf-8")
    return load(folder, bootstrap.schema())


def event(day: float, kind: str, **fields) -> dict:
    at = (START + timedelta(days=day)).isoformat()
    return {"type": kind, "event_id": f"{kind}-{day}-{len(fields)}", "customer_id": "c", "occurred_at": at, **fields}


def run(configuration, events: list[dict], size: int = 1000):
    engine = bootstrap.engine(configuration, None, None)
    decisions = []
    ordered = sorted(events, key=lambda one: one["occurred_at"])
    for first in range(0, len(ordered), size):
        raw = "".join(json.dumps(one) + "\n" for one in ordered[first : first + size]).encode()
        decisions += engine.step(decode(raw, "x", 1, received_at="2026-12-01T00:00:00Z"), 0).decisions
    last = datetime.fromisoformat(ordered[-1]["occurred_at"])
    decisions += engine.advance(int((last + timedelta(days=20)).timestamp() * 1e6), 0).decisions
    return decisions


def angry(first: float) -> list[dict]:
    """Graded complaints that are not settled: an open critical warning."""
    return [
        event(first + 0.1 * k, "complaint.opened", complaint_id=f"k{first}{k}", severity=4, text="信号太差 没人处理")
        for k in range(4)
    ]


def tags(configuration, decision) -> set[str]:
    return {tag for action in decision.actions for tag in configuration.actions[action.code].tags}


@pytest.mark.parametrize("size", [1, 1000])
def test_after_an_application_service_only_whatever_the_rule(pushy, size):
    story = [*angry(1), event(8, "porting.queried"), event(10, "porting.requested"), *angry(12)]
    story += [event(14, "porting.ended", result="expired"), event(15, "cancellation.requested"), *angry(30)]
    decisions = run(pushy, story, size)
    applied = (START + timedelta(days=10)).isoformat()
    before = [one for one in decisions if one.raised_at < applied[:19]]
    after = [one for one in decisions if one.raised_at >= applied[:19]]
    assert any(tags(pushy, one) & {"offer", "contact"} for one in before)
    assert any(one.status in ("raised", "elevated") and one.tier == "critical" for one in after)
    for one in after:
        assert not tags(pushy, one) & {"offer", "comparison"}
        assert all("service" in pushy.actions[action.code].tags for action in one.actions)


def test_an_open_warning_that_offers_gives_way_to_one_that_does_not(pushy):
    decisions = run(
        pushy, [event(8, "porting.queried"), event(8.1, "cancellation.requested"), event(10, "porting.requested")]
    )
    closed = [one for one in decisions if one.status_reason == "policy"]
    assert len(closed) == 1
    again = decisions[decisions.index(closed[0]) + 1]
    assert (again.status, again.raised_at, again.tier) == ("raised", closed[0].raised_at, "critical")
    assert again.warning_id != closed[0].warning_id
    assert [action.code for action in again.actions] == ["service_only"]
    assert {rule.id for rule in again.rules} >= {"porting-requested", "cancellation-requested"}


def test_an_action_that_the_configuration_has_lost_gives_way_too(pushy, tmp_path):
    """Rules are reloaded while a warning is open that proposes an action which is no more."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    for file in (folder / "actions.yaml",):
        file.write_text(file.read_text("utf-8").replace("account_manager", "key_account"), "utf-8")
    made = bootstrap.engine(pushy, None, None)

    def tell(*events: dict):
        raw = "".join(json.dumps(one) + "\n" for one in events).encode()
        return made.step(decode(raw, "x", 1, received_at="2026-12-01T00:00:00Z"), 0).decisions

    (asked,) = tell(event(1, "cancellation.requested"))
    assert [action.code for action in asked.actions] == ["compare_offer", "contract_extend"]
    made.reload(load(folder, bootstrap.schema()))
    again = tell(event(2, "porting.requested"))
    assert [one.status_reason for one in again] == ["policy", None]
    assert [action.code for action in again[-1].actions] == ["service_only"]


def test_would_be_warnings_of_shadow_rules_obey_too(tmp_path):
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    for file in (folder / "rules").glob("*.yaml"):
        if not file.name.endswith("_test.yaml"):
            text = file.read_text("utf-8").replace("actions: [service_only]", "actions: [gift_data, contract_extend]")
            file.write_text(text.replace("        tier: ", "        mode: shadow\n        tier: "), "utf-8")
    configuration = load(folder, bootstrap.schema())
    story = [event(1, "cancellation.requested"), event(2, "porting.requested"), *angry(3)]
    raw = "".join(json.dumps(one) + "\n" for one in story).encode()
    step = bootstrap.engine(configuration, None, None).step(decode(raw, "x", 1, received_at="2026-12-01T00:00:00Z"), 0)
    applied = (START + timedelta(days=2)).isoformat()[:19]
    assert not step.decisions
    assert any("offer" in tags(configuration, one) for one in step.shadow if one.raised_at < applied)
    after = [one for one in step.shadow if one.raised_at >= applied]
    assert "policy" in {one.status_reason for one in after}
    assert {action.code for one in after for action in one.actions} == {"service_only"}


def test_a_withdrawn_application_frees(pushy):
    story = [
        event(8, "porting.requested"),
        event(9, "porting.ended", result="withdrawn"),
        event(60, "cancellation.requested"),
    ]
    last = [one for one in run(pushy, story) if one.status in ("raised", "elevated")][-1]
    assert "offer" in tags(pushy, last)


def test_who_wants_to_be_left_alone_is_not_contacted(pushy):
    story = [event(0.5, "customer.profiled", do_not_contact=True), *angry(1), event(3, "cancellation.requested")]
    said = [one for one in run(pushy, story) if one.status in ("raised", "elevated")]
    assert said
    for one in said:
        assert one.actions
        assert "contact" not in tags(pushy, one)


@pytest.mark.parametrize(
    ("channels", "called"), [(["sms"], True), (["sms", " Call"], False), (["电话"], False), ([], True)]
)
def test_who_wants_no_calls_is_not_called(pushy, channels, called):
    wish = event(0.5, "customer.profiled", do_not_contact=channels)
    said = [one for one in run(pushy, [wish, *angry(1)]) if one.status in ("raised", "elevated")]
    assert said
    assert all(one.actions for one in said)
    assert any("call" in tags(pushy, one) for one in said) == called


def test_what_care_was_told_counts_as_well(pushy):
    told = event(2, "care.resolved", warning_id="w", outcome="do_not_contact")
    said = [one for one in run(pushy, [*angry(0.5), told, *angry(60)]) if one.status in ("raised", "elevated")]
    later = (START + timedelta(days=2)).isoformat()[:19]
    assert any("contact" in tags(pushy, one) for one in said if one.raised_at < later)
    after = [one for one in said if one.raised_at >= later]
    assert after
    assert not any("contact" in tags(pushy, one) for one in after)


def test_the_default_configuration_knows_the_tags_it_forbids():
    configuration = bootstrap.configuration(CONFIG)
    assert next(limit.id for limit in configuration.policy.limits) == "after-porting-application"
    assert all(action.tags for action in configuration.actions.values())
    everything = tuple(configuration.actions)
    left = permitted(everything, configuration.policy.limits[:1], configuration.actions)
    assert "service_only" in left
    assert not {"gift_data", "plan_review", "contract_extend", "care_call"} & set(left)


def faults_of(text: str) -> list[str]:
    configuration = bootstrap.configuration(CONFIG)
    document, wrong = parse("policy.yaml", text.encode())
    found, misshapen = read(document, PolicyFile)
    faults = [*wrong, *misshapen]
    if found is not None:
        faults += compile_policy(document, found, bootstrap.schema(), configuration.actions)[1]
    return [f"{fault.line}: {fault.message}" for fault in faults]


LIMIT = "version: 1\nuse: cn\npolicies:\n  cn:\n    - id: a\n      when: {when}\n      {what}\n      source: law\n"


@pytest.mark.parametrize(
    ("when", "what", "line", "words"),
    [
        ("porting_requested_day <= 90", "forbid: [offer]", 6, "porting_requested_day"),
        ("porting_requested_days <= 90", "forbid: [offers]", 7, "offer"),
        ("porting_requested_days <= 90", "instead: [service_only]", 5, "forbid"),
        ("porting_requested_days <= 90", "{forbid: [offer]", 7, ""),
        ("porting_requested_days <= 90", "forbid: [contact]\n      instead: [care_call]", 8, "forbidden by this limit"),
        ("porting_requested_days <= 90", "forbid: [contact]\n      instead: [service_onyl]", 8, "service_only"),
    ],
)
def test_faults_of_a_policy_name_the_line(when, what, line, words):
    found = faults_of(LIMIT.replace("{when}", when).replace("{what}", what))
    assert found
    assert words in found[0]
    assert found[0].startswith(f"{line}:") or not words


def test_an_unknown_policy_in_use_is_a_fault():
    assert (
        "no policy `cm`"
        in faults_of(
            LIMIT.replace("use: cn", "use: cm").replace("{when}", "risk > 0.5").replace("{what}", "forbid: [offer]")
        )[0]
    )
