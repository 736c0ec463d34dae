"""Lines of JSON: appended, cut back, never silently lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinks.jsonl import JsonLines, ShorterError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def test_a_file_is_begun_anew(path: Path) -> None:
    path.write_text("old\n")
    with JsonLines(path) as out:
        out.write([{"a": 1}, {"a": "升"}])
    assert path.read_text() == '{"a":1}\n{"a":"升"}\n'


def test_what_came_behind_the_checkpoint_is_cut_off_and_written_again(path: Path) -> None:
    with JsonLines(path) as out:
        out.write([1])
        length = out.sync()
        out.write([2, 3])
    with JsonLines(path, keep=length) as out:
        out.write([4])
        assert out.sync() == path.stat().st_size
    assert path.read_text() == "1\n4\n"


def test_a_file_that_lost_what_it_had_is_refused(path: Path) -> None:
    path.write_text("1\n")
    with pytest.raises(ShorterError, match="has 2 bytes, but 10"):
        JsonLines(path, keep=10)
    assert path.read_text() == "1\n"


def test_a_file_that_was_taken_away_is_begun_anew(path: Path) -> None:
    with JsonLines(path, keep=10) as out:
        out.write([1])
        assert out.sync() == 2


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    with JsonLines(Path("/dev/null"), keep=5) as out:
        out.write([1])
        out.sync()
