"""Events of a producer with transactions: the broker's markers between them are no records that got lost, or that wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from support.lanes import topic_of
from support.redis_server import free_port
from support.workers import PARTITIONS, Workers, page_of, simulated, wait_until

from streams.live.placement import partitions_of

pytestmark = pytest.mark.xdist_group("kafka")
AT_ONCE = 40


async def produce(bootstrap: str, lines: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="feed")
    await producer.start()
    for start in range(0, len(lines), AT_ONCE):
        async with producer.transaction():
            for line in lines[start : start + AT_ONCE]:
                event = msgspec.json.decode(line)
                key = event["customer_id"].encode()
                [lane] = partitions_of([key], PARTITIONS).tolist()
                await producer.send(topic_of(event["type"]), line, key=key, partition=lane)
    await producer.stop()


def summed(port: int, name: str) -> float:
    lines = page_of(port).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{"))


def test_all_events_are_applied_none_waits_and_nothing_is_read_again(empty: str, tmp_path: Path) -> None:
    lines, model = simulated(tmp_path, customers=40, days=10)
    port = free_port()
    with Workers(empty, tmp_path, model, CHURN_HTTP_PORT=str(port)) as workers:
        workers.start()
        asyncio.run(produce(empty, lines))
        wait_until(lambda: summed(port, "churn_events_total") == len(lines), 200)
        wait_until(lambda: summed(port, "churn_consumer_lag_records") == 0)
        assert "reading again" not in workers.logs()
        assert workers.stop_all() == [0]
