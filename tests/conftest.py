"""Hypothesis profiles, and a Redis for those tests that ask for it.

`make test` takes the default profile; `make fuzz` searches longer.
Tests that set their own size take it from `support.profiles.examples`, so that the profile has its say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, settings
from support.profiles import fuzz_examples
from support.redis_server import RedisServer, needs_redis

from sinks.queues.connection import connect

settings.register_profile("default", deadline=None)  # a busy machine is no fault
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=fuzz_examples(),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this session's own; or the one that CHURN_TEST_REDIS names (without a database), empty ones of which
    are used and wiped: 0, and the next for each further process of the tests.
    """
    given = os.environ.get("CHURN_TEST_REDIS")
    if given:
        url = f"{given.rstrip('/')}/{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"
        if connect(url).dbsize():
            pytest.fail(f"CHURN_TEST_REDIS: database {url.rpartition('/')[2]} is not empty and would be wiped")
        yield url
        return
    needs_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A connection to an empty database."""
    with connect(redis_url) as one:
        one.flushdb()
        yield one
        one.flushdb()
