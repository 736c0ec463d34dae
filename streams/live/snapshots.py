"""Writing a checkpoint beside the work: the state is copied as it is at one moment, and a thread writes the copy.

docs/adr/0011-copied-checkpoints.md says why this is no longer a fork.
"""

from __future__ import annotations

import contextlib
import mmap
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.live.journal import Covered
from streams.live.store import write

State = Mapping[str, NDArray[Any] | bytes]
LINE: Final = 64
LARGE_PAGE: Final = 1 << 21
REST: Final = 3.0
"""Seconds that a writer rests for each that it works: what it takes of a processor is spread, and no warning waits for it."""
SHORTEST_REST, LONGEST_REST = 0.005, 0.1


class Writer:
    """One checkpoint on its way into a file, of a state that nobody changes."""

    def __init__(self, path: Path, covered: Covered, state: State) -> None:
        self.path = path
        self.error: str | None = None  # not the exception: its frames would keep the copy
        self._stopped, self._hurried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write, args=(covered, state), name="checkpoint", daemon=True)
        self._thread.start()

    def _write(self, covered: Covered, state: State) -> None:
        try:
            self._rested_at = time.monotonic()
            write(self.path, covered, state, self._rest)
        except BaseException as error:  # noqa: BLE001 - whatever it was, who asks is told
            self.error = repr(error)
            self.path.unlink(missing_ok=True)

    def _rest(self) -> bool:
        """Between two pieces of the file; whether nobody wants it any more."""
        owed = (time.monotonic() - self._rested_at) * REST
        if owed >= SHORTEST_REST:
            self._hurried.wait(min(owed, LONGEST_REST))
            self._rested_at = time.monotonic()
        return self._stopped.is_set()

    def hurry(self) -> None:
        """Somebody waits for it: no more rests."""
        self._hurried.set()

    def ended(self) -> bool | None:
        """Whether the checkpoint was written; None while that goes on."""
        return None if self._thread.is_alive() else self.error is None

    def stop(self) -> None:
        """Nobody wants it any more: it ends as soon as the disk lets it, and leaves no file."""
        self._stopped.set()
        self._hurried.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, or so long."""
        self._thread.join(seconds)

    def discard(self, seconds: float) -> None:
        """Stop, and wait so long for its end; what it wrote is deleted. Raises OSError."""
        self.stop()
        self.wait(seconds)
        if self.ended() is not None:
            self.path.unlink(missing_ok=True)


def copied(state: State) -> dict[str, NDArray[Any] | bytes]:
    """The same values, which nobody changes: what is read-only was made for the snapshot, the other arrays are copied into one
    piece of memory, of large pages where there are: to be given small ones, and to give them back, costs several times what
    copying does.
    """
    changing = {name: one for name, one in state.items() if not isinstance(one, bytes) and one.flags.writeable}
    sizes = {name: -(-one.nbytes // LINE) * LINE for name, one in changing.items()}
    memory, at, found = np.frombuffer(large_pages(sum(sizes.values())), np.uint8), 0, dict(state)
    for name, one in changing.items():
        copy: NDArray[Any] = np.ndarray(one.shape, one.dtype, memory, at)
        copy[...] = one
        found[name] = copy
        at += sizes[name]
    return found


def large_pages(size: int) -> mmap.mmap:
    """Memory of at least so many bytes, given back when nobody refers to it."""
    whole = (size // LARGE_PAGE + 1) * LARGE_PAGE
    memory = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system that has none
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
