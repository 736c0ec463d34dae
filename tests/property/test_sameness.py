"""Each decision is as if the customer's events were evaluated one by one, whatever the batches (contract, "Sameness")."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, QUICK, Outcome, batch, cut, engine, every, run
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

from events.contract import TYPE_NAMES

pytestmark = pytest.mark.usefixtures("eager_model")
SHORT = settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
CALM = [TYPES.index(name) for name in ("usage.recorded", "complaint.opened", "complaint.resolved", "balance.reported")]
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]


def same(one: Outcome, other: Outcome) -> None:
    for first, second in zip(one.decisions, other.decisions, strict=False):
        assert first == second
    assert len(one.decisions) == len(other.decisions)
    assert one.scores == other.scores
    assert one.report == other.report
    assert one.counts == other.counts
    assert one.incidents == other.incidents


@SHORT
@given(moments(30))
def test_one_batch_is_as_one_by_one(stream):
    whole = lines(stream)
    same(run(engine(), [whole]), run(engine(), every(1, whole)))


@SHORT
@given(moments(30), st.lists(st.integers(1, 9), max_size=8), st.lists(st.integers(1, 9), max_size=8))
def test_where_batches_are_cut_makes_no_difference(stream, sizes, other_sizes):
    whole = lines(stream)
    same(run(engine(), cut(whole, sizes)), run(engine(), cut(whole, other_sizes)))


@pytest.mark.parametrize("folder", [QUICK, DEFAULT], ids=["quick", "default"])
@pytest.mark.parametrize("seed", range(2))
def test_long_lives_in_batches_of_every_size(seed, folder):
    whole = lines(random_moments(seed, 250, customers=5))
    reference = run(engine(folder), every(1, whole))
    assert reference.decisions
    for size in (7, len(whole)):
        same(run(engine(folder), every(size, whole)), reference)


@pytest.mark.parametrize("seed", [1, 4])
def test_calm_lives_in_which_episodes_end_by_themselves(seed):
    whole = lines(random_moments(seed, 300, customers=5, types=CALM))
    reference = run(engine(), every(1, whole))
    assert "risk_fell" in {decision["status_reason"] for decision in reference.decisions}
    for size in (7, len(whole)):
        same(run(engine(), every(size, whole)), reference)


@pytest.mark.parametrize("seed", [1, 4])
def test_a_model_that_learns_takes_effect_at_the_same_moments(seed):
    whole = lines(random_moments(seed, 500, customers=8, types=LIVES * 5 + list(range(len(TYPES)))))
    reference = run(engine(), every(1, whole))
    assert any(decision["risk"] is not None for decision in reference.decisions)
    assert any(hit["id"] == "risk-seen" for decision in reference.decisions for hit in decision["rules"])
    for size in (3, len(whole)):
        same(run(engine(), every(size, whole)), reference)


@pytest.mark.parametrize("seed", range(2))
def test_what_care_resolves_opens_again_at_the_same_facts(seed):
    """Care resolves every warning, some right after the event that raised it, some a few events later."""
    whole, chance = lines(random_moments(seed, 250, customers=3)), random.Random(seed)
    waiting, found = [], []
    alone = engine()
    for number, line in enumerate(whole):
        found.append(line)
        raised = [one for one in alone.step(batch([line]), 0).decisions if one.status == "raised"]
        at = json.loads(line)["occurred_at"]
        fields = {"type": "care.resolved", "occurred_at": at, "outcome": "retained"}
        waiting += [
            fields | {"event_id": one.warning_id, "warning_id": one.warning_id, "customer_id": one.customer_id}
            for one in raised
        ]
        if waiting and (number % 2 or chance.random() < 0.5):
            found.append(json.dumps(waiting.pop(0) | {"occurred_at": at}).encode())
            alone.step(batch(found[-1:]), 0)
    reference = run(engine(), every(1, found))
    assert sum(decision["status_reason"] == "resolved" for decision in reference.decisions) > 5
    for size in (7, len(found)):
        same(run(engine(), every(size, found)), reference)


def test_more_rules_than_one_word_of_bits_holds(tmp_path):
    shutil.copytree(QUICK, tmp_path / "many")
    rule = (
        "      - {{alert: Many{0}, id: many-{0}, tier: watch, expr: uses_7d >= {1}, clear_expr: uses_7d < {2}, for: {3}m,"
        ' cooldown: {0}m, reason: many, text: {{en: "Many", zh-CN: "多"}}}}\n'
    )
    rules = "".join(rule.format(k, k % 7 + 1, k % 5 / 10, k % 3 * 5) for k in range(1, 80))
    Path(tmp_path / "many" / "rules" / "aaa.yaml").write_text(
        f"version: 1\ngroups:\n  - name: many\n    rules:\n{rules}"
    )
    whole = lines(random_moments(5, 250))
    reference = run(engine(tmp_path / "many"), every(1, whole))
    hits = {hit["id"] for decision in reference.decisions for hit in decision["rules"]}
    assert hits & {f"many-{k}" for k in range(1, 60)}
    assert hits & {rule.id for rule in engine(QUICK).decider.rules}  # those come after them
    same(run(engine(tmp_path / "many"), [whole]), reference)
    same(run(engine(tmp_path / "many"), every(7, whole)), reference)


def test_the_streams_reach_what_they_are_for():
    """Else the tests above could not fail."""
    decisions, incidents, kinds, counts = [], [], Counter(), [0, 0, 0]
    for seed in range(6):
        types = (None, LIVES * 3 + list(range(len(TYPES))), [*CALM, TYPES.index("line.changed")])[seed % 3]
        stream = random_moments(seed, 400, customers=5, types=types)
        kinds.update(TYPES[moment.type] for moment in stream)
        outcome = run(engine(), [lines(stream)])
        decisions += outcome.decisions
        incidents += outcome.incidents
        counts = [before + count for before, count in zip(counts, outcome.counts, strict=True)]
    assert min(counts) > 0
    assert set(kinds) == set(TYPE_NAMES)
    assert {decision["status"] for decision in decisions} == {"raised", "elevated", "cleared", "closed"}
    assert {decision["tier"] for decision in decisions} == {"watch", "warning", "critical"}
    reasons = {decision["status_reason"] for decision in decisions}
    assert reasons >= {"churned", "suspended", "resolved", "risk_fell"}
    hits = {hit["id"] for decision in decisions for hit in decision["rules"]}
    assert hits == {rule.id for rule in engine().decider.rules} - {
        "silent",
        "risk-high",
    }  # test_silence.py; few learn so much
    assert {incident["status"] for incident in incidents} >= {"opened", "resolved"}
    codes = {reason["code"] for decision in decisions for reason in decision["reasons"]}
    assert "network_incident" in codes
    assert any(decision["held_out"] for decision in decisions)
    assert any(decision["account_id"] for decision in decisions)
