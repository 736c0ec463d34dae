"""What was delivered last is kept for as long as Redis may lose it."""

from __future__ import annotations

import redis
from support.warnings_made import warning

from sinks.queues.recent import KEPT_SECONDS, Recent


def test_only_the_last_seconds_are_kept_and_only_while_redis_is_reached(client: redis.Redis) -> None:
    now = [0.0]
    recent = Recent(client, lambda: now[0])
    recent.delivered([warning("w1")])
    now[0] += KEPT_SECONDS + 1
    recent.delivered([warning("w2")])
    assert recent.lost() == []

    now[0] += 1_000  # Redis was away for long, and came back with less
    client.flushdb()
    assert recent.lost() == [warning("w2")]

    recent.delivered([warning("w2")], again=True)
    client.flushdb()
    now[0] += 1_000
    assert recent.lost() == [warning("w2")]


def test_nothing_is_lost_before_the_first_delivery(client: redis.Redis) -> None:
    assert Recent(client).lost() == []


def test_what_was_given_again_is_kept_once(client: redis.Redis) -> None:
    recent = Recent(client, lambda: 0.0)
    recent.delivered([warning("w1")])
    client.flushdb()
    recent.delivered([*recent.lost(), warning("w2")], again=True)
    client.flushdb()

    assert recent.lost() == [warning("w1"), warning("w2")]
