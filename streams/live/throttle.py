"""What the clients of Kafka log while a broker is away, hundreds of lines a second: each kind once a minute, with a count."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 60.0
MOST_KINDS: Final = 1_000


class Throttle(logging.Filter):
    """A kind is a logger and a message before its values are put in. `now` is monotonic (s)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.now = now
        self.lock = threading.Lock()  # Faust reads in a thread of its own
        self.said: dict[tuple[str, str], tuple[float, int]] = {}  # when a kind was, and how often it was not since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said; if so, with how many like it were not."""
        kind, now = (record.name, str(record.msg)), self.now()
        with self.lock:
            at, held = self.said.get(kind, (-EVERY_SECONDS + now, 0))
            if now - at < EVERY_SECONDS:
                self.said[kind] = at, held + 1
                return False
            self._forget(now)
            self.said[kind] = now, 0
        if held:
            record.msg = f"{record.msg} (and {held} more like it since it was last said)"
        return True

    def _forget(self, now: float) -> None:
        """Some messages have their values in them, and never come again."""
        if len(self.said) >= MOST_KINDS:
            self.said = {kind: one for kind, one in self.said.items() if now - one[0] < EVERY_SECONDS}
