"""What a command starts without."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = "import sys; from streams.entry import main\ntry: main()\nfinally: print('loaded', *sys.modules)"


@pytest.mark.parametrize("command", ["queue", "run"])
def test_a_command_that_is_waited_for_loads_no_other_one(command: str) -> None:
    done = subprocess.run([sys.executable, "-c", RUN, command, "--help"], capture_output=True, text=True, check=True)
    assert f"churn {command}" in done.stdout
    loaded = done.stdout.rpartition("loaded")[2].split()
    assert not {"streams.cli", "streams.replay", "simulator"} & {*loaded}
