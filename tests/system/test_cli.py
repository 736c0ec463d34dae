"""The command as people run it: exit codes, messages, files."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHURN = (sys.executable, "-c", "from streams.commands.root import main; main()")


def churn(*arguments: str | Path, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*CHURN, *map(str, arguments)],
        input=given,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "COLUMNS": "100", "PYTHONUTF8": "1", **environment},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulated") / "events.jsonl"
    done = churn("simulate", "--customers", "60", "--days", "40", "--seed", "3", "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_the_default_configuration_is_fine() -> None:
    for command in (("config", "check"), ("rules", "check"), ("rules", "test")):
        done = churn(*command)
        assert done.returncode == 0, done.stdout
        assert done.stderr == ""


def test_bad_configuration_names_its_place(tmp_path: Path, events: Path) -> None:
    copy = tmp_path / "config"
    source = Path(__file__).parents[2] / "config"
    for path in source.rglob("*.yaml"):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    settings = copy / "churn.yaml"
    settings.write_text(settings.read_text() + "\nhorizont: 3\n")
    line = len(settings.read_text().splitlines())

    checked = churn("config", "check", CHURN_CONFIG=str(copy))
    assert checked.returncode == 1
    assert f"{settings}:{line}:1: " in checked.stdout

    run = churn("replay", events, "--config", copy)
    assert run.returncode == 2
    assert f"{settings}:{line}:1: " in run.stderr
    assert "Traceback" not in run.stderr


def test_an_output_that_cannot_be_written_is_3(events: Path) -> None:
    done = churn("replay", events, "--warnings", "/nowhere/w.jsonl")
    assert done.returncode == 3
    assert "/nowhere/w.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("replay", "{events}"), ("rules", "features")])
def test_a_reader_that_has_seen_enough_is_no_fault(events: Path, command: tuple[str, ...]) -> None:
    seen, shown = os.pipe()
    os.close(seen)
    words = [word.format(events=events) for word in command]
    try:
        done = subprocess.run([*CHURN, *words], stdout=shown, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(shown)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_is_not_written_over_itself(events: Path) -> None:
    before = events.read_bytes()
    done = churn("replay", events, "--warnings", events)
    assert done.returncode == 2
    assert events.read_bytes() == before


def test_replay_writes_everything_and_counts_every_line(events: Path, tmp_path: Path) -> None:
    lines = events.read_bytes() + b"\nrubbish\n"
    done = churn(
        "replay", "-",
        "--warnings", tmp_path / "w.jsonl",
        "--incidents", tmp_path / "i.jsonl",
        "--dead-letters", tmp_path / "d.jsonl",
        "--scores", tmp_path / "s.csv",
        "--report", tmp_path / "r.json",
        given=lines,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "r.json").read_text())
    counted = report["events"] + report["duplicates"] + sum(report["dead_letters"].values()) + report["after_score_at"]
    assert counted == len(lines.split(b"\n")) - 2  # a blank line, and nothing behind the last newline
    assert report["dead_letters"]["not_json"] == 1
    assert {json.loads(line)["reason"] for line in (tmp_path / "d.jsonl").open()} == set(report["dead_letters"])
    with (tmp_path / "s.csv").open(newline="") as file:
        scores = list(csv.DictReader(file))
    assert len(scores) == report["customers"] >= 60
    assert not any(row["customer_id"].startswith(("cell:", "market:")) for row in scores)
    assert f"{report['events']:,} events" in done.stdout


def test_the_same_files_give_the_same_warnings_however_they_are_packed(events: Path, tmp_path: Path) -> None:
    packed = tmp_path / "events.jsonl.gz"
    packed.write_bytes(gzip.compress(events.read_bytes()))
    lines = events.read_text().splitlines(keepends=True)
    halves = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]  # alternate lines, merged again by time
    for index, half in enumerate(halves):
        half.write_text("".join(lines[index::2]))

    found = []
    for number, files in enumerate(([events], [packed])):
        out = tmp_path / f"{number}.jsonl"
        assert churn("replay", *files, "--warnings", out).returncode == 0
        found.append([{**json.loads(line), "decided_at": None} for line in out.open()])
    assert found[0]
    assert found[0] == found[1]
    assert churn("replay", *halves, "--report", tmp_path / "r.json").returncode == 0
    assert json.loads((tmp_path / "r.json").read_text())["dead_letters"] == {}


def test_a_cut_off_file_is_one_dead_letter_and_0(events: Path, tmp_path: Path) -> None:
    packed = tmp_path / "events.jsonl.gz"
    packed.write_bytes(gzip.compress(events.read_bytes())[:-2_000])
    done = churn("replay", packed, "--dead-letters", tmp_path / "d.jsonl")
    assert done.returncode == 0
    [letter] = [json.loads(line) for line in (tmp_path / "d.jsonl").open()]
    assert letter["reason"] == "failed"


def test_demo_once_ends_with_a_summary() -> None:
    done = churn("demo", "--once", "--customers", "100", "--days", "30")
    assert (done.returncode, done.stderr) == (0, "")
    assert "critical" in done.stdout
