"""Options, messages and exit codes of the commands, within this process."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from streams import given
from streams.commands.root import app
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
        (("replay", "-", "--report", "-"), "-: results go to files (/dev/stdout for standard output)"),
        (("replay", "-", "--warnings", "-"), "-: results go to files"),
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
        (("rules", "backtest", "{file}"), "no backtest: {file}: no events"),
        (("replay", "{file}", "--model", "{file}"), "{file}: not a saved model, or a damaged one\n"),
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


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.commands.root", "replay", "/nowhere/events.jsonl"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "/nowhere/events.jsonl: no such file\n")


def test_feature_rows_need_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHURN_PSEUDONYM_KEY", "0" * 64)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"")
    done = churn("replay", str(file), "--feature-rows", str(file))
    assert (done.exit_code, done.stderr) == (2, f"{file}: is no folder\n")


def test_a_model_that_is_none_is_told_in_one_line_without_advice(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text('{"event_id": "1"}\n')
    done = churn("replay", str(file), "--model", str(file))
    assert (done.exit_code, done.stderr.strip().splitlines()) == (2, [f"{file}: not a saved model, or a damaged one"])


FOREIGN = {
    "xz": lzma.compress(b"{}"),
    "bzip2": bz2.compress(b"{}"),
    "zip": b"PK\x03\x04" + bytes(30),
    "tar": b"x.jsonl".ljust(257, b"\0") + b"ustar\x0000",
    "UTF-16": "{}".encode("utf-16"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_file_of_lines_is_refused_in_one_line(kind: str, packed: bool, tmp_path: Path) -> None:
    file, dead = tmp_path / "events", tmp_path / "dead.jsonl"
    file.write_bytes(gzip.compress(FOREIGN[kind]) if packed else FOREIGN[kind])
    done = churn("replay", str(file), "--dead-letters", str(dead))
    assert done.exit_code == 2
    assert f"{file}: is {kind}, not lines of JSON" in done.stderr
    assert not dead.exists()


def test_a_name_that_is_not_utf_8_is_told_in_what_is_written(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xd6\xd0.jsonl"))
    file.write_bytes(b"rubbish\n")
    dead = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xd6.jsonl"))
    for _ in range(2):
        done = churn("replay", str(file), "--dead-letters", str(dead), "--state", str(tmp_path / "state"))
        assert done.exit_code == 0, done.output
        assert [json.loads(line)["source"] for line in dead.read_text().splitlines()] == [
            f"{tmp_path}/x\\xd6\\xd0.jsonl:1"
        ]


def usage_at(number: int, at: str) -> str:
    common = {"event_id": str(number), "customer_id": "c", "occurred_at": at}
    return json.dumps({"type": "usage.recorded", "service": "voice"} | common) + "\n"


def test_scores_as_of_a_time_that_the_state_is_past_are_refused(tmp_path: Path) -> None:
    file, state = tmp_path / "events.jsonl", str(tmp_path / "state")
    file.write_text(usage_at(1, "2026-01-05T00:00:00Z"))
    assert churn("replay", str(file), "--state", state).exit_code == 0
    early = churn("replay", str(file), "--state", state, "--score-at", "2026-01-04T00:00:00Z")
    assert early.exit_code == 2
    assert f"the state in {state} has come to 2026-01-05T00:00:00.000000Z already" in early.stderr
    assert churn("replay", str(file), "--state", state, "--score-at", "2026-01-05T00:00:00Z").exit_code == 0


def test_a_file_that_has_grown_is_said_to_be_read_as_a_new_one(tmp_path: Path) -> None:
    file, state = tmp_path / "events.jsonl", str(tmp_path / "state")
    file.write_text(usage_at(1, "2026-01-05T00:00:00Z"))
    assert "differs" not in churn("replay", str(file), "--state", state).stderr
    assert "differs" not in churn("replay", str(file), "--state", state).stderr
    file.write_text(file.read_text() + usage_at(2, "2026-01-06T00:00:00Z"))
    said = churn("replay", str(file), "--state", state).stderr
    assert f"{file}: differs from the file of this name that was read before; it is read as a new file" in said


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


@NEEDS_FULL
def test_so_it_is_for_the_truth_of_a_simulation(tmp_path: Path) -> None:
    out = str(tmp_path / "events.jsonl")
    done = churn("simulate", "--customers", "5", "--days", "2", "--seed", "1", "--out", out, "--truth", "/dev/full")
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
