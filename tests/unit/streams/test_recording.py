"""Days are written whole or not at all, by each owner under its own name, and end with the clock however it moves."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.daily import decoded
from support.engines import QUICK, batch, configuration, frozen
from support.small_streams import lines, random_moments

from engine.parts import DAY_US
from events.times import time_of
from population.findings import Finding
from streams.daily_rows import EVERYBODY, Whose
from streams.day_files import day_files
from streams.recording import Recorder, RecordingEngine

KEY = b"k" * 32
STREAM = lines(random_moments(2, 60, customers=4))


def recording(recorder: Recorder) -> RecordingEngine:
    """An engine that has seen some customers' events."""
    made = RecordingEngine(configuration(QUICK), frozen())
    made.record(recorder)
    made.step(batch(STREAM), 0)
    return made


def fault(number: int, at: int) -> Finding:
    """One that was found for all partitions."""
    return Finding(number, at, "network", "cell:X", at, "opened", 1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file may be longer than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_days_end_where_the_clock_goes_on_without_events(tmp_path: Path) -> None:
    made = recording(Recorder(tmp_path, KEY))
    before, clock = len(names(tmp_path)), made.partition.clock
    made.advance(clock + 3 * DAY_US, 0)
    assert len(names(tmp_path)) == before + 3
    made.obey(fault(0, clock + 5 * DAY_US), 0)
    assert len(names(tmp_path)) == before + 5
    made.obey(fault(1, clock), 0)
    made.advance(made.partition.clock, 0)
    assert len(names(tmp_path)) == before + 5
    found = decoded(tmp_path)
    assert len(found) == before + 5
    offset = int(made.settings.utc_offset)
    for day, one in found.items():
        assert one.heads[0].at == time_of(f"{day}T23:59:59.999999Z", "day") - offset
    assert {one.heads[0].since for one in found.values()} == {"2024-03-01"}


def test_no_day_ends_before_the_first_event(tmp_path: Path) -> None:
    made = RecordingEngine(configuration(QUICK), frozen())
    made.record(Recorder(tmp_path, KEY))
    made.advance(time_of("2024-02-28T00:00:00Z", "to"), 0)
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    said: list[str] = []
    made = recording(
        Recorder(tmp_path, KEY, Whose(1, 2, 3), failed=lambda what, error: said.append(f"{what}: {error}"))
    )
    whole = names(tmp_path)
    with full_disk(100):
        made.advance(made.partition.clock + DAY_US, 0)
    assert names(tmp_path) == whole
    assert "could not be written: [Errno 27] File too large" in said[0]
    made.advance(made.partition.clock + DAY_US, 0)
    assert len(names(tmp_path)) == len(whole) + 1
    assert len(said) == 1
    with full_disk(100), pytest.raises(OSError, match="File too large"):
        recording(Recorder(tmp_path / "replay", KEY))


def test_of_several_owners_the_newest_counts_and_nobody_overwrites_another(tmp_path: Path) -> None:
    recording(Recorder(tmp_path, KEY, Whose(0, 1, 5)))
    first = names(tmp_path)
    recording(Recorder(tmp_path, KEY, Whose(0, 1, 7)))
    mine = names(tmp_path)
    assert mine == [name.replace("05.", "07.") for name in first]  # the one before is no longer needed
    contents = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    zombie = RecordingEngine(configuration(QUICK), frozen())
    zombie.record(Recorder(tmp_path, b"z" * 32, Whose(0, 1, 6)))
    zombie.step(batch(STREAM[::2]), 0)
    assert {path.name for path in day_files((str(tmp_path),)) or ()} >= contents.keys()
    assert not {path.name for path in day_files((str(tmp_path),)) or ()} & {
        name.replace("07.", "06.") for name in contents
    }
    assert all((tmp_path / name).read_bytes() == content for name, content in contents.items())


def test_the_same_is_written_again_and_something_else_under_the_same_epoch_is_refused(tmp_path: Path) -> None:
    recording(Recorder(tmp_path, KEY, Whose(0, 1, 5)))
    contents = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    recording(Recorder(tmp_path, KEY, Whose(0, 1, 5)))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents
    with pytest.raises(FileExistsError, match="another owner has the same epoch"):
        recording(Recorder(tmp_path, b"z" * 32, Whose(0, 1, 5)))
    recording(Recorder(tmp_path / "replay", KEY))
    recording(Recorder(tmp_path / "replay", b"z" * 32))  # a replay begins anew


@pytest.mark.parametrize("whose", [EVERYBODY, Whose(3, 8, 5)])
def test_days_beyond_those_kept_are_deleted(tmp_path: Path, whose: Whose) -> None:
    recording(Recorder(tmp_path / "all", KEY, whose))
    recording(Recorder(tmp_path / "some", KEY, whose, keep=4))
    every = names(tmp_path / "all")
    assert len(every) > 4
    assert names(tmp_path / "some") == every[-4:]


def test_what_a_dead_owner_began_to_write_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "2024-03-01-000000000005.rows.zst.0a1b2c3d.writing").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    Recorder(tmp_path, KEY, Whose(0, 1, 6))
    assert names(tmp_path) == ["notes.txt"]
