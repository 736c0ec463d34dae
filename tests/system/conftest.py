"""Fixtures of tests on a real broker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from kafka.admin import KafkaAdminClient
from support.kafka_server import KafkaServer, needs_kafka
from support.workers import wait_until


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Kafka: a new one, or the one that KAFKA_BOOTSTRAP names."""
    needs_kafka()
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    with KafkaServer(tmp_path_factory.mktemp("kafka")) as server:
        yield server.bootstrap


@pytest.fixture
def empty(broker: str) -> str:
    """The broker without any of our topics."""
    admin = KafkaAdminClient(bootstrap_servers=broker)
    ours = [topic for topic in admin.list_topics() if topic.startswith("churn.")]
    if ours:
        admin.delete_topics(ours)
    wait_until(lambda: not any(topic.startswith("churn.") for topic in admin.list_topics()))
    admin.close()
    return broker
