"""`churn report` as people run it, and its page in a real browser."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import simulator
from streams.commands.root import app

CHURN = (sys.executable, "-c", "from streams.commands.root import main; main()")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def churn(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CHURN, *map(str, arguments)], capture_output=True, check=False, text=True)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the events, the state of a replay of them, and reports made of both."""
    folder = tmp_path_factory.mktemp("report")
    simulator.simulate(120, 75, 3, folder / "events.jsonl.gz")
    for command in (
        ("replay", folder / "events.jsonl.gz", "--state", folder / "state", "--report", folder / "replay.json"),
        ("report", "--state", folder / "state", "--out", folder / "en.html", "--json", folder / "state.json"),
        ("report", folder / "events.jsonl.gz", "--out", folder / "zh.html", "--json", folder / "files.json",
         "--language", "zh-CN"),
    ):  # fmt: skip
        done = churn(*command)
        assert (done.returncode, done.stderr) == (0, ""), command
    return folder


def test_from_a_state_and_from_the_files_the_numbers_are_the_same(reports: Path) -> None:
    numbers = json.loads((reports / "state.json").read_text())
    assert numbers == json.loads((reports / "files.json").read_text())
    replayed = json.loads((reports / "replay.json").read_text())
    by_tier = {tier: one["warnings"] for tier, one in numbers["warnings"]["by_tier"].items()}
    assert by_tier == {tier: n for tier, n in replayed["warnings"]["by_tier"].items() if n}
    by_rule = {rule: one["warnings"] for rule, one in numbers["warnings"]["by_rule"].items()}
    assert by_rule == replayed["warnings"]["by_rule"]
    for tier, figures in replayed["outcomes"].items():
        assert {key: numbers["outcomes"][tier][key] for key in figures if key != "held_out"} == {
            key: value for key, value in figures.items() if key != "held_out"
        }
    assert numbers["complaints"]["count"] > 0
    assert numbers["period"]["days"] == 75
    assert numbers["warnings"]["by_region"].keys() - {"unknown"}


def test_no_customer_is_named(reports: Path) -> None:
    with gzip.open(reports / "events.jsonl.gz", "rt") as file:
        ids = {json.loads(line)["customer_id"] for line in file}
    people = {one for one in ids if not one.startswith(("cell:", "market:"))}
    for name in ("en.html", "zh.html", "state.json"):
        text = (reports / name).read_text()
        assert not [one for one in people if one in text]


def test_a_part_of_the_period(reports: Path) -> None:
    out = reports / "part.json"
    done = churn("report", "--state", reports / "state", "--from", "2026-02-01", "--to", "2026-02-28",
                 "--out", reports / "part.html", "--json", out)  # fmt: skip
    assert done.returncode == 0, done.stderr
    period = json.loads(out.read_text())["period"]
    assert (period["from"], period["to"], period["days"]) == ("2026-02-01", "2026-02-28", 28)


def test_a_silent_pilot_on_own_data(reports: Path) -> None:
    out, events = reports / "pilot.json", reports / "events.jsonl.gz"
    for language in ("en", "zh-CN"):
        done = churn(
            "report", events, "--pilot", "--language", language, "--out", reports / "pilot.html", "--json", out
        )
        assert (done.returncode, done.stderr) == (0, "")
    numbers = json.loads(out.read_text())
    assert numbers["pilot"]["contacts"]["silent"]
    assert "静默试点报告" in (reports / "pilot.html").read_text()
    work = sum(sum(team["per_day"].values()) for team in numbers["pilot"]["load"].values())
    assert work >= numbers["warnings"]["count"] > 0
    contact = {"type": "care.contacted", "event_id": "x", "customer_id": "c0000001", "channel": "phone"}
    (reports / "more.jsonl").write_text(json.dumps(contact | {"occurred_at": "2026-02-20T10:00:00+08:00"}) + "\n")
    loud = churn("report", events, reports / "more.jsonl", "--pilot", "--out", reports / "loud.html", "--json", out)
    assert loud.returncode == 0
    assert "not a silent period" in loud.stderr
    assert not json.loads(out.read_text())["pilot"]["contacts"]["silent"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give files of events"),
        (("nowhere.jsonl",), "nowhere.jsonl: no such file"),
        (("--state", "nowhere"), "give files of events"),
        (("--state", ".", "--from", "yesterday"), "--from yesterday: not a date"),
        (("--state", ".", "--language", "fr"), "--language fr"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, ["report", *arguments, "--out", "/nowhere/report.html"])
    assert done.exit_code == 2
    assert said in done.output


def test_outputs_are_looked_at_before_the_work(reports: Path) -> None:
    events = reports / "events.jsonl.gz"
    before = events.read_bytes()
    for out, code in ((events, 2), (reports / "nowhere" / "r.html", 3)):
        done = CliRunner().invoke(app, ["report", str(events), "--out", str(out)])
        assert done.exit_code == code, done.output
    same = str(reports / "x.html")
    assert CliRunner().invoke(app, ["report", str(events), "--out", same, "--json", same]).exit_code == 2
    assert events.read_bytes() == before


def test_a_period_that_was_not_counted_is_2(reports: Path) -> None:
    done = churn("report", "--state", reports / "state", "--from", "2030-01-01", "--out", reports / "none.html")
    assert done.returncode == 2
    assert "nothing of that period" in done.stderr
    assert not (reports / "none.html").exists()


def browser() -> str:
    """Debian's Chromium; without it the test is skipped, but not in CI."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed, and CI has to look at the report")
        pytest.skip("chromium is not installed (apt-get install chromium)")
    return found


def shown(page: Path, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [browser(), *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *options]
    return subprocess.run([*command, page.as_uri()], capture_output=True, check=True, text=True, timeout=120)


@pytest.mark.parametrize(("name", "words"), [("en.html", "How good the warnings were"), ("zh.html", "预警质量")])
def test_a_browser_shows_it_and_complains_of_nothing(reports: Path, tmp_path: Path, name: str, words: str) -> None:
    done = shown(reports / name, "--dump-dom", folder=tmp_path)
    assert words in done.stdout
    assert done.stdout.count("<svg") > 10
    assert "CONSOLE" not in done.stderr  # what breaks the page's own policy is said there


def test_a_browser_draws_it(reports: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    shown(reports / "en.html", "--window-size=1000,1400", f"--screenshot={picture}", folder=tmp_path)
    raw = picture.read_bytes()
    assert struct.unpack(">II", raw[16:24]) == (1000, 1400)
    assert len(raw) > 50_000  # an empty page is a few kilobytes
