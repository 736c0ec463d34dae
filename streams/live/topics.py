"""The topics of the contract: their names, that they are there, and that a customer is in the same partition of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from streams.live.settings import LiveSettings
from streams.problems import OutsideError

USAGE: Final = "churn.usage.v1"
BILLING: Final = "churn.billing.v1"
COMPLAINTS: Final = "churn.complaints.v1"
OUTCOMES: Final = "churn.outcomes.v1"
EVENTS: Final = (USAGE, BILLING, COMPLAINTS, OUTCOMES)
"""Topics of events; of two events of one moment the one of the topic named first is applied first."""
WARNINGS: Final = "churn.warnings.v1"
HELD_OUT: Final = "churn.warnings.heldout.v1"
INCIDENTS: Final = "churn.incidents.v1"
DEAD_LETTERS: Final = "churn.dead-letters.v1"
TICKS: Final = "churn.ticks.v1"
"""What moved a partition's clock beside its events, for the next worker to do the same at the same place."""
POPULATION: Final = "churn.population.v1"
"""What partitions tell one another."""
SHADOW: Final = "churn.warnings.shadow.v1"
"""Would-be warnings of shadow rules and of rules that the guard holds; for nobody's queue."""
RULES: Final = "churn.rules.v1"
"""Rule sets by their hash, and the orders to work by them (live.bundle)."""
CO_PARTITIONED: Final = (*EVENTS, WARNINGS, HELD_OUT, SHADOW, TICKS)
SINGLE: Final = (POPULATION, RULES)
COMPACTED: Final = (RULES,)
OTHERS: Final = (INCIDENTS, DEAD_LETTERS)


LOOKS: Final = 100
LOOK_SECONDS: Final = 0.1


class TopicsError(Exception):
    """The broker's topics cannot be worked with; the message says which and why."""


async def ready_topics(settings: LiveSettings) -> int:
    """See to it that every topic is there and fits; gives the number of partitions. Raises TopicsError, KafkaError."""
    admin = AIOKafkaAdminClient(**settings.client(), request_timeout_ms=10_000)
    await admin.start()
    try:
        counts = await partition_counts(admin)
        missing = [topic for topic in (*CO_PARTITIONED, *SINGLE, *OTHERS) if topic not in counts]
        if missing:
            if not settings.kafka_create_topics:
                raise TopicsError(
                    f"missing on the broker: {', '.join(missing)} (CHURN_KAFKA_CREATE_TOPICS=true makes them)"
                )
            there = {counts[topic] for topic in EVENTS if topic in counts}
            partitions = max(there) if there else settings.kafka_partitions
            await create(admin, missing, partitions, settings.kafka_replication)
            counts = await visible(admin, missing)
        return checked(counts)
    finally:
        await admin.close()


async def partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """How many partitions each of our topics has on the broker."""
    there = set(await admin.list_topics())
    wanted = [topic for topic in (*CO_PARTITIONED, *SINGLE, *OTHERS) if topic in there]
    if not wanted:
        return {}
    return {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(wanted)}


async def visible(admin: AIOKafkaAdminClient, created: list[str]) -> dict[str, int]:
    """The counts once the brokers tell of topics that were just made, which takes them a moment."""
    for _ in range(LOOKS):
        counts = await partition_counts(admin)
        if all(counts.get(topic) for topic in created):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return counts


async def create(admin: AIOKafkaAdminClient, topics: list[str], partitions: int, replication: int) -> None:
    """Make topics; another worker may do so at the same moment."""
    for topic in topics:
        kept = {"cleanup.policy": "compact"} if topic in COMPACTED else {}
        wanted = NewTopic(topic, 1 if topic in SINGLE else partitions, replication, topic_configs=kept)
        try:
            answer = await admin.create_topics([wanted])
        except TopicAlreadyExistsError:
            continue
        for name, code, *_ in answer.topic_errors:
            if code not in {0, TopicAlreadyExistsError.errno}:
                raise TopicsError(f"{name} cannot be created: Kafka error {code}")


def check_grown(assigned: Iterable[tuple[str, int]], count: int) -> None:
    """Raises OutsideError where a topic has partitions that it had not when there were `count`: keys belong elsewhere now."""
    grown = sorted({topic for topic, partition in assigned if partition >= count})
    if grown:
        raise OutsideError(
            f"{', '.join(grown)}: more partitions than the {count} there were, and a customer is in another one now; state cannot "
            "follow: give all topics of events the same number, and begin anew (churn seed)"
        )


def checked(counts: Mapping[str, int]) -> int:
    """The one number of partitions of all topics that have to have the same; raises TopicsError."""
    missing = [topic for topic in CO_PARTITIONED if topic not in counts]
    if missing:
        raise TopicsError(f"missing on the broker: {', '.join(missing)}")
    if len({counts[topic] for topic in CO_PARTITIONED}) > 1:
        listed = ", ".join(f"{topic} has {counts[topic]}" for topic in CO_PARTITIONED)
        raise TopicsError(
            f"a customer must be in the same partition of every topic, but the numbers of partitions differ: {listed}"
        )
    return counts[USAGE]
