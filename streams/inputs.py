"""The files of a replay: what each is, how far it was read, and their events merged by time.

A file is known by its name, its length and the hash of its beginning, so that a later run with the same state goes on
behind what is done and takes anything else for new.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from events.columns import Batch, concat
from events.deadletters import DeadLetter, Reason, dead_letter
from events.decode import decode
from streams.admit import arrivals, beyond
from streams.batches import compacted, in_order, part
from streams.files import STANDARD_INPUT, Chunk, Cutter, chunks, foreign, open_input, shown_name, unpacked
from streams.problems import UsageError

CHUNK_BYTES = 1 << 23
LEAST_CHUNK_BYTES = 1 << 16
LOADED_BYTES = 1 << 27
"""Of all files that are merged, as far as chunks need not be smaller than the least: each has one loaded."""
BEGINNING_BYTES = 1 << 16


class Identity(msgspec.Struct, frozen=True):
    """What makes a file the same file: base name, bytes as stored (none for a pipe), SHA-256 of the first 64 KB."""

    name: str
    length: int | None
    beginning: str


class Position(msgspec.Struct, frozen=True):
    """How far a file was read, in unpacked bytes and lines.

    Everything before `offset` (where `line` begins) is done. Of the chunk of `length` bytes that follows, `taken` events
    and every dead letter are done too; `length` is 0 when it was not begun. Nothing follows once the file has `ended`.
    """

    offset: int = 0
    line: int = 1
    length: int = 0
    taken: int = 0
    ended: bool = False


class Known(msgspec.Struct, frozen=True):
    """A file and how far it was read."""

    identity: Identity
    position: Position = Position()


class Reader:
    """One file's events in its own order. `batch` holds those of the current chunk that are not taken yet."""

    def __init__(
        self, name: str, received_at: str, known: Sequence[Known] = (), chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self.name, self.shown = name, shown_name(name)
        self.received_at = received_at
        self.file: BinaryIO = open_input(name)
        self.identity, peeked = identify(name, self.file)
        if kind := foreign(peeked):
            self.close()
            raise UsageError(f"{self.shown}: is {kind}, not lines of JSON in UTF-8 (plain, gzip or zstd)")
        if len(peeked) < BEGINNING_BYTES and self.identity.length is not None:  # all of it is here: many may be open
            self.close()
            self.file = BytesIO(peeked)
            self.file.seek(len(peeked))
        self.known = next((one for one in known if one.identity == self.identity), None)
        self.position = self.known.position if self.known else Position()
        self.batch: Batch | None = None
        self.next = Position()  # behind the current chunk
        self.dead: list[DeadLetter] = []
        self.lines = 0
        self.chunks = self.begin(peeked, chunk_bytes)

    def begin(self, peeked: bytes, chunk_bytes: int) -> Iterator[Chunk]:
        """The chunks from the position on."""
        at = self.position
        cutter = Cutter(chunk_bytes, at.offset, at.line, at.length)
        return chunks(skipped(unpacked(self.file, peeked), at.offset), cutter)

    def load(self) -> bool:
        """See to it that `batch` has events, if the file has any more; dead letters gather in `dead`."""
        while self.batch is None:
            if self.position.ended:
                return False
            chunk = next(self.chunks, None)
            if chunk is None:  # a pipe of the same beginning may have more to say next time
                self.position = msgspec.structs.replace(self.position, ended=self.identity.length is not None)
                return False
            self.next = Position(chunk.offset + chunk.length, chunk.line + chunk.lines, ended=bool(chunk.failed))
            batch = self.decoded(chunk)
            again = self.position.length > 0
            if not again:
                self.dead += batch.dead
                self.lines += batch.lines
            taken = self.position.taken
            batch.dead, batch.lines = [], 0
            if taken < len(batch):
                self.batch = part(batch, taken, len(batch))
                self.position = Position(chunk.offset, chunk.line, chunk.length, taken)
            else:
                self.position = self.next
        return True

    def decoded(self, chunk: Chunk) -> Batch:
        batch = decode(chunk.raw, self.shown, chunk.line, received_at=self.received_at)
        place = f"{self.shown}:{chunk.line}"
        if chunk.too_long:
            detail = f"{chunk.too_long} bytes"
            letter = dead_letter(
                Reason.TOO_LARGE, detail, place, self.received_at, chunk.beginning, full_length=chunk.too_long
            )
            batch.dead, batch.lines = [letter], 1
        elif chunk.failed:
            letter = dead_letter(
                Reason.FAILED, chunk.failed, place, self.received_at, chunk.beginning, full_length=chunk.length
            )
            batch.dead, batch.lines = [letter], 1
        return batch

    def take(self, count: int) -> Batch:
        """The next `count` events of the current chunk; `load` first."""
        batch = self.batch
        if batch is None:
            raise IndexError("no events are loaded")
        if count == len(batch):
            self.batch, self.position = None, self.next
            return batch
        self.batch = part(batch, count, len(batch))
        self.position = msgspec.structs.replace(self.position, taken=self.position.taken + count)
        return compacted(part(batch, 0, count))

    @property
    def stored_bytes(self) -> int:
        """How much of the file, as it is stored, was read."""
        return self.file.tell() if self.file.seekable() else 0

    def close(self) -> None:
        """Standard input stays open: it is not ours."""
        if self.name != STANDARD_INPUT:
            self.file.close()


def identify(name: str, file: BinaryIO) -> tuple[Identity, bytes]:
    """Who a file is, and the bytes that had to be read from it to know (it stands behind them)."""
    status = os.fstat(file.fileno())
    peeked = b""
    while len(peeked) < BEGINNING_BYTES and (piece := file.read(BEGINNING_BYTES - len(peeked))):
        peeked += piece
    length = status.st_size if stat.S_ISREG(status.st_mode) and name != STANDARD_INPUT else None
    return Identity(shown_name(Path(name).name), length, hashlib.sha256(peeked).hexdigest()), peeked


def skipped(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The pieces without their first `count` bytes."""
    left = count
    for piece in pieces:
        if left < len(piece):
            yield piece[left:]
        left = max(0, left - len(piece))


class Source(Protocol):
    """What can be merged: a `Reader`, or what reads something else like one."""

    batch: Batch | None
    dead: list[DeadLetter]
    lines: int
    identity: Identity
    position: Position

    @property
    def stored_bytes(self) -> int: ...
    def load(self) -> bool: ...
    def take(self, count: int) -> Batch: ...


class Turns:
    """When the loaded events of each reader have their turn, and whose is next. `arrived` (µs): when what does not tell it came."""

    def __init__(self, readers: Sequence[Source], arrived: int) -> None:
        self._readers, self._arrived = readers, arrived
        self._of: dict[int, NDArray[np.int64]] = {}
        self._heads: list[tuple[int, int]] = []  # the turn of the next event, and whose it is
        self._ends: list[tuple[int, int]] = []  # the turn of the last event loaded

    def load(self, index: int) -> None:
        """Load what comes next of a reader whose events were all taken, if there is more."""
        reader = self._readers[index]
        if reader.load() and reader.batch is not None:
            false = beyond(
                reader.batch, arrivals(reader.batch, self._arrived)
            )  # refused: they would hold up what follows
            turns = self._of[index] = np.maximum.accumulate(np.where(false, 0, reader.batch.events["at"]))
            heappush(self._heads, (int(turns[0]), index))
            heappush(self._ends, (int(turns[-1]), index))

    def __bool__(self) -> bool:
        return bool(self._ends)

    def take(self) -> tuple[int, list[tuple[Batch, NDArray[np.int64]]]]:
        """Use the reader up whose loaded events end first, the others as far as that: who it was, and the events, by reader."""
        until, first = heappop(self._ends)
        turn = []
        while self._heads and self._heads[0] < (until, first):
            turn.append(heappop(self._heads)[1])
        turn += [] if first in turn else [heappop(self._heads)[1]]
        return first, [self._cut(index, until, first) for index in sorted(turn)]

    def _cut(self, index: int, until: int, first: int) -> tuple[Batch, NDArray[np.int64]]:
        turns = self._of.pop(index)
        side: Literal["left", "right"] = "right" if index <= first else "left"
        count = int(np.searchsorted(turns, until, side))
        if count < len(turns):
            self._of[index] = turns[count:]
            heappush(self._heads, (int(turns[count]), index))
        return self._readers[index].take(count), turns[:count]


def merged(readers: Sequence[Source], arrived: int) -> Iterator[Batch]:
    """All files' events by `occurred_at`, each file in its own line order, ties in the order of the files.

    The file whose next event is the oldest gives it. So an event that is older than one before it in its file follows
    it at once, and the running maximum of a file's times says when each of its events has its turn. In every round the
    file whose chunk ends first is used up, the others as far as that. The readers' positions are those behind the
    batch that was given last. An event dated too long after it came (`arrived` in µs, where it does not tell) has no say.
    """
    turns, fresh = Turns(readers, arrived), list(range(len(readers)))
    while True:
        for index in fresh:
            turns.load(index)
        loaded = [readers[index] for index in fresh]
        if not turns:
            break
        first, taken = turns.take()
        yield with_dead_letters(in_order(taken), loaded)
        del taken  # what was given is the taker's, not kept while more is read
        fresh = [first]
    if any(reader.dead or reader.lines for reader in loaded):
        yield with_dead_letters(concat([]), loaded)


def with_dead_letters(batch: Batch, readers: Sequence[Source]) -> Batch:
    """The batch with what the readers have gathered beside events."""
    for reader in readers:
        batch.dead = [*batch.dead, *reader.dead]
        batch.lines += reader.lines
        reader.dead, reader.lines = [], 0
    return batch
