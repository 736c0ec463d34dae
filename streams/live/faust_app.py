"""The Faust app of a worker: one agent for each topic of events, which gets chunks of records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import faust
from faust.app.base import BootStrategy
from yarl import URL

from streams.live.settings import LiveSettings
from streams.live.tables import NoTables
from streams.live.topics import EVENTS
from streams.live.transport import ChunkTransport, Reading

Accept = Callable[[str, int, Any], Awaitable[None]]
"""Takes a topic, a partition and a chunk."""


class Boot(BootStrategy):
    """Faust's services without its web server, which would listen on every interface."""

    enable_web = False
    enable_kafka_producer = False  # ours is idempotent, and knows the security settings


class App(faust.App):
    """A Faust app that reads chunks. `reading` owns the partitions."""

    BootStrategy = Boot
    reading: Reading

    def _new_transport(self) -> Any:
        return ChunkTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None: there are no tables to keep, and where a worker is started may be read-only."""

    def add_agent(self, topic: str, agent: Callable[[Any], Any]) -> None:
        """Have an agent read a topic. Faust's decorator would also look for where it stands, through all that is loaded: a tenth
        of a second of each start.
        """
        channel = self.topic(topic, value_type=bytes, key_type=bytes)
        self.agents[topic] = cast(Any, self.conf.Agent)(
            agent, name=topic, app=self, channel=channel, concurrency=1, on_error=self._on_agent_error
        )

    async def owns(self, generation: int) -> bool:
        """Whether what was assigned in a generation of the group is still ours. Raises KafkaError."""
        return bool(await consumer_of(self).owns(generation))


def consumer_of(app: faust.App) -> Any:
    """Faust's consumer of an app, a ChunkConsumer; its own type lacks what that adds."""
    return app.consumer


def app_of(settings: LiveSettings) -> App:
    """As the settings say, without agents."""
    return App(
        settings.kafka_group,
        broker=[URL(f"kafka://{server.strip()}") for server in settings.kafka_bootstrap.split(",")],
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=settings.kafka_session,
        broker_heartbeat_interval=settings.kafka_session / 5,
        broker_rebalance_timeout=settings.kafka_rebalance,
        broker_request_timeout=max(90.0, settings.kafka_session + 1),
        broker_commit_interval=1.0,
        broker_commit_every=1 << 60,
        stream_wait_empty=False,
        stream_buffer_maxsize=64,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        TableManager=NoTables,
        key_serializer="raw",
        value_serializer="raw",
        broker_credentials=None,
        autodiscover=False,
    )


def add_agents(app: App, accept: Accept) -> None:
    """An agent for each topic of events, which hands on what comes."""
    for topic in EVENTS:
        app.add_agent(topic, _agent(topic, accept))


def _agent(topic: str, accept: Accept) -> Callable[[Any], Any]:
    async def agent(stream: Any) -> None:
        async for event in stream.events():
            await accept(topic, event.message.partition, event.message.value)

    return agent
