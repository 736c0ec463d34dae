"""Shadow rules: judged on live data, never heard of in episodes, and nothing live is another because of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import QUICK, batch, engine, every, frozen, newest, run, said
from support.profiles import examples
from support.small_streams import lines, moments, random_moments
from typer.testing import CliRunner

from streams.checkpoint import read_state, write_state
from streams.commands.root import app

RULE = (
    "      - {{alert: {alert}, id: {id}, tier: {tier}, mode: {mode}, expr: {expr}, {more}reason: any,"
    ' text: {{en: "Said", zh-CN: "说"}}}}\n'
)


def folder(root: Path, *rules: dict[str, str], keep: bool = True) -> Path:
    """The quick rules, and others beside them."""
    (root / "rules").mkdir(parents=True)
    for name in ("churn.yaml", "actions.yaml", "workdays.yaml"):
        (root / name).write_bytes((QUICK / name).read_bytes())
    if keep:
        (root / "rules" / "quick.yaml").write_bytes((QUICK / "rules" / "quick.yaml").read_bytes())
    if rules:
        text = "".join(RULE.format(**{"mode": "shadow", "tier": "watch", "more": ""} | rule) for rule in rules)
        (root / "rules" / "trial.yaml").write_text(f"version: 1\ngroups:\n  - name: trial\n    rules:\n{text}")
    return root


TRIALS = (
    {"alert": "TrialBusy", "id": "trial-busy", "expr": "uses_1d >= 1", "more": "for: 5m, cooldown: 3h, "},
    {"alert": "TrialSilent", "id": "trial-silent", "expr": "days_since_use > 0.3", "more": "keep_firing_for: 5m, "},
    {"alert": "TrialSad", "id": "trial-sad", "expr": "complaints_open >= 1", "tier": "critical"},
)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("trial") / "config", *TRIALS)


@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(30), st.integers(1, 9))
def test_live_decisions_are_the_same_with_and_without_shadow_rules(trial: Path, stream, size: int) -> None:
    whole = lines(stream)
    without, beside = (run(engine(one, model=frozen()), every(size, whole)) for one in (QUICK, trial))
    strip = [[{k: v for k, v in one.items() if k != "versions"} for one in got.decisions] for got in (without, beside)]
    assert strip[0] == strip[1]
    assert without.scores == beside.scores
    assert without.report["warnings"] == beside.report["warnings"]


def would_be(made, whole, size) -> list[dict]:
    found = []
    for start in range(0, len(whole), size):
        found += map(said, made.step(batch(whole[start : start + size]), 0).shadow)
    return [*found, *map(said, made.advance(newest([batch(whole)]), 0).shadow)]


def test_would_be_warnings_do_not_depend_on_how_the_stream_was_cut(trial: Path) -> None:
    whole = lines(random_moments(5, 300, customers=6))
    found = [sorted(would_be(engine(trial, model=frozen()), whole, size), key=json.dumps) for size in (1, 7, 300)]
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_they_are_what_the_rule_says_of_the_same_moments_when_it_is_live(tmp_path: Path) -> None:
    """Without waits of its own a shadow rule decides as it would live."""
    sad = {"alert": "TrialSad", "id": "trial-sad", "expr": "complaints_open >= 1", "tier": "critical"}
    whole = lines(random_moments(6, 300, customers=6))
    shadow = engine(
        folder(tmp_path / "a", sad, dict(sad, id="other", alert="Other", mode="live", expr="uses_1d < 0"), keep=False),
        model=frozen(),
    )
    live = engine(folder(tmp_path / "b", sad | {"mode": "live"}, keep=False), model=frozen())
    expected = run(live, every(10, whole)).decisions
    got = sorted(would_be(shadow, whole, 10), key=lambda one: (one["raised_at"], one["customer_id"], one["revision"]))
    ignore = {"versions", "status_reason"}  # care resolves what is live, by its warning_id
    assert [{k: v for k, v in one.items() if k not in ignore} for one in got] == [
        {k: v for k, v in one.items() if k not in ignore} for one in expected
    ]


def test_a_saved_state_goes_on_with_them(trial: Path, tmp_path: Path) -> None:
    whole = lines(random_moments(7, 200, customers=5))
    steady, mortal = engine(trial, model=frozen()), engine(trial, model=frozen())
    for start in range(0, len(whole), 20):
        with (tmp_path / "state").open("wb") as out:
            write_state(out, mortal.snapshot())
        mortal = engine(trial, model=frozen())
        mortal.restore(read_state(tmp_path / "state"))
        part = batch(whole[start : start + 20])
        assert [*map(said, steady.step(part, 0).shadow)] == [
            *map(said, mortal.step(batch(whole[start : start + 20]), 0).shadow)
        ]
    assert steady.report()["shadow"] == mortal.report()["shadow"]
    np.testing.assert_array_equal(steady.shadow.bits, mortal.shadow.bits)


def test_they_go_to_their_own_file_and_the_report_compares_them(trial: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\n".join(lines(random_moments(8, 400, customers=8))) + b"\n")
    outs = {name: tmp_path / f"{name}.jsonl" for name in ("warnings", "shadow")}
    report = tmp_path / "report.json"
    options = [part for name, file in outs.items() for part in (f"--{name}", str(file))]
    done = CliRunner().invoke(app, ["replay", str(events), "--config", str(trial), *options, "--report", str(report)])
    assert done.exit_code == 0, done.output
    rules = {
        name: {rule["id"] for one in map(json.loads, file.open()) for rule in one["rules"]}
        for name, file in outs.items()
    }
    assert rules["shadow"] == {"trial-busy", "trial-silent", "trial-sad"}
    assert not any(name.startswith("trial-") for name in rules["warnings"])
    told = json.loads(report.read_text())["shadow"]
    assert told["rules"]["trial-sad"]["also_live"] > 0
    assert told["rules"]["trial-sad"]["episodes"] == told["warnings"]["by_rule"]["trial-sad"]
