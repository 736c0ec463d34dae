"""Writing a checkpoint without stopping: a fork of the process has the state as it was at that moment, and writes it.

The operating system copies a page only when one of the two writes to it (docs/adr/0005-forked-checkpoints.md).
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from streams.live.journal import Covered
from streams.live.store import write

WRITTEN: Final = 0
FAILED: Final = 1
BEHIND: Final = 10
"""Added to the niceness of who writes: what is applied meanwhile, here and by other processes, goes first."""


def fork_writer(path: Path, covered: Covered, snapshot: Callable[[], Any]) -> int:
    """Write a checkpoint in a child process; gives its id. Call where the state rests: between two steps of the engine."""
    pid = os.fork()
    if pid == 0:
        _write_and_leave(path, covered, snapshot)
    return pid


def _write_and_leave(path: Path, covered: Covered, snapshot: Callable[[], Any]) -> None:
    """In the child: nothing of the parent's (files, sockets, threads' locks) may be touched on the way out."""
    code = FAILED
    try:
        os.nice(BEHIND)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.disable()  # a collection would write to every page
        write(path, covered, snapshot())
        code = WRITTEN
    except BaseException as error:  # noqa: BLE001 - whatever it was, the parent is told by the exit code
        os.write(2, f"checkpoint {path.name}: {error}\n".encode())
        path.unlink(missing_ok=True)
    finally:
        os._exit(code)


def has_ended(pid: int) -> bool | None:
    """Whether the child wrote its checkpoint; None while it goes on."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return None if done == 0 else os.waitstatus_to_exitcode(status) == WRITTEN
