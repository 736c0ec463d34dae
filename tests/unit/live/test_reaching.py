"""Whether Kafka can be reached, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from streams.live import reaching as module
from streams.live.reaching import Reaching


async def there() -> bool:
    return True


async def nobody() -> bool:
    return False


async def refused() -> bool:
    raise KafkaConnectionError


async def silence() -> bool:
    await asyncio.Event().wait()
    return True


def test_it_is_said_once_that_kafka_is_away_and_once_that_it_is_back() -> None:
    reaching = Reaching(there, "kafka:9092")
    with capture_logs() as said:
        for at, found in enumerate((True, True, False, False, False, True, True)):
            reaching.found(found, float(at))
    assert said == [
        {
            "event": "Kafka cannot be reached, events wait until it is back",
            "kafka": "kafka:9092",
            "log_level": "error",
        },
        {"event": "Kafka is back", "kafka": "kafka:9092", "seconds": 3.0, "log_level": "info"},
    ]


@pytest.mark.parametrize("ask", [nobody, refused, silence])
def test_who_does_not_answer_is_away(ask: Callable[[], Awaitable[bool]]) -> None:
    reaching = Reaching(ask, "kafka:9092")
    with capture_logs() as said:
        asyncio.run(reaching.look(0.01))
    assert reaching.away
    assert [one["event"] for one in said] == ["Kafka cannot be reached, events wait until it is back"]


def test_it_goes_on_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    answers = iter([False, True, False])

    async def ask() -> bool:
        return next(answers)  # StopIteration ends it

    with capture_logs() as said, pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(Reaching(ask, "kafka:9092").run())
    assert [one["log_level"] for one in said] == ["error", "info", "error"]
