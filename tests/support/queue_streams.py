"""What machines read of the care queues."""

from __future__ import annotations

from collections import Counter

from redis import Redis

from sinks.queues import keys


def streamed(client: Redis) -> Counter[tuple[str, int]]:
    """How often each (warning_id, revision) stands in the streams of the queues, moves apart."""
    return Counter(
        (fields["warning_id"], int(fields["revision"]))
        for queue in ("care", "high-value")
        for _, fields in client.xrange(keys.stream(queue))
        if fields["status"] != "moved"
    )
