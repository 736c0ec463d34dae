"""The tutorial for rule authors is run as it is written: files saved as it says, commands one after another."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from support.engines import DEFAULT, ROOT

DOCS = ROOT / "docs"
BLOCK = re.compile(r"(?:`([\w/.-]+\.yaml)`[::]\n\n)?```(sh|yaml)\n(.*?)```\n", re.DOTALL)


class Step(NamedTuple):
    """A file to save, or commands to run."""

    file: str
    text: str


def steps(name: str) -> list[Step]:
    return [Step(file, text) for file, _, text in BLOCK.findall((DOCS / name).read_text())]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder like the project's, with the command on the path."""
    shutil.copytree(DEFAULT, tmp_path / "config")
    command = tmp_path / "bin" / "churn"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from streams.commands.root import main; main()" "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def run(place: Path, text: str, variables: str) -> subprocess.CompletedProcess[str]:
    """One block; variables set in an earlier one are still known."""
    environment = os.environ | {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "COLUMNS": "200",
    }
    script = f"set -eu\n{variables}\n{text}"
    return subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
    )


def test_both_languages_do_the_same() -> None:
    english = steps("tutorial-rules.md")
    assert english == steps("tutorial-rules.zh-CN.md")
    assert [step.file for step in english if step.file] == ["mine/rules/halved.yaml", "mine/rules/halved_test.yaml"]


@pytest.mark.slow
def test_the_tutorial_as_it_is_written(place: Path) -> None:
    said: list[str] = []
    for step in steps("tutorial-rules.md"):
        if step.file:
            (place / step.file).write_text(step.text)
            continue
        done = run(place, step.text, "")
        if "no test expects it to fire" in done.stdout:  # the one command that has findings, as the page says
            assert done.returncode == 1
        else:
            assert done.returncode == 0, f"{step.text}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    whole = "\n".join(said)
    assert whole.count("no test expects it to fire") == 1
    assert "data_mb_7d_vs_own\tnumber\tratio" in whole
    assert " tests, 0 failed\n" in whole
    assert "halved-with-complaint: mode: shadow -> live" in whole
    assert "warned of at warning or above" in whole
    assert "mode: live" in whole  # promoted
    assert "rolled back to" in whole
    assert {'"matured": ', '"churned": ', '"precision": '} <= set(re.findall(r'"\w+": ', whole))
    assert re.search(r"Z  true\n    true    value_class", whole)  # the moment at which the rule turned true
    assert "fired at " in whole
    assert "mode: shadow" in (place / "mine" / "rules" / "halved.yaml").read_text()
    assert {"backtest.html", "tune.html", "would-be.jsonl"} <= {one.name for one in place.iterdir()}
    assert not list(DEFAULT.rglob("halved*"))
    assert run(place, "churn rules rollback --config mine --by a", "").returncode == 0
    assert not list((place / "mine" / "rules").glob("halved*"))  # as delivered, as the first note says
