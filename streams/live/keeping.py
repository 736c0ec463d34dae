"""The checkpoints of one partition while a worker has it: the one that is being written, and the newest that counts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import Executor
from typing import Final, NamedTuple

from streams.live.journal import Covered
from streams.live.snapshots import State, Writer
from streams.live.store import PartitionStore

WAIT_SECONDS: Final = 1.0
"""For a writer that nobody wants any more."""


class Made(NamedTuple):
    """A checkpoint that counts from now on: the seconds that it took, and its bytes."""

    seconds: float
    size: int


class Writing:
    """A checkpoint on its way. `parcel`: what has to be delivered before it may count."""

    def __init__(self, writer: Writer, covered: Covered, parcel: int) -> None:
        self.writer, self.covered, self.parcel = writer, covered, parcel
        self.begun = self.since = time.monotonic()  # `since`: of the step it is in
        self.written: bool | None = None  # by its thread; None while that goes on
        self.published: asyncio.Future[int] | None = None
        self.late = False  # given up, but not over: a thread that waits for a disk cannot be ended


class Kept:
    """`durable` is what the newest checkpoint that counts covers. `publisher` runs what waits for the storage."""

    def __init__(self, store: PartitionStore, durable: Covered, publisher: Executor) -> None:
        self.store, self.durable, self.publisher = store, durable, publisher
        self.writing: Writing | None = None
        self.saved_at = time.monotonic()
        self.closed = threading.Event()

    @property
    def going_on(self) -> bool:
        """Whether a checkpoint is being made that may still count in time."""
        return self.writing is not None and not self.writing.late

    @property
    def hangs(self) -> bool:
        """Whether a writer that was given up still has its copy of the state, waiting for a disk."""
        writing = self.writing
        return writing is not None and writing.late and writing.writer.ended() is None

    def begin(self, covered: Covered, parcel: int, state: State) -> None:
        """Have a state that nobody changes written. Raises OSError, RuntimeError (no thread).

        Nothing is begun beside a checkpoint that is written, nor once the partition is `closed`, which may happen meanwhile.
        """
        if self.closed.is_set() or self.writing is not None:  # who asked for it was cancelled, the asking was not
            return
        self.writing = writing = Writing(Writer(self.store.writing(), covered, state), covered, parcel)
        if self.closed.is_set():  # before it could see that we write
            writing.writer.discard(WAIT_SECONDS)
            self.writing = None

    def hurry(self) -> None:
        """Somebody waits for what is being written."""
        if self.writing is not None:
            self.writing.writer.hurry()

    def look(self, sent: int, within: float) -> Made | None:
        """Publish what was written, once all that it covers is delivered (`sent` parcels are); what was made, if anything.

        Raises OSError where it could not be made, or took longer than `within` seconds: it is given up then.
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
            writing.written = writing.writer.ended()
        if writing.written is False:
            self._over()
            if not writing.late:  # what was given up was said
                raise OSError(f"{writing.writer.path.name} could not be written: {writing.writer.error}")
        if writing.written and sent >= writing.parcel:
            writing.since = time.monotonic()
            loop = asyncio.get_running_loop()
            writing.published = loop.run_in_executor(self.publisher, self.store.publish, writing.writer.path)

    def _in_time(self, writing: Writing, within: float) -> None:
        delivering = writing.written and writing.published is None
        if delivering or writing.late or time.monotonic() - writing.since < within:
            return
        writing.late, self.saved_at = True, time.monotonic()
        writing.writer.stop()
        raise TimeoutError(f"{writing.writer.path.name} was not written within {within:.0f} s")

    def _over(self) -> None:
        self.writing, self.saved_at = None, time.monotonic()

    async def close(self) -> None:
        """The partition is nobody's, or another's: who still writes for us is ended, and what nobody publishes deleted."""
        self.closed.set()
        writing = self.writing
        if writing is None or writing.published is not None:
            return
        with contextlib.suppress(OSError):
            await asyncio.to_thread(writing.writer.discard, WAIT_SECONDS)
        self.writing = None
