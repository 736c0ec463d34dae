"""Nothing but consuming with aiokafka and decoding with msgspec: what no consumer in Python can beat."""

from __future__ import annotations

import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks.peers.job import Arguments, Meter, arguments
from events.contract import DECODER


async def consume(given: Arguments) -> None:
    """Read and decode until the events are there."""
    consumer = AIOKafkaConsumer(
        *given.topics,
        bootstrap_servers=given.servers,
        group_id=given.group,
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    meter = Meter(given.events)
    while True:
        for records in (await consumer.getmany(timeout_ms=500, max_records=8_192)).values():
            for record in records:
                DECODER.decode(record.value)
            meter.count(len(records))


if __name__ == "__main__":
    uvloop.run(consume(arguments()))
