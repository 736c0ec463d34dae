"""What the start of a worker does without: while it starts, events wait."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Any, Final

UNUSED: Final = ("cffi", "scipy")
"""What numba imports if it is there, for calls of C and for products of matrices: nothing of ours has either."""


def start_lean() -> None:
    """Call before anything is imported, and `streams.live.process.settle` once everything is."""
    gc.disable()  # what is imported stays, however often it is looked through; load_engines enables it
    # Its threads wait for work in a loop, while processors are wanted; there is none for them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    without(UNUSED, load_numba)


def load_numba() -> None:
    """numba, and what it otherwise imports when something is first compiled or found in its cache."""
    target: Any = import_module("numba.core.registry").cpu_target
    target.typing_context.refresh()
    target.target_context.refresh()


def without(names: tuple[str, ...], work: Any) -> None:
    """Do something as if these packages were not installed."""
    absent: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(absent)
    try:
        work()
    finally:
        for name in absent:
            del sys.modules[name]
