"""Topics whose end nobody may read yet: a producer began a transaction there and has not ended it.

What it wrote, and all that others wrote behind its first record, is read when it ends (the broker ends it at its
`transaction.timeout.ms`): up to there goes what a partition takes for the topic's end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LONG_SECONDS: Final = 60.0
"""How long a topic stands still before it is said: a transaction that is at work lets it go on sooner."""


class Ends(NamedTuple):
    """Of a topic, None where not known yet: the offset before which nothing is part of an open transaction, and the one
    behind its last record.
    """

    stable: int | None
    last: int | None


class Held(NamedTuple):
    """A topic that ends for us at `offset`, with so many `records` behind it, since a time (monotonic, s)."""

    offset: int
    records: int
    since: float
    said: bool = False


class OpenTransactions:
    """Those of one partition's topics."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}

    def seen(self, topic: str, stable: int, end: int, now: float) -> None:
        """Up to where a topic is `stable`, and its `end`, at a time (monotonic, s)."""
        before = self.held.pop(topic, None)
        if end > stable:
            same = before is not None and before.offset == stable
            self.held[topic] = (
                before._replace(records=end - stable) if before and same else Held(stable, end - stable, now)
            )

    def records(self, topic: str) -> int:
        """Those of a topic that are there and not to be read yet."""
        return self.held[topic].records if topic in self.held else 0

    def to_say(self, now: float) -> list[tuple[str, Held]]:
        """The topics that have stood still for long, each once."""
        found = [(topic, one) for topic, one in self.held.items() if not one.said and now - one.since >= LONG_SECONDS]
        self.held.update({topic: one._replace(said=True) for topic, one in found})
        return found
