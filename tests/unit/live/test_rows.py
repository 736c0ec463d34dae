"""Partitions record, all together, the rows that a replay records, whoever dies in between."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.bundles import library_of, orders_of, quick
from support.daily import Day, decoded, differences
from support.engines import QUICK, batch, configuration, every, frozen, ordered, run, said
from support.lanes import Cluster, by_rules, in_order, records_of
from support.profiles import examples

from sinks.metrics import Metrics
from streams.daily_rows import Whose
from streams.live.rows import check, recorder_of
from streams.live.settings import LiveSettings, live_settings
from streams.problems import UsageError
from streams.recording import Recorder, RecordingEngine

KEY = b"k" * 32


def make(rules: Any, saved: dict[str, Any] | None) -> RecordingEngine:
    made = RecordingEngine(rules, frozen())
    if saved is not None:
        made.restore(saved)
    return made


def build(saved: dict[str, Any] | None = None) -> RecordingEngine:
    return make(configuration(QUICK), saved)


def alone(stream: list[bytes], folder: Path, size: int = 7) -> tuple[dict[str, Day], list[Any]]:
    """What one engine of all customers records, and says."""
    made = build()
    made.record(Recorder(folder, KEY))
    decisions = run(made, every(size, stream)).decisions
    return decoded(folder), decisions


def cluster_of(stream: list[bytes], partitions: int, folder: Path) -> Cluster:
    def recorder(lane: int, epoch: int) -> Recorder:
        return Recorder(folder / str(lane), KEY, Whose(lane, partitions, epoch))

    return Cluster(records_of(stream, partitions), build, recorder=recorder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives a new folder each time."""
    return lambda: tmp_path_factory.mktemp("rows")


@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sampled_from([1, 3]), st.sampled_from([1, 9, 1000]))
def test_any_number_of_partitions_and_any_rhythm(place, seed, partitions, chunk):
    stream = in_order(seed, 120, 8)
    once, spoken = alone(stream, place())
    folder = place()
    cluster = cluster_of(stream, partitions, folder)
    cluster.run(chunk, seed)
    found = decoded(folder)
    assert len(once) > 5
    assert found.keys() == once.keys()
    assert differences(found, once) == []
    assert ordered(map(said, cluster.decisions)) == spoken


@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(1, 40))
@example(0, 2)  # a partition's first round reached beyond a day's end before it had told the others anything
def test_partitions_that_are_taken_over_from_any_checkpoint(place, seed, every):
    stream = in_order(seed, 120, 6)
    once, spoken = alone(stream, place())
    folder = place()
    cluster = cluster_of(stream, 3, folder)
    cluster.with_takeovers(random.Random(seed), 250, 9, every, 0.5, [*cluster.lanes])
    cluster.run(9, seed)
    found = decoded(folder)
    assert found.keys() == once.keys()
    assert differences(found, once) == []
    assert not [*folder.rglob("*.writing")]
    decisions = {(one.warning_id, one.revision): said(one) for one in cluster.decisions}
    assert ordered(decisions.values()) == spoken


def test_other_rules_and_an_engine_made_anew_go_on_recording(tmp_path: Path) -> None:
    stream, files = in_order(3, 150, 5), quick()
    edited = quick(**{"complaints_overdue >= 1": "complaints_overdue >= 2"})
    rebuilt = edited | {"churn.yaml": files["churn.yaml"].replace(b"recheck: 24h", b"recheck: 12h")}
    library, (first, second, third) = library_of(files, edited, rebuilt, make=make)
    recorder = lambda lane, epoch: Recorder(tmp_path / "live", KEY, Whose(lane, 1, epoch))  # noqa: E731
    cluster = by_rules(stream, 1, library, first, recorder=recorder)
    third_of = len(cluster.records[0]["churn.usage.v1"]) // 3
    for orders in ([], [second], [second, third]):
        cluster.orders = [msgspec.structs.replace(one, rebuild=True) for one in orders_of([first, *orders])]
        for topic in cluster.records[0]:
            cluster.feed(0, topic, third_of)
        cluster.settle()
    cluster.run()
    once, _ = alone(stream, tmp_path / "alone")
    found = decoded(tmp_path / "live")
    assert cluster.lanes[0].rules == third
    assert found.keys() == once.keys()
    assert differences(found, once) == []  # the rules that are looked for are not what is recorded


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings that ask for rows in a folder."""

    def of(folder: Path, key: str = "geheim", key_file: str = "") -> LiveSettings:
        monkeypatch.setenv("CHURN_FEATURE_ROWS", str(folder))
        monkeypatch.setenv("CHURN_PSEUDONYM_KEY", key)
        monkeypatch.setenv("CHURN_PSEUDONYM_KEY_FILE", key_file)
        return live_settings()

    return of


def test_a_folder_that_cannot_be_written_is_counted_and_tried_again_the_next_day(asked, tmp_path, capsys) -> None:
    stream = in_order(5, 60, 3)
    (tmp_path / "rows").write_text("no folder yet")
    settings_, metrics = asked(tmp_path / "rows" / "deeper"), Metrics()
    recorder = recorder_of(settings_, metrics, Whose(0, 2, 7))
    assert recorder is not None
    made = build()
    made.record(recorder)
    failures = lambda: metrics.registry.get_sample_value("churn_feature_rows_failures_total")  # noqa: E731
    assert failures() == 1.0  # said at once, not when a day is lost
    half = len(stream) // 2
    decisions = [*made.step(batch(stream[:half]), 0).decisions]
    lost = failures()
    assert lost > 1.0
    (tmp_path / "rows").unlink()
    decisions += made.step(batch(stream[half:]), 0).decisions
    assert failures() == lost
    assert [*(tmp_path / "rows" / "deeper" / "0").glob("*-000000000007.rows.zst")]
    assert ordered(map(said, decisions)) == ordered(map(said, build().step(batch(stream), 0).decisions))
    assert "geheim" not in "".join(capsys.readouterr()) + repr(settings_)


def test_rows_need_a_key_and_a_folder(asked, tmp_path) -> None:
    (tmp_path / "key").write_text("geheim\n")
    check(asked(""))
    check(asked(tmp_path / "rows"))
    check(asked(tmp_path, "", str(tmp_path / "key")))
    with pytest.raises(
        UsageError, match=r"^CHURN_FEATURE_ROWS: set CHURN_PSEUDONYM_KEY \(or CHURN_PSEUDONYM_KEY_FILE\)"
    ):
        check(asked(tmp_path, ""))
    with pytest.raises(UsageError, match="is no folder"):
        check(asked(tmp_path / "key"))
    assert recorder_of(asked(tmp_path), Metrics(), Whose()) is not None
    assert recorder_of(asked(""), Metrics(), Whose()) is None
