"""What was delivered last, to be given again when Redis lost it.

Redis confirms before its log is on disk (`appendfsync everysec` may be two seconds behind), and a replica that takes over
may be behind as well. So each delivery leaves a mark, always the last thing written; when the mark is not what it
was, everything of the last seconds is delivered again, which changes nothing where it is still there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from uuid import uuid4

import redis

from rules.early_warning import EarlyWarning
from sinks.queues import keys

KEPT_SECONDS = 10.0
"""Longer than any log is behind."""
MARK_MS = 86_400_000


class Recent:
    """The decisions of the last seconds before Redis was last reached; methods raise redis.RedisError."""

    def __init__(self, client: redis.Redis, seconds: Callable[[], float] = time.monotonic) -> None:
        self.client, self.seconds = client, seconds
        self.key, self.count = keys.MARKS + uuid4().hex, 0
        self.kept: deque[tuple[float, Sequence[EarlyWarning]]] = deque()

    def lost(self) -> list[EarlyWarning]:
        """What is to be given again, first: nothing as long as the mark is there."""
        if not self.count or self.client.get(self.key) == str(self.count):
            return []
        return [decision for _, decisions in self.kept for decision in decisions]

    def delivered(self, decisions: Sequence[EarlyWarning], *, again: bool = False) -> None:
        """All of these are in the queues; `again` when what was lost is among them."""
        self.client.set(self.key, self.count + 1, px=MARK_MS)
        now, self.count = self.seconds(), self.count + 1
        if again:  # all of it may be lost once more
            self.kept.clear()
        while self.kept and self.kept[0][0] < now - KEPT_SECONDS:
            self.kept.popleft()
        if decisions:
            self.kept.append((now, decisions))
