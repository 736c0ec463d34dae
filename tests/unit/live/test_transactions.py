"""What producers write in transactions: what they took back is left out, and what they have not ended yet is not there yet."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c as crc32c
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from events.packed import Record, joined, packed
from sinks.metrics import Metrics
from streams.live.care import CareQueues
from streams.live.delivery import Outbox
from streams.live.journal import Covered
from streams.live.keeping import Kept
from streams.live.lane import Lane, LaneSettings
from streams.live.measuring import say_held, show_partitions
from streams.live.pieces import Given, Piece, kept
from streams.live.settings import live_settings
from streams.live.tenancy import Tenancy
from streams.live.topics import USAGE
from streams.live.transactions import LONG_SECONDS, Ends

PRODUCERS = (5, 6, 7)
STEPS = st.lists(
    st.tuples(st.sampled_from(PRODUCERS), st.sampled_from(["plain", "part", "commit", "abort"]), st.integers(0, 4)),
    max_size=14,
)


def batch(base: int, values: list[bytes], producer: int, attributes: int, codec: int = 0, key: bytes = b"k") -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, int(attributes > 0), producer, 0, 0, 1 << 20)
    for number, value in enumerate(values):
        builder.append(number, 5, key, value, [])
    raw = bytearray(builder.build())
    raw[:8] = base.to_bytes(8, "big")
    raw[22] |= attributes
    raw[17:21] = crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def marker(base: int, producer: int, *, commits: bool) -> bytes:
    return batch(base, [b"\0" * 6], producer, 0x30, key=bytes((0, 0, 0, int(commits))))


class Log:
    """A partition as a broker keeps it, and what it lists as aborted."""

    def __init__(self, steps: list[tuple[int, str, int]]) -> None:
        self.batches: list[tuple[int, bytes]] = []
        self.aborted: list[tuple[int, int, int]] = []  # producer, first offset, that of the marker
        self.counting: list[int] = []
        self.end = 0
        open_now: dict[int, list[int]] = {}
        for producer, what, codec in steps:
            values = [b"%d" % (self.end + number) for number in range(2)]
            if what in {"plain", "part"}:
                taken = [*range(self.end, self.end + 2)]
                (open_now.setdefault(producer, []) if what == "part" else self.counting).extend(taken)
                self._add(batch(self.end, values, producer, 0x10 if what == "part" else 0, codec), 2)
            elif producer in open_now:
                taken = open_now.pop(producer)
                if what == "commit":
                    self.counting += taken
                else:
                    self.aborted.append((producer, taken[0], self.end))
                self._add(marker(self.end, producer, commits=what == "commit"), 1)
        self.stable = min((taken[0] for taken in open_now.values()), default=self.end)

    def _add(self, raw: bytes, records: int) -> None:
        self.batches.append((self.end, raw))
        self.end += records

    def fetch(self, offset: int) -> tuple[bytes, list[tuple[int, int]]]:
        """As a broker answers who reads committed: whole batches before the last stable offset."""
        raw = b"".join(raw for base, raw in self.batches if base + 2 > offset and base < self.stable)
        return raw, [(producer, first) for producer, first, at in self.aborted if at >= offset]


def client_of(kind: object, fetched: tuple[bytes, list[tuple[int, int]]], offset: int) -> PartitionRecords:
    raw, aborted = fetched
    return PartitionRecords("t/0", kind(raw), aborted, offset, None, None, True, READ_COMMITTED)


@given(STEPS, st.integers(0, 6))
def test_what_counts_is_what_the_client_s_parser_leaves_and_a_broker_committed(steps, offset):
    log = Log(steps)
    if offset > log.stable:
        return
    client = client_of(MemoryRecords, log.fetch(offset), offset)
    client._consumer_record = lambda _where, record: record
    told = [(one.offset, one.value) for one in client]
    piece = Piece(client_of(kept, log.fetch(offset), offset))
    records = joined([one.records for one in piece])
    found = [(one.offset, one.value) for one in map(records.at, range(records.count))]
    assert found == told
    assert [number for number, _ in found] == sorted(one for one in log.counting if offset <= one < log.stable)
    assert piece.next_fetch_offset == client.next_fetch_offset


def test_batches_of_transactions_are_read_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Piece, "_parsed", None)  # whoever makes an object of each record
    log = Log([(5, "part", 0), (6, "part", 3), (5, "abort", 0), (6, "commit", 0), (7, "plain", 0)])
    (given,) = Piece(client_of(kept, log.fetch(0), 0))
    assert given.records.rows["offset"].tolist() == [2, 3, 6, 7]
    assert (given.since, given.until) == (0, 8)


def test_a_transaction_that_was_aborted_before_the_fetch_began_is_left_out() -> None:
    log = Log([(5, "part", 0), (5, "part", 0), (5, "abort", 0), (5, "part", 0), (5, "commit", 0)])
    (given,) = Piece(client_of(kept, log.fetch(2), 2))
    assert given.records.rows["offset"].tolist() == [5, 6]
    assert (given.since, given.until) == (2, 8)


def tenancy_of(lane: Lane) -> Tenancy:
    return Tenancy(lane, Outbox(None, {}, print), Kept(None, Covered({}, {}), None), set())


def test_what_was_aborted_counts_as_read() -> None:
    async def accepting() -> None:
        lane = Lane(0, 1, None, Covered({USAGE: 5}, {}), [], LaneSettings(0.0, 0))
        tenancy = tenancy_of(lane)
        assert tenancy.accept(USAGE, Given(packed([]), 5, 900, 0.0))
        assert lane.received[USAGE] == 900
        assert tenancy.accept(USAGE, Given(packed([Record(b"", (), b"", 0, 900)]), 900, 901, 0.0))
        await tenancy.close()

    asyncio.run(accepting())


def test_a_topic_ends_where_a_transaction_is_open_and_that_is_said_once_when_it_lasts() -> None:
    async def holding() -> None:
        lane = Lane(
            0, 1, SimpleNamespace(open_by_tier=dict, in_force=dict), Covered({USAGE: 5}, {}), [], LaneSettings(0.0, 0)
        )
        tenancy, metrics = tenancy_of(lane), Metrics()
        lane.received[USAGE] = 5
        tenancy.read_up_to(USAGE, 5, Ends(5, 25), 1.0)
        assert lane.at_end(USAGE)
        assert show_partitions(metrics, {0: tenancy}) == 0
        assert b'churn_open_transaction_records{partition="0",topic="churn.usage.v1"} 20.0' in metrics.page()
        since = tenancy.transactions.held[USAGE].since
        with capture_logs() as said:
            for seconds in (0.0, LONG_SECONDS, LONG_SECONDS + 1):
                say_held({0: tenancy}, since + seconds)
                tenancy.read_up_to(USAGE, 5, Ends(5, 27), 1.0)
        assert [(one["topic"], one["offset"], one["records"]) for one in said] == [(USAGE, 5, 22)]
        tenancy.read_up_to(USAGE, 27, Ends(27, 27), 2.0)
        show_partitions(metrics, {0: tenancy})
        assert b'churn_open_transaction_records{partition="0",topic="churn.usage.v1"} 0.0' in metrics.page()
        await tenancy.close()

    asyncio.run(holding())


def test_a_consumer_reads_what_was_committed_and_a_producer_is_not_asked_that() -> None:
    settings = live_settings({})
    assert settings.reader()["isolation_level"] == "read_committed"
    assert "isolation_level" not in settings.client()

    async def level() -> str:
        return CareQueues(settings, ("watch",), None, Metrics()).consumer._isolation_level

    assert asyncio.run(level()) == "read_committed"
