"""`churn replay --state` after kill -9 at any moment: the outputs are those of one undisturbed run, byte for byte.

CHAOS_KILLS=200 makes it a long run (three kills otherwise).
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

CHURN = (sys.executable, "-c", "from streams.cli import main; main()")
WALL_CLOCK = re.compile(rb'"(decided_at|received_at)":"[^"]*"')
KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
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


def killed(given: list[str | Path], after: float) -> bool:
    """Run it, kill it after so many seconds; whether it was still running."""
    process = subprocess.Popen(given, stdout=subprocess.DEVNULL)
    try:
        return process.wait(after) != 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def test_kill_9_and_the_same_command_again(tmp_path: Path) -> None:
    simulated, broken, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl.gz"
    simulator.simulate(100, 45, 5, simulated)
    broken.write_bytes(soup(1, 1_500))
    packed.write_bytes(gzip.compress(soup(2, 1_500)))
    inputs = [simulated, broken, packed]

    whole = command(inputs, tmp_path / "whole")
    started = time.monotonic()
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - started

    torn = command(inputs, tmp_path / "torn")
    torn += ["--state", tmp_path / "state", "--checkpoint-every", "0.02"]
    done = 0
    for _ in range(KILLS):
        if not killed(torn, took * random.uniform(0.3, 1.1)):
            done += 1  # the next one has nothing to do but must not spoil what is there
    subprocess.run(torn, check=True, stdout=subprocess.DEVNULL)

    expected, found = results(tmp_path / "whole"), results(tmp_path / "torn")
    assert expected["w.jsonl"]
    assert expected["d.jsonl"]
    assert found == expected
    assert done < KILLS or KILLS < 3, "no run was killed"
