"""Options, messages and exit codes of the commands, within this process."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app


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
        (("no-such-command",), "No such command"),
    ],
)
def test_wrong_usage_is_one_message_and_2(arguments: tuple[str, ...], message: str) -> None:
    done = churn(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_features_are_listed_for_people_and_programs() -> None:
    rows = [line.split("\t") for line in churn("rules", "features").stdout.splitlines()]
    assert len(rows) >= 30
    assert all(len(row) == 7 and row[4] and row[5] for row in rows)
