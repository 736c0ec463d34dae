"""Findings for people and machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.engines import DEFAULT
from typer.testing import CliRunner

from rules.faults import Fault
from rules.findings import as_github, as_json, as_sarif
from streams.commands.root import app

NAMED = "warnings name these rules version …"
FAULTS = [
    Fault("rules/b.yaml", 3, 7, "100% wrong,\nreally", "expression"),
    Fault("rules/a,b.yaml", 1, 1, "no test expects it to fire", "no-test", "warning"),
]


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(FAULTS[0]) == "rules/b.yaml:3:7: 100% wrong,\\nreally"


def test_json_has_every_part() -> None:
    first, second = json.loads(as_json(FAULTS))
    assert first == {
        "file": "rules/a,b.yaml",
        "line": 1,
        "column": 1,
        "message": "no test expects it to fire",
        "code": "no-test",
        "severity": "warning",
    }
    assert second["line"] == 3


def test_sarif_names_place_and_code() -> None:
    run = json.loads(as_sarif(FAULTS))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["expression", "no-test"]
    second = run["results"][1]
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 7}
    assert (second["ruleId"], second["level"]) == ("expression", "error")


def test_github_s_commands_are_escaped() -> None:
    assert as_github(FAULTS).splitlines() == [
        "::warning file=rules/a%2Cb.yaml,line=1,col=1,title=no-test::no test expects it to fire",
        "::error file=rules/b.yaml,line=3,col=7,title=expression::100%25 wrong,\\nreally",
    ]


@pytest.mark.parametrize(("form", "said"), [("text", f"{DEFAULT}: fine; {NAMED}\n"), ("json", "[]\n"), ("github", "")])
def test_the_default_configuration_is_fine_in_every_format(form: str, said: str) -> None:
    done = CliRunner().invoke(app, ["rules", "check", "--config", str(DEFAULT), "--format", form])
    assert (done.exit_code, re.sub("[0-9a-f]{12}", "…", done.stdout)) == (0, said)


def test_what_is_over_is_said(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for file in DEFAULT.rglob("*.yaml"):
        text = file.read_text()
        if file.name == "usage.yaml":
            ended = "{name: flood, expr: complaints_open > 3, until: 2020-01-01, reason: repairs}"
            text = text.replace(
                "        reason: usage_drop\n",
                f"        valid_to: 2020-01-31\n        exceptions: [{ended}]\n        reason: usage_drop\n",
                1,
            )
        (tmp_path / file.relative_to(DEFAULT)).write_text(text)
    done = CliRunner().invoke(app, ["rules", "check", "--config", str(tmp_path), "--format", "json"])
    assert done.exit_code == 1
    assert [(one["code"], one["line"]) for one in json.loads(done.stdout)] == [("over", 16), ("over", 17)]
    done = CliRunner().invoke(app, ["rules", "check", "--format", "xml"])
    assert (done.exit_code, done.stderr) == (2, "--format xml: text, json, sarif, github\n")


def test_what_some_customers_have_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for file in DEFAULT.rglob("*.yaml"):
        text = file.read_text()
        if file.name == "usage.yaml":
            text = text.replace("drop: 0.35", "drop: {value: 0.35, by: {value_class: {high: 0.9}}}")
        (tmp_path / file.relative_to(DEFAULT)).write_text(text)
    done = CliRunner().invoke(app, ["rules", "check", "--config", str(tmp_path)])
    assert "both `expr` and `clear_expr` are true when" in done.stdout
    assert "for customers whose `value_class` is high" in done.stdout
