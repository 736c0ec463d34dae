"""Redis killed and started again while 500 warnings a second arrive: the worker's part that fills the queues loses and doubles none.

`make care-outage` runs it for longer (CARE_SECONDS) and shows the figures.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from support.queue_streams import streamed
from support.redis_server import RedisServer, needs_redis
from support.warnings_made import TIERS, warning

from rules.early_warning import EarlyWarning
from sinks.metrics import Metrics
from sinks.queues.connection import QueuesUnavailableError, connect
from sinks.queues.looking import NoSuchItemError, Queues
from sinks.queues.work import NotNowError, Work
from streams.live.care import CareQueues
from streams.live.settings import LiveSettings
from streams.live.topics import WARNINGS, ready_topics

pytestmark = pytest.mark.xdist_group("kafka")
RATE = 500
SECONDS = int(os.environ.get("CARE_SECONDS", "15"))
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
OUTAGE = 2.0
PACE = 0.02
AGENTS = ("li", "wang")


class Care:
    """Who sends, who claims, and who pulls the plug."""

    def __init__(self, settings: LiveSettings, server: RedisServer) -> None:
        self.settings, self.server = settings, server
        self.sent: list[EarlyWarning] = []
        self.rate = 0.0
        self.waited: list[float] = []  # seconds from Redis' return to the queues' being level with Kafka again
        self.won: Counter[str] = Counter()
        self.contested: list[str] = []

    async def run(self) -> None:
        await ready_topics(self.settings)
        async with AIOKafkaProducer(**self.settings.client(), acks="all", enable_idempotence=True) as producer:
            care = asyncio.create_task(CareQueues(self.settings, TIERS, producer, Metrics()).run())
            claiming = asyncio.create_task(self.claim())
            await asyncio.gather(self.send(producer), self.kill())
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)
            await self.level()
            care.cancel()
            await asyncio.gather(care, return_exceptions=True)

    async def send(self, producer: AIOKafkaProducer) -> None:
        """Every second warning becomes more urgent a little later, some of them in another queue."""
        begun = time.monotonic()
        for number in range(RATE * SECONDS * 2 // 3):
            one = f"w{number:06}"
            decisions = [warning(one, 1, tier="watch")]
            if number % 2 and number > 100:
                earlier = f"w{number - 100:06}"
                queue = "high-value" if number % 10 == 1 else "care"
                decisions.append(warning(earlier, 2, tier="critical", queue=queue))
            for decision in decisions:
                await producer.send(WARNINGS, msgspec.json.encode(decision), key=decision.customer_id.encode())
                self.sent.append(decision)
            ahead = len(self.sent) / RATE - (time.monotonic() - begun)
            if ahead > PACE:
                await asyncio.sleep(ahead)
        await producer.flush()
        self.rate = len(self.sent) / (time.monotonic() - begun)

    async def kill(self) -> None:
        for _ in range(2):
            await asyncio.sleep(SECONDS / 3)
            await asyncio.to_thread(self.server.kill)
            await asyncio.sleep(OUTAGE)
            await asyncio.to_thread(self.server.start)
            begun = time.monotonic()
            await self.level()
            self.waited.append(time.monotonic() - begun)

    async def level(self) -> None:
        """Wait until the queues have what was in Kafka a moment ago."""
        async with AIOKafkaConsumer(**self.settings.client(), group_id=f"{self.settings.kafka_group}-care") as consumer:
            where = [TopicPartition(WARNINGS, lane) for lane in range(self.settings.kafka_partitions)]
            ends = await consumer.end_offsets(where)
            for one in where:
                while (await consumer.committed(one) or 0) < ends[one]:
                    await asyncio.sleep(PACE)

    async def claim(self) -> None:
        """Two agents want the same item, again and again."""
        while True:
            one = self.sent[len(self.sent) // 2].warning_id if self.sent else ""
            if one and one not in self.contested:
                self.contested.append(one)
                answers = await asyncio.gather(*(asyncio.to_thread(self.claimed, one, agent) for agent in AGENTS))
                self.won[one] += sum(answers)
            await asyncio.sleep(PACE)

    def claimed(self, one: str, agent: str) -> bool:
        with connect(self.server.url) as client:
            try:
                return Work(client).claim(one, agent).agent == agent
            except (NotNowError, NoSuchItemError, QueuesUnavailableError):  # not delivered yet, or unknown
                return False


def test_redis_dies_while_warnings_arrive(empty: str, tmp_path: Path) -> None:
    needs_redis()
    with RedisServer(tmp_path, *DURABLE) as server:
        settings = LiveSettings(kafka_bootstrap=empty, kafka_partitions=4, redis_url=server.url)
        care = Care(settings, server)
        asyncio.run(care.run())
        with connect(server.url) as client:
            found = list(Queues(client).listed())
            newest = {one.warning_id: one for one in care.sent}
            assert {item.warning_id: (item.queue, item.revision) for item in found} == {
                one.warning_id: (one.queue, one.revision) for one in newest.values()
            }
            assert len(found) == len(newest)
            assert streamed(client) == Counter((one.warning_id, one.revision) for one in care.sent)
            holders = {item.warning_id: item.agent for item in found if item.agent}
        assert max(care.won.values()) == 1
        winners = {one for one, count in care.won.items() if count}
        assert winners <= holders.keys() <= set(care.contested)
        waited = ", ".join(f"{seconds:.1f} s" for seconds in care.waited)
        print(  # noqa: T201 - figures for whoever asks with -s
            f"\n{len(care.sent)} warnings of {len(newest)} episodes, {care.rate:.0f}/s, Redis killed {len(care.waited)} times "
            f"for {OUTAGE:.0f} s: 0 lost, 0 doubled; level with Kafka {waited} after its return; "
            f"{len(care.contested)} items claimed by two at once, {len(winners)} winners, never two"
        )
