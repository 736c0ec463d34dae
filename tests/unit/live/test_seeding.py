"""History in files, then workers: together they decide as one replay of everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import batch, copied, engine, frozen, ordered, run, said
from support.lanes import Cluster, in_order, records_of
from support.profiles import examples

from engine.engine import Engine
from streams.inputs import Reader
from streams.live.placement import partitions_in, partitions_of
from streams.live.seeding import Seeding
from streams.problems import UsageError

SHARED = ("network.incident", "market.noted")


def build(saved: dict[str, Any] | None = None) -> Engine:
    made = engine(model=frozen())
    if saved is not None:
        made.restore(saved)
    return made


def seeded(stream: Sequence[bytes], partitions: int, path: Path, chunk: int = 1 << 24) -> Seeding:
    path.write_bytes(b"\n".join(stream) + b"\n")
    seeding = Seeding([build() for _ in range(partitions)])
    seeding.read_all([Reader(str(path), "now", chunk_bytes=chunk)], lambda _done, _events: None)
    return seeding


def goes_on(seeding: Seeding, rest: Sequence[bytes], chunk: int, seed: int) -> Cluster:
    """Workers that find the checkpoints of a seeding."""
    count = len(seeding.engines)
    cluster = Cluster(records_of(rest, count), build)
    for lane in range(count):
        parts = copied(seeding.engines[lane].snapshot())
        cluster.lanes[lane] = cluster.open(lane, seeding.covered(lane, {}, {}, 0, 0), parts)
    cluster.run(chunk, seed)
    return cluster


def alone(stream: Sequence[bytes]) -> list[dict[str, object]]:
    return run(build(), [stream]).decisions


@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 5]), st.floats(0.05, 0.95), st.sampled_from([7, 1000]))
def test_seeded_partitions_go_on_as_one_replay_of_everything_would(tmp_path_factory, seed, partitions, where, chunk):
    stream = in_order(seed, 250, 9)
    cut = max(1, int(len(stream) * where))
    seeding = seeded(stream[:cut], partitions, tmp_path_factory.mktemp("seed") / "history.jsonl", chunk * 100)
    before = alone(stream[:cut])
    assert seeding.unsaid == len(before)
    cluster = goes_on(seeding, stream[cut:], chunk, seed)
    after = ordered(map(said, cluster.decisions))
    assert ordered([*before, *after]) == alone(stream)


def test_what_history_and_the_topics_both_hold_is_applied_once(tmp_path: Path) -> None:
    stream = in_order(3, 250, 9)
    cut = len(stream) // 2
    times = batch(stream).events["at"]
    overlap = int((times[:cut] < times[cut - 1] - 3_600_000_000).sum())  # an hour before the end of history
    assert overlap < cut
    seeding = seeded(stream[:cut], 3, tmp_path / "history.jsonl")
    cluster = goes_on(seeding, stream[overlap:], 50, 1)
    whole = alone(stream)
    assert ordered([*alone(stream[:cut]), *map(said, cluster.decisions)]) == whole
    assert sum(cluster.applied.values()) == len(stream) - cut - len(cluster.dead)


def test_what_is_reported_of_the_market_is_known_in_every_partition(tmp_path: Path) -> None:
    stream = in_order(3, 60, 4)
    at = msgspec.json.decode(stream[-1])["occurred_at"]
    noted = {"type": "market.noted", "event_id": "m", "customer_id": "market:all", "kind": "season", "occurred_at": at}
    seeding = seeded([*stream, msgspec.json.encode(noted)], 3, tmp_path / "history.jsonl")
    before = seeded(stream, 3, tmp_path / "without.jsonl")
    changed = [
        name
        for one, other in zip(seeding.engines, before.engines, strict=True)
        for name, part in one.snapshot().items()
        if name.startswith("watches.") and bytes(part) != bytes(other.snapshot()[name])
    ]
    assert len(changed) >= 3


def test_nothing_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to begin with"):
        seeded([b"{}"], 2, tmp_path / "history.jsonl")


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20), st.integers(1, 500))
def test_customers_of_a_batch_are_placed_as_keys_are(names, count):
    lines = [
        msgspec.json.encode(
            {
                "type": "customer.returned",
                "event_id": str(k),
                "customer_id": name,
                "occurred_at": "2026-01-01T00:00:00Z",
            }
        )
        for k, name in enumerate(names)
    ]
    made = batch(lines)
    starts, lengths = (made.events[column].astype("i8") for column in ("id_at", "id_len"))
    assert (
        partitions_in(made.text, starts, lengths, count).tolist()
        == partitions_of([made.customer_id(k).encode() for k in range(len(made))], count).tolist()
    )
