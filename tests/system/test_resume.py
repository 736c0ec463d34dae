"""`churn replay --state` after kill -9 at any moment: the outputs are those of one undisturbed run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import simulator

CHURN = (sys.executable, "-c", "from streams.cli import main; main()")


def decisions(path: Path) -> list[dict[str, object]]:
    return [{**json.loads(line), "decided_at": None} for line in path.open()]


def test_kill_9_and_the_same_command_again(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    simulator.simulate(150, 45, 5, events)
    whole = tmp_path / "whole.jsonl"
    subprocess.run([*CHURN, "replay", events, "--warnings", whole], check=True, stdout=subprocess.DEVNULL)
    out, report = tmp_path / "w.jsonl", tmp_path / "r.json"
    command = [*CHURN, "replay", events, "--warnings", out, "--report", report]
    command += ["--state", tmp_path / "state", "--checkpoint-every", "0.05"]

    kills = 0
    while kills < 4:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        checkpoints = set((tmp_path / "state").glob("0*"))
        while process.poll() is None and set((tmp_path / "state").glob("0*")) == checkpoints:
            time.sleep(0.01)
        time.sleep(0.05 * kills)
        process.kill()
        if process.wait() == 0:
            break
        kills += 1
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    assert kills
    assert decisions(out) == decisions(whole)
    assert json.loads(report.read_text())["events"] == sum(1 for _ in events.open())
