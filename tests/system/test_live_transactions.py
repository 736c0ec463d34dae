"""Events of producers with transactions: what they take back was never there, the broker's markers are no records that got lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from support.lanes import topic_of
from support.redis_server import free_port
from support.workers import PARTITIONS, Workers, churn, page_of, simulated, wait_until

from streams.live.placement import partitions_of

pytestmark = pytest.mark.xdist_group("kafka")
AT_ONCE = 40
LEFT_OPEN_MS = 20_000
"""Until the broker ends a transaction that its producer does not."""


async def send(producer: AIOKafkaProducer, lines: Iterable[bytes]) -> None:
    for line in lines:
        event = msgspec.json.decode(line)
        key = event["customer_id"].encode()
        [lane] = partitions_of([key], PARTITIONS).tolist()
        await producer.send(topic_of(event["type"]), line, key=key, partition=lane)


def never_was(lines: Iterable[bytes]) -> list[bytes]:
    """Other events of the same customers."""
    return [msgspec.json.encode(msgspec.json.decode(line) | {"event_id": f"no-{k}"}) for k, line in enumerate(lines)]


async def produce(bootstrap: str, lines: list[bytes]) -> AIOKafkaProducer:
    """All events, by turns in transactions that are committed and by a producer without; between them others that are taken
    back. The last transaction stays open: its producer is given back.
    """
    feed, failing = (
        AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name) for name in ("feed", "failing")
    )
    plain = AIOKafkaProducer(bootstrap_servers=bootstrap)
    lasting = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id="lasting", transaction_timeout_ms=LEFT_OPEN_MS
    )
    for producer in (feed, failing, plain, lasting):
        await producer.start()
    for start in range(0, len(lines), 2 * AT_ONCE):
        first, second = lines[start : start + AT_ONCE], lines[start + AT_ONCE : start + 2 * AT_ONCE]
        await failing.begin_transaction()
        await send(failing, never_was(first))
        await failing.flush()
        async with feed.transaction():
            await send(feed, first)
            await feed.flush()
            await send(failing, never_was(second))
        await failing.abort_transaction()
        await send(plain, second)
        await plain.flush()
    await lasting.begin_transaction()
    await send(lasting, never_was(lines[:AT_ONCE]))
    await lasting.flush()
    for producer in (feed, failing, plain):
        await producer.stop()
    return lasting


def summed(port: int, name: str) -> float:
    lines = page_of(port).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{"))


def test_all_events_are_applied_that_were_not_taken_back_none_waits_and_nothing_is_read_again(
    empty: str, tmp_path: Path
) -> None:
    lines, model = simulated(tmp_path, customers=40, days=10)
    port = free_port()
    with Workers(empty, tmp_path, model, CHURN_HTTP_PORT=str(port)) as workers:
        workers.start()

        async def scene() -> None:
            lasting = await produce(empty, lines)
            wait_until(lambda: summed(port, "churn_events_total") == len(lines), 200)
            wait_until(lambda: summed(port, "churn_consumer_lag_records") == 0)
            wait_until(lambda: summed(port, "churn_open_transaction_records") > 0)
            wait_until(lambda: summed(port, "churn_open_transaction_records") == 0, 120)  # the broker has ended it
            await lasting.client.close()  # a transaction that was ended for it cannot be ended in order

        asyncio.run(scene())
        wait_until(lambda: summed(port, "churn_consumer_lag_records") == 0)
        assert summed(port, "churn_events_total") == len(lines)
        assert "reading again" not in workers.logs()
        assert workers.stop_all() == [0]
    report = tmp_path / "report.json"
    churn_from_kafka(empty, model, report)
    assert msgspec.json.decode(report.read_bytes())["events"] == len(lines)


def churn_from_kafka(bootstrap: str, model: Path, report: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHURN_KAFKA_BOOTSTRAP", bootstrap)
        churn("replay", "--from-kafka", "--model", model, "--report", report)
