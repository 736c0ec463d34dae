"""Several files become one stream, in the same order however they are cut and wherever a run went on."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.profiles import examples

from events.times import time_of
from streams.batches import pieces
from streams.inputs import Known, Position, Reader, merged

EPOCH = "2025-01-01T00:00:{:02d}Z"
NOW = time_of("2025-02-01T00:00:00Z", "now")


def line(file: str, number: int, second: int) -> str:
    return json.dumps(
        {
            "type": "usage.recorded",
            "event_id": f"{file}{number}",
            "customer_id": f"c{file}",
            "occurred_at": EPOCH.format(second),
            "service": "data",
        }
    )


def write(folder: Path, files: list[list[int | None]]) -> list[str]:
    """One file per list: its events' seconds, None for a line that is no event."""
    names = []
    for index, seconds in enumerate(files):
        path = folder / f"{index}.jsonl"
        lines = ["no event" if second is None else line(str(index), n, second) for n, second in enumerate(seconds)]
        path.write_text("".join(f"{text}\n" for text in lines))
        names.append(str(path))
    return names


def head_first(files: list[list[int | None]]) -> list[str]:
    """The merge as the contract says it, event by event."""
    queues = [[(s, f"{i}{n}") for n, s in enumerate(f) if s is not None] for i, f in enumerate(files)]
    order = []
    while any(queues):
        index = min((i for i, queue in enumerate(queues) if queue), key=lambda i: queues[i][0][0])
        order.append(queues[index].pop(0)[1])
    return order


def readers(names: list[str], known: list[Known] | None = None, chunk_bytes: int = 300) -> list[Reader]:
    return [Reader(name, "2025-02-01T00:00:00Z", known or [], chunk_bytes) for name in names]


def ids(batch) -> list[str]:  # type: ignore[no-untyped-def]
    return [json.loads(batch.payload(i))["event_id"] for i in range(len(batch))]


FILES = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 59)), max_size=25), min_size=1, max_size=4)
FRESH = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FRESH
@given(files=FILES, chunk_bytes=st.integers(1, 1_500))
def test_files_are_merged_head_first_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int | None]], chunk_bytes: int
) -> None:
    open_readers = readers(write(tmp_path_factory.mktemp("m"), files), chunk_bytes=chunk_bytes)

    batches = list(merged(open_readers, NOW))
    for reader in open_readers:
        reader.close()

    assert [one for batch in batches for one in ids(batch)] == head_first(files)
    assert sum(len(batch.dead) for batch in batches) == sum(f.count(None) for f in files)
    assert {batch.customer_id(i) for batch in batches for i in range(len(batch))} == {
        f"c{i}" for i, f in enumerate(files) if any(s is not None for s in f)
    }


@FRESH
@given(files=FILES, stop=st.integers(0, 20), sizes=st.tuples(st.integers(1, 900), st.integers(1, 900)))
def test_a_run_that_stopped_after_any_round_goes_on_with_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int | None]], stop: int, sizes: tuple[int, int]
) -> None:
    names = write(tmp_path_factory.mktemp("m"), files)
    first, second = [], []

    before = readers(names, chunk_bytes=sizes[0])
    for batch in itertools.islice(merged(before, NOW), stop):
        first += ids(batch) + [letter.source for letter in batch.dead]
    known = [Known(reader.identity, reader.position) for reader in before]
    after = readers(names, known, chunk_bytes=sizes[1])
    for batch in merged(after, NOW):
        second += ids(batch) + [letter.source for letter in batch.dead]
    for reader in before + after:
        reader.close()

    everything = head_first(files) + [
        f"{name}:{n + 1}" for name, f in zip(names, files, strict=True) for n, s in enumerate(f) if s is None
    ]
    assert sorted(first + second) == sorted(everything)
    assert [one for one in first + second if ":" not in one] == head_first(files)


def test_facts_places_and_payloads_survive_the_merge(tmp_path: Path) -> None:
    churned = '{"type": "customer.churned", "event_id": "x", "customer_id": "c", "occurred_at": "2025-01-01T00:00:07Z"}'
    names = write(tmp_path, [[1, 5, 9], [2, 3]])
    with Path(names[1]).open("a") as file:
        file.write(churned + "\n")

    open_readers = readers(names, chunk_bytes=200)
    batches = [piece for batch in merged(open_readers, NOW) for piece in pieces(batch, 2)]
    for reader in open_readers:
        reader.close()

    found = [(batch, i, fact) for batch in batches for i, fact in batch.facts.items()]
    [(batch, index, fact)] = found
    assert (fact.event_id, batch.customer_id(index)) == ("x", "c")
    assert batch.place(index) == f"{names[1]}:3"
    assert batch.payload(index).decode() == churned


def test_a_file_that_is_done_is_not_read_again_and_a_changed_one_is_new(tmp_path: Path) -> None:
    [name] = write(tmp_path, [[1, 2, None]])
    packed = tmp_path / "p.jsonl.gz"
    packed.write_bytes(gzip.compress(Path(name).read_bytes())[:-3])  # the cut gives a dead letter, once

    def run(known: list[Known]) -> tuple[int, int, list[Known]]:
        open_readers = readers([name, str(packed)], known)
        batches = list(merged(open_readers, NOW))
        for reader in open_readers:
            reader.close()
        done = [Known(reader.identity, reader.position) for reader in open_readers]
        return sum(map(len, batches)), sum(len(batch.dead) for batch in batches), done

    assert run([])[:2] == (4, 3)
    done = run([])[2]
    assert run(done)[:2] == (0, 0)
    Path(name).write_text(line("9", 9, 9) + "\n")
    assert run(done)[:2] == (1, 0)


def test_a_long_line_is_one_dead_letter_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(line("a", 1, 1) + "\n" + '"' + "x" * 3_000_000 + '"\n' + line("a", 2, 2) + "\n")
    reader = Reader(str(path), "2025-02-01T00:00:00Z")

    batches = list(merged([reader], NOW))
    reader.close()

    [letter] = [letter for batch in batches for letter in batch.dead]
    assert (letter.reason, letter.source, letter.truncated_from) == ("too_large", f"{path}:2", 3_000_002)
    assert [one for batch in batches for one in ids(batch)] == ["a1", "a2"]


def test_small_files_are_read_without_being_kept_open(tmp_path: Path) -> None:
    names = write(tmp_path, [[second] for second in range(60)])
    before = len([*Path("/dev/fd").iterdir()])
    found = readers(names)
    assert len([*Path("/dev/fd").iterdir()]) == before
    assert sum(len(batch) for batch in merged(found, NOW)) == 60
    assert all(reader.stored_bytes == Path(reader.name).stat().st_size for reader in found)


class Counted(Reader):
    """A reader that counts how often it is asked for more."""

    asked = 0

    def load(self) -> bool:
        self.asked += 1
        return super().load()


def test_of_many_files_one_after_another_each_is_asked_for_its_own_events_only(tmp_path: Path) -> None:
    names = write(tmp_path, [[second] for second in range(60)])
    found = [Counted(name, "2025-02-01T00:00:00Z") for name in names]
    assert [one for batch in merged(found, NOW) for one in ids(batch)] == [f"{i}0" for i in range(60)]
    for reader in found:
        reader.close()
    assert {reader.asked for reader in found} == {2}  # its events, then that there are no more


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    [name] = write(tmp_path, [[]])
    reader = Reader(name, "2025-02-01T00:00:00Z")
    assert list(merged([reader], NOW)) == []
    reader.close()
    assert reader.position == Position(ended=True)


@FRESH
@given(
    files=st.lists(st.lists(st.integers(0, 59), max_size=12), min_size=2, max_size=3),
    place=st.integers(0, 12),
    chunk_bytes=st.integers(1, 1_500),
)
def test_an_event_that_will_be_refused_for_its_date_holds_nothing_up(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int | None]], place: int, chunk_bytes: int
) -> None:
    names = write(tmp_path_factory.mktemp("m"), files)
    first = Path(names[0])
    lines = first.read_text().splitlines(keepends=True)
    lines.insert(place, line("far", 0, 0).replace("2025-01-01", "2100-01-01") + "\n")
    first.write_text("".join(lines))
    open_readers = readers(names, chunk_bytes=chunk_bytes)

    found = [one for batch in merged(open_readers, NOW) for one in ids(batch)]
    for reader in open_readers:
        reader.close()

    assert [one for one in found if one != "far0"] == head_first(files)
    assert found.count("far0") == 1
