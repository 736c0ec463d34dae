"""`churn replay --state` after kill -9 at any moment: the outputs are those of one undisturbed run, byte for byte.

CHAOS_KILLS=200 makes it a long run (two kills otherwise).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

from support.engines import QUICK
from support.mutations import soup

import simulator

CHURN = (sys.executable, "-c", "from streams.commands.root import main; main()")
WALL_CLOCK = re.compile(rb'"(decided_at|received_at)":"[^"]*"')
KILLS = int(os.environ.get("CHAOS_KILLS", "2"))
OUTPUTS = {"--warnings": "w.jsonl", "--dead-letters": "d.jsonl", "--scores": "s.csv", "--save-model": "model"}


def command(inputs: list[Path], folder: Path) -> list[str | Path]:
    """The whole command with all its outputs in a folder."""
    folder.mkdir()
    given: list[str | Path] = [*CHURN, "replay", *inputs, "--config", QUICK, "--report", folder / "r.json"]
    for option, name in OUTPUTS.items():
        given += [option, folder / name]
    return given


def results(folder: Path) -> dict[str, object]:
    """What was written, the wall clock apart."""
    found: dict[str, object] = {name: WALL_CLOCK.sub(b"", (folder / name).read_bytes()) for name in OUTPUTS.values()}
    report = json.loads((folder / "r.json").read_text())
    return found | {"report": {name: value for name, value in report.items() if name != "events_per_second"}}


def killed(given: list[str | Path], state: Path) -> bool:
    """Run it and kill it a random moment after a checkpoint of its own; whether it was still running."""
    before = set(state.glob("0*"))
    process = subprocess.Popen(given, stdout=subprocess.DEVNULL)
    while process.poll() is None and set(state.glob("0*")) == before:
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.5) ** 2)
    process.kill()
    return process.wait() != 0


def test_kill_9_and_the_same_command_again(tmp_path: Path) -> None:
    simulated, broken, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl.gz"
    simulator.simulate(60, 40, 5, simulated)
    broken.write_bytes(soup(1, 2_000))
    packed.write_bytes(gzip.compress(soup(2, 2_000)))
    inputs = [simulated, broken, packed]

    whole = command(inputs, tmp_path / "whole")
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)

    torn = command(inputs, tmp_path / "torn")
    torn += ["--state", tmp_path / "state", "--checkpoint-every", "0.02"]
    kills = sum(killed(torn, tmp_path / "state") for _ in range(KILLS))
    subprocess.run(torn, check=True, stdout=subprocess.DEVNULL)

    expected, found = results(tmp_path / "whole"), results(tmp_path / "torn")
    assert expected["w.jsonl"]
    assert expected["d.jsonl"]
    assert found == expected
    assert kills, "every run was over before it could be killed"
