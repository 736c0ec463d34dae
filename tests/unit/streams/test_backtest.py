"""`churn rules backtest`: the engine itself over files, for two rule sets, or for a sample of the customers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engines import DEFAULT
from typer.testing import CliRunner, Result

import simulator
from events.decode import decode
from streams.commands.root import app
from streams.studies.trials import sampled


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("events") / "events.jsonl"
    simulator.simulate(80, 50, 3, str(file))
    return file


def test_it_counts_what_a_replay_counts(events: Path, tmp_path: Path) -> None:
    report, figures, page = tmp_path / "report.json", tmp_path / "figures.json", tmp_path / "page.html"
    assert churn("replay", str(events), "--report", str(report)).exit_code == 0
    done = churn("rules", "backtest", str(events), "--json", str(figures), "--out", str(page), "--language", "zh-CN")
    assert done.exit_code == 0, done.output
    told, found = json.loads(report.read_text()), json.loads(figures.read_text())
    assert found["events"] == told["events"]
    assert {
        rule: one["episodes"]["count"] for rule, one in found["new"]["by_rule"].items() if one["episodes"]["count"]
    } == told["warnings"]["by_rule"]
    for tier, one in told["outcomes"].items():
        for name in ("matured", "churned", "precision", "recall", "median_lead_days"):
            assert found["new"]["by_tier"][tier][name] == one[name], (tier, name)
    assert "规则回测" in page.read_text()
    assert "<script" not in page.read_text()


def test_a_file_that_ends_before_any_horizon_tells_no_precision(events: Path, tmp_path: Path) -> None:
    early = tmp_path / "early.jsonl"
    early.write_bytes(b"".join(line for line in events.read_bytes().splitlines(keepends=True) if early_enough(line)))
    figures, page = tmp_path / "figures.json", tmp_path / "page.html"
    done = churn("rules", "backtest", str(early), "--json", str(figures), "--out", str(page))
    assert done.exit_code == 0, done.output
    found = json.loads(figures.read_text())["new"]["by_tier"]
    assert any(one["churned"] for one in found.values())
    assert not any(one["horizons_over"] for one in found.values())
    assert "too early for a precision, no horizon is over" in done.stdout
    assert '<td class="n">–' in page.read_text()


def early_enough(line: bytes) -> bool:
    at = line.find(b'"occurred_at":"') + 15
    return line[at : at + 10] < b"2026-02-01"


def test_against_other_rules_it_says_who_flips(events: Path, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for file in (DEFAULT / "rules").glob("*.yaml"):
        if "_test" not in file.name and file.name != "complaints.yaml":
            (tmp_path / "rules" / file.name).write_bytes(file.read_bytes())
    figures, page = tmp_path / "figures.json", tmp_path / "page.html"
    options = ("--rules", str(tmp_path), "--against", str(DEFAULT), "--json", str(figures), "--out", str(page))
    done = churn("rules", "backtest", str(events), *options)
    assert done.exit_code == 0, done.output
    found = json.loads(figures.read_text())
    assert "complaint-waiting" in found["old"]["by_rule"]
    assert "complaint-waiting" not in found["new"]["by_rule"]
    assert found["flips"]["warning"]["only_old"]["customers"]["count"] > 0
    assert "only by the old" in done.stdout


def test_a_sample_is_of_whole_customers_and_always_the_same(events: Path) -> None:
    batch = decode(events.read_bytes()[:2_000_000].rpartition(b"\n")[0], "f", 1, received_at="now")
    whole = [batch.payload(index) for index in range(len(batch))]

    def customers(share: float) -> set[str]:
        part = sampled(batch, share)
        return {json.loads(part.payload(index))["customer_id"] for index in range(len(part))}

    everybody = {json.loads(one)["customer_id"] for one in whole}
    some, more = customers(0.2), customers(0.5)
    assert some < more < everybody
    assert {one for one in everybody if ":" in one} <= some
    part = sampled(batch, 0.2)
    kept = [json.loads(part.payload(index)) for index in range(len(part))]
    assert kept == [one for one in map(json.loads, whole) if one["customer_id"] in some]
    assert {index: type(fact) for index, fact in part.facts.items()}.keys() <= set(range(len(part)))


def test_a_sample_is_scaled_up_with_intervals(events: Path) -> None:
    done = churn("rules", "backtest", str(events), "--sample", "0.5")
    assert done.exit_code == 0, done.output
    assert "a sample of 50.0% scaled up" in done.stdout
    assert churn("rules", "backtest", str(events), "--sample", "0").stderr == "--sample 0: more than 0, at most 1\n"
