"""Files of events as bytes: plain, gzip or zstd, from a path or standard input, cut into chunks of whole lines.

Memory stays bounded whatever comes in: compressed data is unpacked in small steps (a few bytes of either format may
stand for many megabytes), and of a line that is too long to be an event only the beginning is kept.
"""

from __future__ import annotations

import io
import resource
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import zstandard

from events.deadletters import MAX_OBJECT_BYTES, MAX_PAYLOAD_BYTES
from events.lines import LINE_FEED

STANDARD_INPUT = "-"
PIECE_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_STEP_BYTES = 2_048  # one such step unpacks to 64 MB at the very worst: a block of 128 KB may be 4 bytes long
SPARE_FILES = 64
LONGEST_LINE = MAX_OBJECT_BYTES + 1  # an event may have a carriage return behind it


FOREIGN = {
    b"\xfd7zXZ\0": "xz",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"{\0": "UTF-16",
    b"\0{": "UTF-16",
}
"""What files begin with that can be taken for lines and are none."""
TAR_AT, TAR_MAGIC = 257, b"ustar"


class CutOffError(Exception):
    """The rest of a file cannot be read: it ends in the middle of its compressed data, or that is damaged."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of a file: where they begin in the unpacked file, and what they are.

    `length` is the bytes that they take up. `raw` is empty when there is something else to say: `too_long` is the
    length of a line that is no event at all, `failed` why the rest of the file is lost; `beginning` then has the first
    bytes of it.
    """

    offset: int
    line: int
    length: int
    raw: bytes = b""
    too_long: int = 0
    failed: str = ""
    beginning: bytes = b""

    @property
    def lines(self) -> int:
        """How many lines these are."""
        if self.too_long or self.failed:
            return 1
        feeds = int(
            np.count_nonzero(np.frombuffer(self.raw, np.uint8) == LINE_FEED)
        )  # bytes.count takes ten times as long
        return feeds + (bool(self.raw) and not self.raw.endswith(b"\n"))


def shown_name(name: str) -> str:
    """A name of the file system as text that can be written: bytes that are not UTF-8 in hexadecimal."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def foreign(first: bytes) -> str | None:
    """What a file is, by its first bytes, that is neither lines nor gzip or zstd of lines; None if it may be that."""
    try:
        content = next(unpacked(io.BytesIO(), first), b"")
    except CutOffError:
        return None
    if content[TAR_AT:].startswith(TAR_MAGIC):
        return "tar"
    return next((kind for magic, kind in FOREIGN.items() if content.startswith(magic)), None)


def open_input(name: str) -> BinaryIO:
    """The bytes of a path, or standard input for `-`; raises OSError."""
    if name == STANDARD_INPUT:
        return sys.stdin.buffer
    return Path(name).open("rb")


def many_open(files: int) -> None:
    """Have the system let this process open so many files and some more, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):  # opening them tells what is wrong
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def unpacked(file: BinaryIO, first: bytes = b"") -> Iterator[bytes]:
    """The file's content in pieces, unpacked when it begins like gzip or zstd; raises CutOffError, OSError.

    `first` has the bytes that were read from the file already.
    """
    while len(first) < len(ZSTD_MAGIC) and (more := read_piece(file)):
        first += more
    pieces = iter_pieces(first, file)
    if first.startswith(GZIP_MAGIC):
        return gunzip(pieces)
    if first.startswith(ZSTD_MAGIC) or (first[1:4] == b"\x2a\x4d\x18" and first[0] >> 4 == 5):  # or a skippable frame
        return unzstd(pieces)
    return pieces


def lines_of(name: str) -> list[bytes]:
    """All lines of a file, unpacked; raises CutOffError, OSError."""
    with open_input(name) as file:
        return b"".join(unpacked(file)).splitlines()


def read_piece(file: BinaryIO) -> bytes:
    """What there is, at most a piece: standard input is not waited for once it has given something."""
    read1 = getattr(file, "read1", None)
    data: bytes = read1(PIECE_BYTES) if read1 is not None else file.read(PIECE_BYTES)
    return data


def iter_pieces(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """The first piece, then the others."""
    piece = first
    while piece:
        yield piece
        piece = read_piece(file)


def gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 1952, any number of members one after another, zero padding allowed behind them."""
    member = zlib.decompressobj(wbits=31)
    fresh = True
    for piece in pieces:
        data = piece
        while data:
            if fresh and not (data := data.lstrip(b"\0")):
                break
            try:
                content = member.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise CutOffError(f"gzip data is damaged ({error})") from error
            if content:
                yield content
            data, fresh = member.unconsumed_tail, False
            if member.eof:
                data, member, fresh = member.unused_data, zlib.decompressobj(wbits=31), True
    if not fresh:
        raise CutOffError("gzip data ends too early")


def unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 8878, any number of frames one after another."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    for piece in pieces:
        for start in range(0, len(piece), ZSTD_STEP_BYTES):
            data = piece[start : start + ZSTD_STEP_BYTES]
            while data:
                try:
                    content = frame.decompress(data)
                except zstandard.ZstdError as error:
                    raise CutOffError(f"zstd data is damaged ({error})") from error
                if content:
                    yield content
                data, fresh = frame.unused_data, frame.eof
                if fresh:
                    frame = zstandard.ZstdDecompressor().decompressobj()
    if not fresh:
        raise CutOffError("zstd data ends too early")


def chunks(pieces: Iterator[bytes], cutter: Cutter) -> Iterator[Chunk]:
    """A file's content in chunks; what makes the rest unreadable is the last of them."""
    try:
        for piece in pieces:
            yield from cutter.feed(piece)
    except (CutOffError, OSError) as error:
        yield from cutter.cut_off(str(error))
    else:
        yield from cutter.end()


class Cutter:
    """Cuts what it is fed, from `offset` (where `line` begins) on, into chunks of whole lines of about `target` bytes.

    `first_length` makes the first chunk exactly so long: a chunk of an earlier run, to be read again.
    """

    def __init__(self, target: int, offset: int = 0, line: int = 1, first_length: int = 0) -> None:
        self.target = target
        self.offset, self.line = offset, line
        self.first_length = first_length
        self.pending = bytearray()
        self.skipped = 0  # bytes seen of a line that is too long; `pending` has its beginning
        self.skipped_blank = False

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        if self.skipped:
            end = piece.find(b"\n")
            self.skip(piece if end < 0 else piece[:end])
            if end < 0:
                return
            yield self.long_line(newline=1)
            piece = piece[end + 1 :]
        self.pending += piece
        if self.first_length:
            if len(self.pending) < self.first_length:
                return
            yield self.take(self.first_length)
            self.first_length = 0
        while len(self.pending) >= self.target and (cut := self.line_end()):
            yield self.take(cut)
        if len(self.pending) > LONGEST_LINE and b"\n" not in self.pending:
            beginning, self.pending = bytes(self.pending), bytearray()
            self.skipped_blank = True
            self.skip(beginning)

    def line_end(self) -> int:
        """Behind the last line that ends within `target` bytes, else behind the first line; 0 when none has ended."""
        return self.pending.rfind(b"\n", 0, self.target) + 1 or self.pending.find(b"\n") + 1

    def end(self) -> Iterator[Chunk]:
        """The last line may lack its newline."""
        if self.skipped:
            yield self.long_line(newline=0)
        elif self.pending:
            yield self.take(len(self.pending))

    def cut_off(self, reason: str) -> Iterator[Chunk]:
        """The whole lines that are left, then a chunk that says what happened to the rest."""
        if not self.skipped and (cut := self.pending.rfind(b"\n") + 1):
            yield self.take(cut)
        length = self.skipped or len(self.pending)
        yield Chunk(self.offset, self.line, length, failed=reason, beginning=bytes(self.pending[:MAX_PAYLOAD_BYTES]))

    def take(self, length: int) -> Chunk:
        with memoryview(self.pending) as pending:
            raw = bytes(pending[:length])
        chunk = Chunk(self.offset, self.line, length, raw)
        del self.pending[:length]
        self.offset, self.line = self.offset + length, self.line + chunk.lines
        return chunk

    def skip(self, part: bytes) -> None:
        self.skipped += len(part)
        self.skipped_blank = self.skipped_blank and not part.strip()
        self.pending += part[: max(0, MAX_PAYLOAD_BYTES - len(self.pending))]

    def long_line(self, newline: int) -> Chunk:
        """A line that is too long; a blank one is skipped like any other."""
        length = self.skipped + newline
        chunk = Chunk(self.offset, self.line, length, b"\n", beginning=bytes(self.pending))
        if not self.skipped_blank:
            chunk = Chunk(self.offset, self.line, length, too_long=self.skipped, beginning=bytes(self.pending))
        self.pending, self.skipped = bytearray(), 0
        self.offset, self.line = self.offset + length, self.line + 1
        return chunk
