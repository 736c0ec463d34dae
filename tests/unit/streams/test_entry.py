"""What a command starts without."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from engine.evaluation import model_inputs
from models.champion import Champion
from streams.lean import without

WORKER = """
import sys
from streams.lean import start_lean
start_lean()
import gc
from pathlib import Path
import streams.commands.live, streams.live.process, streams.live.rehearsal, streams.recording
from streams import bootstrap
model = Path(sys.argv[1])
configuration = bootstrap.configuration(bootstrap.config_folder(None))
engine = bootstrap.engine_of(streams.recording.RecordingEngine, configuration, model, None)
streams.live.process.settle()
print(gc.isenabled(), gc.get_freeze_count() > 0)
streams.live.process.load_engines(lambda: print('applied', streams.live.rehearsal.rehearse(engine)))
print(gc.isenabled())
print('loaded', *sys.modules)
"""
RUN = "import sys; from streams.entry import main\ntry: main()\nfinally: print('loaded', *sys.modules)"


@pytest.mark.parametrize("command", ["queue", "run"])
def test_a_command_that_is_waited_for_loads_no_other_one(command: str) -> None:
    done = subprocess.run([sys.executable, "-c", RUN, command, "--help"], capture_output=True, text=True, check=True)
    assert f"churn {command}" in done.stdout
    loaded = done.stdout.rpartition("loaded")[2].split()
    assert not {"streams.commands.root", "streams.replay", "simulator"} & {*loaded}


def test_a_worker_with_a_saved_model_starts_without_what_it_never_uses(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(Champion(*model_inputs({})).save())
    done = subprocess.run([sys.executable, "-c", WORKER, model], capture_output=True, text=True, check=True)
    said, _, loaded = done.stdout.rpartition("loaded")
    assert said.splitlines() == ["False True", "applied 5", "True"]
    assert not {"river", "scipy", "cffi"} & {*loaded.split()}


def test_what_numba_was_not_shown_can_be_imported_afterwards() -> None:
    # scikit-learn brings scipy; cffi need not be there (a bare machine has none)
    code = "from streams.lean import start_lean; start_lean(); import scipy.linalg, numba; print('fine')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "fine\n"


def test_what_is_kept_out_of_sight_is_back_afterwards() -> None:
    seen: list[bool] = []
    without(("tabnanny",), lambda: seen.append(importable("tabnanny")))
    assert seen == [False]
    assert importable("tabnanny")


def importable(name: str) -> bool:
    """Whether the module can be imported now."""
    try:
        import_module(name)
    except ImportError:
        return False
    return True
