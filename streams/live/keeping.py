"""The checkpoints of one partition while a worker has it: the one that is being written, and the newest that counts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, NamedTuple

from streams.live.journal import Covered
from streams.live.snapshots import fork_writer, has_ended
from streams.live.store import PartitionStore

LOOKS: Final = 200
LOOK_SECONDS: Final = 0.005


class Made(NamedTuple):
    """A checkpoint that counts from now on: the seconds that it took, and its bytes."""

    seconds: float
    size: int


class Writing:
    """A checkpoint on its way. `parcel`: what has to be delivered before it may count."""

    def __init__(self, pid: int, path: Path, covered: Covered, parcel: int) -> None:
        self.pid, self.path, self.covered, self.parcel = pid, path, covered, parcel
        self.begun = self.since = time.monotonic()  # `since`: of the step it is in
        self.written: bool | None = None  # by the child process; None while it goes on
        self.published: asyncio.Future[int] | None = None
        self.late = False  # given up, but not over: a process or a thread that waits for a disk cannot be ended


class Kept:
    """`durable` is what the newest checkpoint that counts covers. `publisher` runs what waits for the storage."""

    def __init__(self, store: PartitionStore, durable: Covered, publisher: Executor) -> None:
        self.store, self.durable, self.publisher = store, durable, publisher
        self.writing: Writing | None = None
        self.saved_at = time.monotonic()

    @property
    def going_on(self) -> bool:
        """Whether a checkpoint is being made that may still count in time."""
        return self.writing is not None and not self.writing.late

    def begin(self, covered: Covered, parcel: int, snapshot: Callable[[], Any]) -> None:
        """Fork a writer; call between two steps of the engine, and not while another one writes."""
        path = self.store.writing()
        self.writing = Writing(fork_writer(path, covered, snapshot), path, covered, parcel)

    def look(self, sent: int, within: float) -> Made | None:
        """Publish what was written, once all that it covers is delivered (`sent` parcels are); what was made, if anything.

        Raises OSError where it could not be made, or took longer than `within` seconds: its writer is killed then.
        """
        writing = self.writing
        if writing is None:
            return None
        if writing.published is None:
            self._written(writing, sent)
        if writing.published is not None and writing.published.done():
            self._over()
            size = writing.published.result()
            self.durable = writing.covered
            return Made(time.monotonic() - writing.begun, size)
        self._in_time(writing, within)
        return None

    def _written(self, writing: Writing, sent: int) -> None:
        if writing.written is None:
            writing.written = has_ended(writing.pid)
        if writing.written is False:
            self._over()
            if not writing.late:  # what was killed was said
                raise OSError(f"{writing.path.name} could not be written")
        if writing.written and sent >= writing.parcel:
            writing.since = time.monotonic()
            loop = asyncio.get_running_loop()
            writing.published = loop.run_in_executor(self.publisher, self.store.publish, writing.path)

    def _in_time(self, writing: Writing, within: float) -> None:
        delivering = writing.written and writing.published is None
        if delivering or writing.late or time.monotonic() - writing.since < within:
            return
        writing.late, self.saved_at = True, time.monotonic()
        if writing.written is None:
            os.kill(writing.pid, signal.SIGKILL)
        raise TimeoutError(f"{writing.path.name} was not written within {within:.0f} s")

    def _over(self) -> None:
        self.writing, self.saved_at = None, time.monotonic()

    async def close(self) -> None:
        """The partition is nobody's, or another's: who still writes for us is ended."""
        writing = self.writing
        if writing is None or writing.written is not None:
            return
        os.kill(writing.pid, signal.SIGKILL)
        for _ in range(LOOKS):
            if has_ended(writing.pid) is not None:
                break
            await asyncio.sleep(LOOK_SECONDS)
        self.writing = None
        self.publisher.submit(writing.path.unlink, missing_ok=True)
