"""`churn replay`: the engine over files.

Reading, deciding and writing are one loop. With `--state` it leaves checkpoints behind: positions of the inputs, lengths of the
outputs and the engine's state, all of one moment, so that a run that died goes on there and writes the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.core import Core
from events.columns import Batch
from events.times import rfc3339
from sinks.named import named
from sinks.scores import write_scores
from streams import clock, progress
from streams.admit import admit, arrivals
from streams.batches import pieces
from streams.checkpoint import CheckpointFolder
from streams.files import many_open
from streams.inputs import CHUNK_BYTES, LEAST_CHUNK_BYTES, LOADED_BYTES, Known, Reader, Source, merged
from streams.outputs import Outputs
from streams.problems import UsageError
from streams.progress import Progress

CLOCKS = "partition.clocks"
"""Of an engine's snapshot: the stream clock (µs) first."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to replay and where the results go. `score_at` in microseconds UTC, `checkpoint_every` in seconds.

    Files are read by about `chunk_bytes` (less if there are many of them), and the engine is given at most `step_events` at once: more costs memory, less
    costs time, and decisions do not depend on it.
    """

    files: Sequence[str]
    warnings: Path | None = None
    incidents: Path | None = None
    dead_letters: Path | None = None
    scores: Path | None = None
    score_at: int | None = None
    report: Path | None = None
    save_model: Path | None = None
    state: Path | None = None
    checkpoint_every: float = 30.0
    chunk_bytes: int = CHUNK_BYTES
    step_events: int = 65_536
    shadow: Path | None = None
    opened: Callable[[str], AbstractContextManager[Sequence[Source]]] | None = None
    """What is read instead of files, given the time of receipt that dead letters tell."""


Build = Callable[[dict[str, Any] | None], Core]
"""Makes the engine, from its part of a checkpoint if there is one."""
Watch = Callable[[int, int], None]
"""Is told, now and then, the stored bytes read and the events applied in this run."""
Alarm = Callable[[str], None]


def unwatched(_done: int, _events: int) -> None:
    """Nobody looks at the progress."""


def replay(job: Job, build: Build, alarm: Alarm, watch: Watch = unwatched) -> dict[str, Any]:
    """Run the job and give the report.

    Raises OSError, and what CheckpointFolder and Outputs raise.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(CheckpointFolder(job.state)) if job.state else None
        done, engine_state = resume(folder, alarm)
        refuse_going_back(job, engine_state)
        readers = open_readers(stack, job, done, alarm)
        engine = build(engine_state)
        outputs = stack.enter_context(Outputs(job.warnings, job.incidents, job.dead_letters, done.outputs, job.shadow))
        run = Run(job, engine, readers, outputs, done, folder)
        run.read_all(watch)
        return run.finish()


def resume(folder: CheckpointFolder | None, alarm: Alarm) -> tuple[Progress, dict[str, Any] | None]:
    """Where the last run with this folder ended; a fresh start without one."""
    if folder is None:
        return Progress(clock.now()), None
    state, troubles = folder.load()
    for trouble in troubles:
        alarm(f"{trouble}; going on from the checkpoint before it")
    if state is None:
        return Progress(clock.now()), None
    return progress.split(state, clock.now())


def refuse_going_back(job: Job, engine_state: Mapping[str, Any] | None) -> None:
    """Raises UsageError where the results are asked for as of a time that the saved state is past already."""
    clocks = None if engine_state is None else engine_state.get(CLOCKS)
    if clocks is None or job.score_at is None or job.score_at >= int(clocks[0]):
        return
    raise UsageError(
        f"--score-at {rfc3339(job.score_at)}: the state in {job.state} has come to {rfc3339(int(clocks[0]))} already; "
        "give that time or a later one, or another --state to begin anew"
    )


def open_readers(stack: ExitStack, job: Job, done: Progress, alarm: Alarm) -> Sequence[Source]:
    """All files, each where it was left; or what is read instead. Of a file that has changed since it is said."""
    received_at = clock.now_text()
    if job.opened is not None:
        return stack.enter_context(job.opened(received_at))
    known = list(done.inputs)
    readers: list[Reader] = []
    many_open(len(job.files))
    chunk_bytes = min(job.chunk_bytes, max(LOADED_BYTES // max(len(job.files), 1), LEAST_CHUNK_BYTES))
    for name in job.files:
        reader = stack.enter_context(closing(Reader(name, received_at, known, chunk_bytes)))
        if reader.known is not None:
            known.remove(reader.known)  # the same content given twice is two files
        elif any(one.identity.name == reader.identity.name for one in done.inputs):
            alarm(f"{reader.shown}: differs from the file of this name that was read before; it is read as a new file")
        readers.append(reader)
    return readers


class Run:
    """One pass over the readers."""

    def __init__(
        self,
        job: Job,
        engine: Core,
        readers: Sequence[Source],
        outputs: Outputs,
        done: Progress,
        folder: CheckpointFolder | None,
    ) -> None:
        self.job, self.engine, self.readers, self.outputs, self.done, self.folder = (
            job,
            engine,
            readers,
            outputs,
            done,
            folder,
        )
        self.counts = done.counts
        self.counted_at = self.saved_at = time.perf_counter()

    def read_all(self, watch: Watch) -> None:
        before = self.counts.events
        for batch in merged(self.readers, self.done.started_at):
            for piece in pieces(batch, self.job.step_events):
                self.apply(piece)
            del batch, piece  # not kept while the next is read
            watch(sum(reader.stored_bytes for reader in self.readers), self.counts.events - before)
            if self.folder is not None and time.perf_counter() - self.saved_at >= self.job.checkpoint_every:
                self.checkpoint()

    def apply(self, batch: Batch) -> None:
        """Everything that a stretch of the input brings about."""
        self.outputs.write_dead(batch.dead)
        self.counts.add_dead(batch.dead)
        received_at = clock.now_text()
        admitted, dead, after = admit(batch, arrivals(batch, self.done.started_at), self.job.score_at, received_at)
        self.outputs.write_dead(dead)
        self.counts.add_dead(dead)
        self.counts.after_score_at += after
        if len(admitted):
            newest = int(admitted.events["at"].max())
            self.counts.newest_at = max(newest, newest if self.counts.newest_at is None else self.counts.newest_at)
            step = self.engine.step(admitted, clock.now())
            self.outputs.write(step)
            self.counts.add(step)

    def finish(self) -> dict[str, Any]:
        """Let the timers run up to the end, and write what is written once."""
        end = self.job.score_at if self.job.score_at is not None else self.counts.newest_at
        if end is not None:
            step = self.engine.advance(end, clock.now())
            self.outputs.write(step)
            self.counts.add(step)
        if self.job.scores is not None:
            scores = [] if end is None else self.engine.scores(end)
            write_scores(self.job.scores, "" if end is None else rfc3339(end), scores)
        if self.job.save_model is not None:
            with named(self.job.save_model):
                self.job.save_model.write_bytes(self.engine.save_model())
        self.count_time()
        report = self.counts.report() | dict(self.engine.report())
        if self.job.report is not None:
            with named(self.job.report):
                self.job.report.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
        self.done.finished = True
        self.checkpoint()
        return report

    def checkpoint(self) -> None:
        """Outputs first, so that a checkpoint never knows of more than is on the disk."""
        self.done.outputs = self.outputs.sync()
        self.count_time()
        if self.folder is not None:
            self.done.now_known(Known(reader.identity, reader.position) for reader in self.readers)
            progress.save(self.folder, self.done, self.engine.snapshot())
        self.saved_at = time.perf_counter()

    def count_time(self) -> None:
        """Add the time since the last call to that of all runs."""
        now = time.perf_counter()
        self.counts.seconds += now - self.counted_at
        self.counted_at = now
