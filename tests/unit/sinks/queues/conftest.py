"""Queues on a real Redis, with a clock that stands still."""

from __future__ import annotations

import pytest
import redis
from support.warnings_made import TIERS, Clock

from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues
from sinks.queues.outbox import Outbox
from sinks.queues.work import Work


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivery(client: redis.Redis, clock: Clock) -> Delivery:
    return Delivery(client, TIERS, clock=clock)


@pytest.fixture
def queues(client: redis.Redis, clock: Clock) -> Queues:
    return Queues(client, clock)


@pytest.fixture
def work(client: redis.Redis, clock: Clock) -> Work:
    return Work(client, clock)


@pytest.fixture
def outbox(client: redis.Redis) -> Outbox:
    return Outbox(client)
