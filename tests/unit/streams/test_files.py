"""Files cut into chunks: nothing lost, nothing invented, bounded whatever comes."""

from __future__ import annotations

import gzip
import io
import random
import resource
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from streams.files import LONGEST_LINE, Chunk, CutOffError, Cutter, chunks, many_open, open_input, unpacked

LINES = b"".join(b'{"n": %d}\n' % n for n in range(5_000))


def cut(data: bytes, target: int = 100, size: int = 64, **begin: int) -> list[Chunk]:
    return list(chunks((data[at : at + size] for at in range(0, len(data), size)), Cutter(target, **begin)))


def read(data: bytes) -> bytes:
    return b"".join(unpacked(io.BytesIO(data)))


@given(
    data=st.binary(max_size=400).map(lambda b: b.replace(b"a", b"\n")),
    target=st.integers(1, 300),
    size=st.integers(1, 300),
)
def test_chunks_joined_are_the_file_and_end_at_line_ends(data: bytes, target: int, size: int) -> None:
    got = cut(data, target, size)

    assert b"".join(chunk.raw for chunk in got) == data
    assert all(chunk.raw.endswith(b"\n") for chunk in got[:-1])
    assert [chunk.offset for chunk in got] == [sum(c.length for c in got[:n]) for n in range(len(got))]
    assert [chunk.line for chunk in got] == [1 + data[: chunk.offset].count(b"\n") for chunk in got]


@given(st.integers(0, 60), st.integers(1, 200))
def test_a_chunk_of_an_earlier_run_is_cut_the_same(number: int, target: int) -> None:
    data = LINES[:2_000]
    earlier = cut(data, 70)
    one = earlier[number % len(earlier)]

    again = cut(data[one.offset :], target, offset=one.offset, line=one.line, first_length=one.length)

    assert again[0] == one
    assert b"".join(chunk.raw for chunk in again) == data[one.offset :]


def test_a_line_of_50_mb_is_one_chunk_with_its_beginning_only() -> None:
    long = b'{"text": "' + b"x" * 50_000_000 + b'"}'
    pieces = (part for part in (b'{"n": 1}\n', long[:7], *blocks(long[7:]), b"\n" + b'{"n": 2}\n'))

    got = list(chunks(pieces, Cutter(1 << 20)))

    assert [chunk.too_long for chunk in got] == [0, len(long), 0]
    assert got[1].beginning == long[:64_000]
    assert (got[1].line, got[2].line, got[2].offset) == (2, 3, 9 + len(long) + 1)
    assert got[2].raw == b'{"n": 2}\n'


def blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 65_536] for at in range(0, len(data), 65_536))


def test_a_long_line_at_the_end_needs_no_newline() -> None:
    long = b"y" * (LONGEST_LINE + 10)
    assert [chunk.too_long for chunk in chunks(blocks(long), Cutter(100))] == [len(long)]


def test_a_long_blank_line_is_blank() -> None:
    got = list(chunks(blocks(b" " * (2 * LONGEST_LINE) + b"\n{}\n"), Cutter(100)))
    assert [(chunk.line, chunk.raw, chunk.too_long) for chunk in got] == [(1, b"\n", 0), (2, b"{}\n", 0)]


def test_the_longest_line_allowed_is_whole() -> None:
    line = b"z" * LONGEST_LINE
    assert [chunk.raw for chunk in chunks(blocks(line), Cutter(1 << 20))] == [line]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_plain_and_gzip(pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(LINES)) == LINES


def test_gzip_members_follow_one_another_even_behind_padding() -> None:
    packed = gzip.compress(LINES[:100]) + gzip.compress(b"") + gzip.compress(LINES[100:]) + b"\0" * 512
    assert read(packed) == LINES


def test_zstd_frames_follow_one_another() -> None:
    pack = zstandard.ZstdCompressor().compress
    assert read(pack(LINES[:100]) + pack(LINES[100:])) == LINES


def test_an_empty_file_is_empty() -> None:
    assert read(b"") == b""
    assert cut(b"") == []


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_every_cut_is_found_and_what_came_before_it_is_given(pack: Callable[[bytes], bytes]) -> None:
    noise = random.Random(1).randbytes(3_000).hex().encode()
    data = b"".join(noise[at : at + 50] + b"\n" for at in range(0, len(noise), 50))
    packed = pack(data)
    for length in range(5, len(packed)):
        got = list(chunks(unpacked(io.BytesIO(packed[:length])), Cutter(500)))
        assert got[-1].failed
        whole = b"".join(chunk.raw for chunk in got)
        assert data.startswith(whole + got[-1].beginning)
        assert not whole or whole.endswith(b"\n")


def test_damaged_gzip_is_found() -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[-6] ^= 1
    with pytest.raises(CutOffError, match="damaged"):
        read(bytes(packed))


def test_garbage_behind_gzip_is_found() -> None:
    with pytest.raises(CutOffError, match="damaged"):
        read(gzip.compress(LINES) + b"what is this")


def test_a_zip_bomb_comes_in_small_pieces() -> None:
    bomb = gzip.compress(b"\n" * 20_000_000)
    assert max(len(piece) for piece in unpacked(io.BytesIO(bomb))) <= 1 << 20
    frame = zstandard.ZstdCompressor().compress(b"\n" * 100_000_000)
    assert max(len(piece) for piece in unpacked(io.BytesIO(frame))) <= 64 << 20


def test_zlib_alone_is_not_taken_for_gzip() -> None:
    packed = zlib.compress(LINES)
    assert read(packed) == packed


def test_more_files_than_a_process_may_open_at_first_are_opened(tmp_path: Path) -> None:
    names = [tmp_path / str(number) for number in range(90)]
    for name in names:
        name.write_text("{}\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        many_open(len(names))
        with ExitStack() as stack:
            assert len([stack.enter_context(open_input(str(name))) for name in names]) == 90
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
