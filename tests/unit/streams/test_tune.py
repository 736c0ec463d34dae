"""`churn rules tune` over files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engines import DEFAULT
from typer.testing import CliRunner, Result

import simulator
from rules.load import load
from streams import bootstrap
from streams.commands.root import app
from streams.commands.tune import patches
from streams.replay import Job, replay
from streams.studies.tuning import Candidate, fires


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("events") / "events.jsonl"
    simulator.simulate(100, 75, 4, str(file))
    return file


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As much as it takes for warnings to mature before the split and after it."""
    file = tmp_path_factory.mktemp("events") / "longer.jsonl"
    simulator.simulate(100, 100, 4, str(file))
    return file


def copied(root: Path) -> Path:
    (root / "rules").mkdir(parents=True)
    for file in DEFAULT.rglob("*.yaml"):
        (root / file.relative_to(DEFAULT)).write_bytes(file.read_bytes())
    return root


def test_a_candidate_fires_where_the_rule_itself_would(events: Path) -> None:
    """A rule without waits, tried at its own value, fires exactly when it does live."""
    configuration = load(DEFAULT, bootstrap.schema(), {})
    same, other = Candidate("complaint-waiting", "wait", 3.0), Candidate("complaint-waiting", "wait", 9.0)
    _, fired = fires([str(events)], configuration, [same, other], 1.0, None, lambda *_: None)
    live = bootstrap.engine(configuration, None, None)

    replay(Job([str(events)]), lambda _: live, print)
    joined = [
        (line.customer, line.rules["complaint-waiting"])
        for line in live.decider.log.episodes
        if "complaint-waiting" in line.rules
    ]
    assert joined
    assert set(joined) <= set(fired[same])  # within an episode only its first firing is noted
    assert len(fired[other]) < len(fired[same])


def test_the_guard_does_not_stop_the_count(tmp_path: Path) -> None:
    """A live rule that fires for everybody would be held from midnight on; what is tried is counted all the same."""
    file = tmp_path / "events.jsonl"
    lines = [
        {
            "type": "complaint.opened",
            "event_id": f"{day}-{customer}",
            "customer_id": f"c{customer}",
            "complaint_id": f"{day}-{customer}",
            "occurred_at": f"2026-01-{day:02}T10:00:00Z",
        }
        for day in range(1, 29)
        for customer in range(6 * day, 6 * day + 6)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    configuration = load(DEFAULT, bootstrap.schema(), {"CHURN_GUARD__AT_LEAST": "1", "CHURN_GUARD__SHARE": "0.01"})
    tried = Candidate("complaints-repeated", "many", 1.0)
    trial, fired = fires([str(file)], configuration, [tried], 1.0, None, lambda *_: None)
    assert len(fired[tried]) == trial.known == 168


def test_it_chooses_says_and_writes(longer: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path / "config")
    page, figures = tmp_path / "tune.html", tmp_path / "tune.json"
    arguments = (
        "rules",
        "tune",
        str(longer),
        "--config",
        str(folder),
        "--rule",
        "complaint-waiting",
        "--precision",
        "0.05",
    )
    before = (folder / "rules" / "complaints.yaml").read_text()
    done = churn(
        *arguments, "--from", "1", "--to", "8", "--steps", "8", "--out", str(page), "--json", str(figures), "--write"
    )
    assert done.exit_code == 0, done.output
    found = json.loads(figures.read_text())
    (curve,) = found["curves"]
    assert [row["value"] for row in curve["tried"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    promised, later = found["chosen"]["promised"], found["chosen"]["later"]
    if later["matured"]:
        assert promised["kept"] == (promised["low"] <= later["precision"] <= promised["high"])
        assert "the earlier part promised" in done.stdout
    days = [row["earlier"]["warnings"] for row in curve["tried"]]
    assert days == sorted(days, reverse=True)
    after = (folder / "rules" / "complaints.yaml").read_text()
    if curve["chosen"] != 3:
        assert f"+        params: {{wait: {curve['chosen']:g}}}" in done.stdout
    assert after == before.replace("params: {wait: 3}", f"params: {{wait: {curve['chosen']:g}}}")
    assert "<svg" in page.read_text()
    assert churn("rules", "check", "--config", str(folder)).exit_code == 0


def test_a_whole_tier_keeps_to_the_goal_together(longer: Path, tmp_path: Path) -> None:
    figures = tmp_path / "tune.json"
    done = churn(
        "rules",
        "tune",
        str(longer),
        "--tier",
        "warning",
        "--precision",
        "0.1",
        "--capacity",
        "1",
        "--steps",
        "3",
        "--json",
        str(figures),
    )
    assert done.exit_code in {0, 1}, done.output
    found = json.loads(figures.read_text())
    if found["chosen"]:
        assert found["chosen"]["earlier"]["precision"] >= 0.1
        assert found["chosen"]["earlier"]["a_day"] <= 1


def test_an_impossible_goal_is_a_finding(longer: Path) -> None:
    done = churn("rules", "tune", str(longer), "--rule", "bill-shock", "--precision", "0.99", "--steps", "2")
    assert done.exit_code == 1
    assert "no value keeps to the goal" in done.stdout


BILLS = ("--precision", "0.3", "--rule", "bill-shock")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rule", "bill-shock"), "give --precision or --cost-ratio"),
        (("--precision", "0.3"), "give --rule or --tier"),
        (("--precision", "3", "--rule", "x"), "--precision 3: between 0 and 1"),
        (("--precision", "0.3", "--rule", "bill-shock", "--split", "half"), "--split half: a share, or a day"),
        (("--precision", "0.3", "--rule", "bill-shock", "--split", "2"), "--split 2: between 0.1 and 0.9"),
        (("--precision", "0.3", "--rule", "bil-shock"), "; did you mean `bill-shock`?"),
        (
            ("--precision", "0.3", "--rule", "bill-shock", "--param", "x"),
            "rule `bill-shock` has no parameter `x` that is a number",
        ),
        (("--precision", "0.3", "--tier", "grave"), "--tier grave: watch, warning, critical"),
        (("--precision", "nan", "--rule", "bill-shock"), "--precision nan: between 0 and 1"),
        (("--cost-ratio", "nan", "--rule", "bill-shock"), "--cost-ratio nan: a number, more than 1"),
        (("--cost-ratio", "inf", "--rule", "bill-shock"), "--cost-ratio inf: a number, more than 1"),
        (("--cost-ratio", "0", "--rule", "bill-shock"), "--cost-ratio 0: a number, more than 1"),
        ((*BILLS, "--capacity", "0"), "--capacity 0: a number, more than 0"),
        ((*BILLS, "--capacity", "nan"), "--capacity nan: a number, more than 0"),
        ((*BILLS, "--sample", "7"), "--sample 7: more than 0, at most 1"),
        ((*BILLS, "--sample", "0"), "--sample 0: more than 0, at most 1"),
        ((*BILLS, "--sample", "nan"), "--sample nan: more than 0, at most 1"),
        ((*BILLS, "--language", "fr"), "--language fr: en or zh-CN"),
        ((*BILLS, "--from", "nan"), "--from nan: a number"),
        ((*BILLS, "--to", "inf"), "--to inf: a number"),
        (("--precision", "0.3", "--tier", "warning", "--param", "wait"), "--param and --tier: of each rule of a tier"),
        (("--precision", "0.3", "--tier", "warning", "--from", "2"), "--from and --tier: each rule of a tier is tried"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, events: Path) -> None:
    done = churn("rules", "tune", str(events), *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_written_keeps_ends_of_lines_permissions_and_links(tmp_path: Path) -> None:
    folder = copied(tmp_path / "config")
    link, real = folder / "rules" / "complaints.yaml", tmp_path / "kept.yaml"
    link.rename(real)
    link.symlink_to(real)
    crlf = real.read_bytes().replace(b"\n", b"\r\n")
    real.write_bytes(crlf)
    real.chmod(0o640)
    configuration = load(folder, bootstrap.schema(), {})
    patches(configuration, [Candidate("complaint-waiting", "wait", 7.0)], write=True)
    assert real.read_bytes() == crlf.replace(b"params: {wait: 3}", b"params: {wait: 7}") != crlf
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [folder, real]  # nothing half written stays
