"""A run is repeatable, bounded, of the promised mix, and comes out in every form."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

import simulator


def written(seed: int, scenario: simulator.Scenario | None = None, days: int = 12) -> bytes:
    sink = io.BytesIO()
    simulator.simulate(150, days, seed, sink, scenario=scenario)
    return sink.getvalue()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert written(3) == written(3)
    assert written(3) != written(4)


def test_every_suffix_holds_the_same_lines(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "b.jsonl.gz"):
        simulator.simulate(80, 5, 1, tmp_path / name)
    plain = (tmp_path / "a.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == plain
    assert zstandard.ZstdDecompressor().stream_reader((tmp_path / "a.jsonl.zst").read_bytes()).read() == plain
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jsonl"):
        simulator.simulate(80, 5, 1, tmp_path / "a.csv")


@pytest.mark.parametrize(("customers", "days", "seed"), [(0, 5, 1), (5, 0, 1), (5, 5, -1)])
def test_impossible_sizes_are_refused(customers: int, days: int, seed: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulator.simulate(customers, days, seed, io.BytesIO())


@pytest.mark.parametrize("customers", [1, 2, 17])
def test_a_tiny_operator_works(customers: int) -> None:
    assert simulator.simulate(customers, 3, 1, io.BytesIO()).events >= customers


def test_days_give_the_same_events_day_by_day() -> None:
    parts = list(simulator.days(150, 12, 3))
    assert len(parts) == 12
    assert b"".join(parts) == written(3)
    for number, part in enumerate(parts):
        assert {json.loads(line)["occurred_at"][8:10] for line in part.splitlines()} == {f"{number + 1:02d}"}


def test_the_mix_is_94_5_1() -> None:
    summary = simulator.simulate(600, 45, 5, io.BytesIO())
    total = sum(summary.by_stream.values())
    assert 0.92 < summary.by_stream["usage"] / total < 0.96
    assert 0.035 < summary.by_stream["billing"] / total < 0.065
    assert 0.007 < summary.by_stream["complaints"] / total < 0.016


def test_usage_per_day_is_what_was_asked_for() -> None:
    for rate in (2.0, 9.0):
        summary = simulator.simulate(600, 12, 5, io.BytesIO(), scenario=simulator.Scenario(usage_per_day=rate))
        assert summary.by_stream["usage"] / 600 / 12 == pytest.approx(rate, rel=0.15)


def test_skewed_one_customer_in_a_hundred_makes_half_of_the_usage() -> None:
    lines = written(2, simulator.Scenario(skewed=True), days=20).splitlines()
    counts: dict[str, int] = {}
    for line in lines:
        event = json.loads(line)
        if event["type"] == "usage.recorded":
            counts[event["customer_id"]] = counts.get(event["customer_id"], 0) + 1
    assert 0.3 < max(counts.values()) / sum(counts.values()) < 0.65  # one of 150 customers


def test_the_default_stretch_ends_before_november_2026_whatever_its_length() -> None:
    for days in (5, 303, 700):
        operator = simulator.Operator(3, days, 1)
        assert operator.clock.date_text(days) <= "2026-10-31"


def test_late_events_and_copies_are_as_many_as_asked(simulated: Any) -> None:
    run = simulated(200, 25, 4, simulator.Scenario(late_share=0.05, duplicate_share=0.02))
    ids = [event["event_id"] for event in run.events]
    assert run.summary.duplicates == len(ids) - len(set(ids))
    assert run.summary.events == len(ids)
    assert 0.01 < run.summary.duplicates / len(set(ids)) < 0.03
    newest, late, seen, latest = "", 0, set(), 0.0
    for event in run.events:
        at = event["occurred_at"]
        if event["event_id"] not in seen and at < newest and event["type"] == "usage.recorded":
            late += 1
            latest = max(latest, (datetime.fromisoformat(newest) - datetime.fromisoformat(at)).total_seconds())
        seen.add(event["event_id"])
        newest = max(newest, at)
    assert 0.03 < late / len(seen) < 0.06
    assert latest < 24 * 3600


def test_progress_is_told_every_day() -> None:
    told: list[tuple[int, int, int]] = []
    simulator.simulate(50, 6, 1, io.BytesIO(), progress=lambda *state: told.append(state))
    assert [day for day, _, _ in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1][2] > told[0][2] > 0


def test_a_suspended_line_is_not_used(run: Any) -> None:
    status: dict[str, str] = {}
    suspensions = 0
    for event in run.events:
        if event["type"] == "line.changed":
            status[event["customer_id"]] = event["status"]
            suspensions += event["status"].startswith("suspended")
        elif event["type"] == "usage.recorded":
            assert not status.get(event["customer_id"], "active").startswith("suspended")
    assert suspensions > 20
