"""`churn seed`, then `churn run` on a real broker: what one replay of everything would say from there on, once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.workers import (
    CHURN,
    PARTITIONS,
    ROOT,
    Workers,
    firsts,
    make_topics,
    produce,
    read_all,
    simulated,
    wait_drained,
)

from streams.live.topics import EVENTS

pytestmark = pytest.mark.xdist_group("kafka")


def ran(*arguments: object, **environment: str) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    done = subprocess.run(
        [*CHURN, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout.strip()


def decided(folder: Path, model: Path, lines: list[bytes]) -> dict[tuple[str, int], dict[str, Any]]:
    """What a replay of these lines says, by what tells decisions apart."""
    (folder / "part.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert ran("replay", folder / "part.jsonl", "--model", model, "--warnings", folder / "part-warnings.jsonl")[0] == 0
    return once(map(msgspec.json.decode, (folder / "part-warnings.jsonl").read_bytes().splitlines()))


def once(decisions: Any) -> dict[tuple[str, int], dict[str, Any]]:
    """By what tells decisions apart; none may be said twice."""
    found, again = firsts(decisions)
    assert not again
    return found


def test_after_a_seed_workers_say_what_one_replay_of_everything_would(empty: str, tmp_path: Path) -> None:
    lines, model = simulated(tmp_path, customers=80, days=30)
    cut = len(lines) * 6 // 10
    history = tmp_path / "history.jsonl"
    history.write_bytes(b"\n".join(lines[:cut]) + b"\n")
    where = {
        "CHURN_KAFKA_BOOTSTRAP": empty,
        "CHURN_CHECKPOINTS": str(tmp_path / "checkpoints"),
        "CHURN_KAFKA_PARTITIONS": str(PARTITIONS),
    }
    make_topics(empty)
    produce(empty, lines, dated=True)  # history is in the topics too
    code, said = ran("seed", history, "--model", model, **where)
    assert code == 0, said
    assert f"{cut:,} events until" in said
    assert f"{PARTITIONS} partitions" in said
    code, said = ran("seed", history, "--model", model, **where)
    assert (code, "partition 0 has checkpoints; a seed begins with none" in said) == (2, True), said
    with Workers(empty, tmp_path, model) as workers:
        workers.start()
        behind = wait_drained(empty, 400)
        assert not behind, workers.logs()[-4000:]
        assert workers.stop_all() == [0]
    before = decided(tmp_path, model, lines[:cut])
    expected = {key: one for key, one in decided(tmp_path, model, lines).items() if key not in before}
    assert before
    assert len(expected) > 3
    assert once(read_all(empty)) == expected


def test_offsets_that_the_broker_does_not_have_are_refused(empty: str, tmp_path: Path) -> None:
    simulated(tmp_path, customers=5, days=3)
    where = {
        "CHURN_KAFKA_BOOTSTRAP": empty,
        "CHURN_CHECKPOINTS": str(tmp_path / "checkpoints"),
        "CHURN_KAFKA_PARTITIONS": "2",
    }
    offsets = tmp_path / "offsets.json"
    offsets.write_bytes(msgspec.json.encode({topic: [0, 7] for topic in EVENTS}))
    code, said = ran("seed", tmp_path / "events.jsonl", "--from", offsets, **where)
    assert (code, said) == (2, "churn.usage.v1/1 has offsets 0 to 0, not 7")
    offsets.write_bytes(msgspec.json.encode({topic: [0] for topic in EVENTS}))
    code, said = ran("seed", tmp_path / "events.jsonl", "--from", offsets, **where)
    assert (code, said) == (2, "--from: churn.usage.v1 has 2 partitions, offsets are given for 1")
    code, said = ran("seed", tmp_path / "events.jsonl", "--from", "tomorrow", **where)
    assert code == 2
    assert said.startswith("--from")
