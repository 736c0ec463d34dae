"""`churn replay --from-kafka` on a real broker: a stretch of the topics says what a file of the same events says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from support.workers import CHURN, ROOT, make_topics, produce, simulated

pytestmark = pytest.mark.xdist_group("kafka")
OUTPUTS = ("warnings", "dead-letters", "incidents")


def replay(folder: Path, *arguments: object, bootstrap: str = "127.0.0.1:1") -> tuple[int, str]:
    """Exit code and standard error."""
    outputs = [part for name in OUTPUTS for part in (f"--{name}", folder / f"{name}.jsonl")]
    done = subprocess.run(
        [*CHURN, "replay", *map(str, arguments), *map(str, outputs), "--report", folder / "report.json"],
        cwd=ROOT,
        env=os.environ | {"CHURN_KAFKA_BOOTSTRAP": bootstrap},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stderr.strip()


def told(folder: Path) -> tuple[list[dict[str, object]], int]:
    """Decisions in the contract's order, the wall clock apart, and the number of events."""
    decisions = [msgspec.json.decode(line) for line in (folder / "warnings.jsonl").read_bytes().splitlines()]
    for decision in decisions:
        del decision["decided_at"]
    events = msgspec.json.decode((folder / "report.json").read_bytes())["events"]
    return sorted(decisions, key=lambda one: (one["raised_at"], one["customer_id"], one["revision"])), events


def test_a_stretch_of_the_topics_says_what_a_file_of_the_same_events_says(empty: str, tmp_path: Path) -> None:
    lines, model = simulated(tmp_path, customers=60, days=40)
    make_topics(empty)
    produce(empty, lines, dated=True)
    times = [msgspec.json.decode(line)["occurred_at"] for line in lines]
    few = len(lines) // 20
    for number, (since, until) in enumerate([(None, None), (times[few], times[-few])]):
        files, topics = tmp_path / f"files-{number}", tmp_path / f"topics-{number}"
        files.mkdir()
        topics.mkdir()
        chosen = [line for line, at in zip(lines, times, strict=True) if (since or "") <= at < (until or "9")]
        (files / "chosen.jsonl").write_bytes(b"\n".join(chosen) + b"\n")
        assert replay(files, files / "chosen.jsonl", "--model", model) == (0, "")
        stretch = ["--since", since, "--until", until] if since else []
        assert replay(topics, "--from-kafka", *stretch, "--model", model, bootstrap=empty) == (0, "")
        assert told(topics) == told(files)
        assert told(files)[1] == len(chosen) > 1_000
        assert told(files)[0]
    code, said = replay(tmp_path, "--from-kafka", "--since", "2090-01-01T00:00:00Z", bootstrap=empty)
    assert (code, said) == (2, f"no events came since 2090-01-01T00:00:00.000000Z to the topics at {empty}")


def test_topics_that_are_not_there_are_named(empty: str, tmp_path: Path) -> None:
    code, said = replay(tmp_path, "--from-kafka", bootstrap=empty)
    assert (code, said.startswith("missing on the broker: churn.usage.v1, ")) == (3, True), said


def test_a_broker_that_is_not_there_is_one_line_and_exit_code_3(tmp_path: Path) -> None:
    code, said = replay(tmp_path, "--from-kafka")
    assert code == 3
    assert said.startswith("Kafka at 127.0.0.1:1: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from-kafka", "x.jsonl"), "files or --from-kafka, not both"),
        (("--from-kafka", "--state", "s"), "--state goes on with files; with --from-kafka say --since"),
        (("x.jsonl", "--since", "2026-01-01T00:00:00Z"), "--since and --until are for --from-kafka"),
        ((), "Missing argument 'FILE...' (or --from-kafka)"),
        (("--from-kafka", "--since", "yesterday"), "--since"),
        (
            ("--from-kafka", "--since", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"),
            "--since 2026-01-02T00:00:00Z is not before --until 2026-01-01T00:00:00Z",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    code, answer = replay(tmp_path, *arguments)
    assert code == 2
    assert answer.startswith(said), answer
