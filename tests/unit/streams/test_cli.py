"""Options, messages and exit codes of the commands, within this process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from streams import given
from streams.cli import app
from streams.problems import UsageError


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


def test_help_is_everywhere() -> None:
    for command in ([], ["replay"], ["simulate"], ["demo"], ["rules"], ["rules", "check"], ["config", "check"]):
        done = churn(*command, "--help")
        assert done.exit_code == 0
        assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay",), "Missing argument"),
        (("replay", "--no-such-option", "x"), "No such option"),
        (("replay", "/nowhere/events.jsonl"), "/nowhere/events.jsonl: no such file"),
        (("replay", "/"), "/: is a folder"),
        (("replay", "-", "--config", "/nowhere"), "/nowhere: no such folder"),
        (("replay", "-", "--score-at", "yesterday"), "--score-at"),
        (("replay", "-", "--score-at", "2026-01-01T00:00:00"), "--score-at"),
        (("simulate", "--customers", "0", "--days", "1", "--seed", "1", "--out", "-"), "--customers"),
        (("demo", "--once", "--language", "fr"), "--language"),
        (("demo", "--once", "--customers", "1000000000000"), "--customers"),
        (("demo", "--once", "--days", "99999999"), "--days"),
        (("simulate", "--customers", "1000000000000", "--days", "1", "--seed", "1", "--out", "-"), "--customers"),
        (("simulate", "--customers", "5", "--days", "99999999", "--seed", "1", "--out", "-"), "--days"),
        (("simulate", "--customers", "5", "--days", "-1", "--seed", "1", "--out", "-"), "--days"),
        (("simulate", "--customers", "5", "--days", "1", "--seed", "1", "--out", "/"), "/: is a folder"),
        (("simulate", "--customers", "5", "--days", "1", "--seed", "1", "--out", "/tmp/events.csv"), "expected a name"),
        (("replay", ""), "is a folder"),
        (("replay", "-", "-"), "-: standard input is given twice"),
        (("replay", "-", "--checkpoint-every", "-1"), "--checkpoint-every"),
        (("replay", "-", "--checkpoint-every", "nan"), "--checkpoint-every"),
        (("replay", "-", "--score-at", ""), "--score-at"),
        (("replay", "-", "--score-at", "99999-01-01T00:00:00Z"), "--score-at"),
        (("replay", "-", "--model", "/nowhere/model"), "/nowhere/model: no such file"),
        (("replay", "-", "--model", "/"), "/: is a folder"),
        (("replay", "-", "--state", "{file}"), "{file}: is no folder"),
        (("replay", "-", "--config", "{file}"), "{file}: no such folder"),
        (("replay", "-", "--config", "{folder}"), "churn.yaml"),
        (("replay", "{file}", "--model", "{file}"), "not a saved model"),
        (("replay", "-", "--warnings", "{folder}"), "{folder}: is a folder"),
        (("replay", "-", "--save-model", "{folder}"), "{folder}: is a folder"),
        (("replay", "{file}", "--report", "{file}"), "{file}: is an input and an output"),
        (("replay", "-", "--scores", "{folder}/x", "--report", "{folder}/x"), "{folder}/x: given for two outputs"),
        (("report", "/nowhere/events.jsonl"), "/nowhere/events.jsonl: no such file"),
        (("report",), "give files of events"),
        (("report", "{file}", "--out", "{folder}"), "{folder}: is a folder"),
        (("report", "{file}", "--out", "{folder}/a", "--json", "{folder}"), "{folder}: is a folder"),
        (("report", "{file}", "--out", "{folder}/a", "--model", "/nowhere/model"), "/nowhere/model: no such file"),
        (("report", "{file}", "--out", "{folder}/a", "--from", "2030-02-31"), "--from 2030-02-31"),
        (("report", "{file}", "--out", "{folder}/a", "--language", "fr"), "--language"),
        (("report", "--state", "{file}"), "{file}: is no folder"),
        (("report", "--state", "{folder}/none"), "give files of events"),
        (("rules", "check", "--config", "/nowhere"), "/nowhere: no such folder"),
        (("rules", "test", "--config", "{folder}"), "churn.yaml"),
        (("config", "check", "--config", "{file}"), "{file}: no such folder"),
        (("no-such-command",), "No such command"),
    ],
)
def test_wrong_usage_is_one_message_and_2(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    file, folder = tmp_path / "events.jsonl", tmp_path / "folder"
    file.write_bytes(b"")
    folder.mkdir()
    places = {"file": str(file), "folder": str(folder)}
    done = churn(*(argument.format(**places) for argument in arguments))
    assert done.exit_code == 2
    assert message.format(**places) in done.stderr
    assert "Traceback" not in done.stderr
    assert [*folder.iterdir()] == []


def test_closed_standard_input_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.given.sys.stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        given.inputs(["-"])


def test_an_input_without_permission_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As root everything may be read, so the answer of the system is put in."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"")
    monkeypatch.setattr("streams.given.os.access", lambda _path, _mode: False)
    with pytest.raises(UsageError, match="cannot be read"):
        given.inputs([str(path)])
    with pytest.raises(PermissionError, match="cannot be written"):
        given.outputs([path], [])


NEEDS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


@NEEDS_FULL
@pytest.mark.parametrize("option", ["--dead-letters", "--scores", "--report", "--save-model"])
def test_a_full_disk_is_3_and_names_the_file(option: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"rubbish\n" * 9)
    done = churn("replay", str(file), option, "/dev/full")
    assert done.exit_code == 3
    assert "No space left on device: '/dev/full'" in done.stderr
    assert "Traceback" not in done.stderr


@NEEDS_FULL
@pytest.mark.parametrize("options", [("--out", "/dev/full"), ("--json", "/dev/full", "--out")])
def test_so_it_is_for_a_report(options: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    common = {"event_id": "1", "customer_id": "c", "occurred_at": "2026-01-01T00:00:00Z"}
    file.write_text(json.dumps({"type": "usage.recorded", "service": "voice"} | common))
    given_last = (str(tmp_path / "r.html"),) if options[-1] == "--out" else ()
    done = churn("report", str(file), *options, *given_last)
    assert done.exit_code == 3
    assert "'/dev/full'" in done.stderr


def test_too_little_memory_is_3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("simulator.run.random_for", lambda *_: np.zeros(1 << 58))
    done = churn("simulate", "--customers", "5", "--days", "1", "--seed", "1", "--out", str(tmp_path / "x.jsonl"))
    assert done.exit_code == 3
    assert "not enough memory" in done.stderr


def test_features_are_listed_for_people_and_programs() -> None:
    rows = [line.split("\t") for line in churn("rules", "features").stdout.splitlines()]
    assert len(rows) >= 30
    assert all(len(row) == 7 and row[4] and row[5] for row in rows)
