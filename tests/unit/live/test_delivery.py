"""A broker that is away is waited for; one that refuses is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError
from aiokafka.structs import RecordMetadata

from streams.live import delivery
from streams.live.delivery import Message, made_known
from streams.live.topics import TICKS

TICK = Message(TICKS, 2, None, b"tick")


class Client:
    """A producer whose broker answers with these, one after another."""

    def __init__(self, *answers: KafkaError | int) -> None:
        self.answers, self.sent = [*answers], 0

    async def send_and_wait(self, topic: str, *_: Any, **__: Any) -> RecordMetadata:
        self.sent += 1
        answer = self.answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return RecordMetadata(topic, 2, None, answer, None, None, None)


def test_a_tick_waits_for_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.0)
    told: list[bool] = []
    client = Client(KafkaTimeoutError(), KafkaConnectionError(), 7)
    assert asyncio.run(made_known(client, TICK, told.append)) == 7
    assert (client.sent, told) == (3, [True, True, False])


def test_a_tick_that_is_refused_ends_the_worker() -> None:
    told: list[bool] = []
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(made_known(Client(TopicAuthorizationFailedError()), TICK, told.append))
    assert told == []
