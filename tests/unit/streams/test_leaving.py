"""A worker that is told to stop before it works."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.silent_broker import SilentBroker

WHILE_IMPORTING = """
import os, signal, sys

class Told:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Told())
from streams.entry import main
sys.argv = ["churn", "run"]
main()
"""
IN_A_DESTRUCTOR = """
import os, signal, threading
from streams.leaving import leave_when_told
leave_when_told()
threading.Thread(target=threading.Event().wait).start()

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

Last()
"""


def check_said(lines: list[str], number: signal.Signals = signal.SIGTERM) -> None:
    said = [json.loads(line) for line in lines]
    assert [one["event"] for one in said if one["event"] != "worker starting"] == ["stopped while starting"]
    assert (said[-1]["signal"], said[-1]["level"]) == (number.name, "info")


def test_it_ends_at_once_wherever_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    check_said(done.stderr.splitlines())


@pytest.mark.parametrize("module", ["streams.lean", "typer", "aiokafka", "streams.recording"])
def test_it_ends_at_once_while_it_imports(module: str) -> None:
    code = WHILE_IMPORTING.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    check_said(done.stderr.splitlines())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_does_not_wait_for_the_broker(tmp_path: Path, number: signal.Signals) -> None:
    with SilentBroker(tmp_path) as broker:
        code, said = broker.stopped_while_it_waits(number)
    assert code == 0
    check_said(said, number)
