"""Replay around an engine that is easy to see through: each event gives a warning, every tenth a held-out one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from events.columns import Batch
from events.deadletters import DeadLetter
from events.times import time_of
from streams.replay import Job, replay


class Said(msgspec.Struct):
    number: int
    event: str
    held_out: bool


@dataclass
class FakeStep:
    decisions: list[Said] = field(default_factory=list)
    incidents: list[Any] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    shadow: list[Any] = field(default_factory=list)


class FakeEngine:
    """Numbers what it gets. `dies_at` makes it fail like a process that is killed."""

    def save_model(self) -> bytes:
        return b"model"

    def __init__(self, state: dict[str, Any] | None, dies_at: int | None = None) -> None:
        self.count = 0 if state is None else int(state["count"][0])
        self.dies_at = dies_at
        self.advanced_to: list[int] = []

    def step(self, batch: Batch, decided_at: int) -> FakeStep:
        step = FakeStep()
        for index in range(len(batch)):
            if self.count == self.dies_at:
                raise KeyboardInterrupt
            self.count += 1
            event = json.loads(batch.payload(index))["event_id"]
            step.decisions.append(Said(self.count, event, held_out=self.count % 10 == 0))
            step.applied += 1
        return step

    def advance(self, to: int, decided_at: int) -> FakeStep:
        self.advanced_to.append(to)
        return FakeStep()

    def scores(self, at: int) -> Iterable[tuple[str, float | None, str | None]]:
        return [("c", 0.5, "watch")]

    def report(self) -> dict[str, Any]:
        return {"customers": 1}

    def snapshot(self) -> dict[str, NDArray[Any] | bytes]:
        return {"count": np.array([self.count])}


def event(number: int, at: str = "2025-01-01T00:00:{:02d}Z") -> str:
    return json.dumps(
        {
            "type": "usage.recorded",
            "event_id": f"e{number}",
            "customer_id": "c",
            "occurred_at": at.format(number % 60),
            "service": "voice",
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{event(number)}\n" for number in range(50)))
    return path


def run(job: Job, dies_at: int | None = None) -> tuple[dict[str, Any], FakeEngine]:
    engines: list[FakeEngine] = []

    def build(state: dict[str, Any] | None) -> FakeEngine:
        engines.append(FakeEngine(state, dies_at))
        return engines[0]

    report = replay(job, build, print)
    return report, engines[0]


def test_every_line_is_counted_once_and_held_out_decisions_go_nowhere(source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + "\n\nrubbish\n" + event(1, "2199-01-01T00:00:{:02d}Z") + "\n")
    out = tmp_path / "w.jsonl"
    dead = tmp_path / "d.jsonl"
    at = time_of("2025-01-01T00:00:39Z", "score_at")

    report, engine = run(Job([str(source)], warnings=out, dead_letters=dead, score_at=at))

    assert {key: report[key] for key in ("events", "duplicates", "dead_letters", "after_score_at", "customers")} == {
        "events": 40,
        "duplicates": 0,
        "dead_letters": {"in_future": 1, "not_json": 1},
        "after_score_at": 10,
        "customers": 1,
    }
    assert len(out.read_text().splitlines()) == 36
    assert engine.advanced_to == [at]
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    assert [(letter["reason"], letter["source"]) for letter in letters] == [
        ("not_json", f"{source}:53"),
        ("in_future", f"{source}:54"),
    ]


def test_timers_run_to_the_newest_event_when_no_time_is_given(source: Path, tmp_path: Path) -> None:
    scores = tmp_path / "s.csv"
    _, engine = run(Job([str(source)], scores=scores))
    assert engine.advanced_to == [time_of("2025-01-01T00:00:49Z", "at")]
    assert scores.read_text().splitlines()[1] == "c,2025-01-01T00:00:49.000000Z,0.5,watch"


@pytest.mark.parametrize("dies_at", [0, 1, 17, 49])
def test_a_run_that_died_goes_on_and_the_outputs_are_those_of_one_run(
    source: Path, tmp_path: Path, dies_at: int
) -> None:
    whole = tmp_path / "whole.jsonl"
    run(Job([str(source)], warnings=whole))
    job = Job(
        [str(source)],
        warnings=tmp_path / "w.jsonl",
        dead_letters=tmp_path / "d.jsonl",
        state=tmp_path / "state",
        checkpoint_every=0,
        chunk_bytes=500,
    )

    with pytest.raises(KeyboardInterrupt):
        run(job, dies_at)
    report, _ = run(job)

    assert (tmp_path / "w.jsonl").read_text() == whole.read_text()
    assert report["events"] == 50


def test_the_same_command_again_changes_nothing_and_a_new_file_goes_on(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "w.jsonl"
    first = Job([str(source)], warnings=out, state=tmp_path / "state")
    run(first)
    before = out.read_bytes()

    again, _ = run(first)
    assert out.read_bytes() == before
    assert again["events"] == 50

    more = tmp_path / "more.jsonl"
    more.write_text(event(59) + "\n")
    report, _ = run(Job([str(more)], warnings=out, state=tmp_path / "state"))
    assert report["events"] == 51
    assert json.loads(out.read_text().splitlines()[-1])["number"] == 51


def test_what_is_the_future_is_decided_when_the_run_first_starts(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = time_of("2024-12-31T00:00:05Z", "start")  # events 6 and on are more than a day ahead
    monkeypatch.setattr("streams.clock.now", lambda: start)
    job = Job([str(source)], state=tmp_path / "state", checkpoint_every=0, chunk_bytes=500)
    with pytest.raises(KeyboardInterrupt):
        run(job, dies_at=4)
    monkeypatch.setattr("streams.clock.now", lambda: start + 10_000_000)

    report, _ = run(job)

    assert (report["events"], report["dead_letters"]) == (6, {"in_future": 44})


def test_no_events_at_all(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    report, engine = run(Job([str(empty)], scores=tmp_path / "s.csv", report=tmp_path / "r.json"))
    assert report["events"] == 0
    assert engine.advanced_to == []
    assert (tmp_path / "s.csv").read_text() == "customer_id,scored_at,risk,tier\n"
    assert json.loads((tmp_path / "r.json").read_text()) == report


def test_the_rate_counts_the_time_of_all_runs(source: Path) -> None:
    started = time.perf_counter()
    report, _ = run(Job([str(source)]))
    assert report["events_per_second"] > 50 / (time.perf_counter() - started)
