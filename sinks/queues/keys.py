"""The names of keys. All of a queue have its hash tag, so that a Redis Cluster keeps them on one node."""

from __future__ import annotations

QUEUES = "churn:queues"
"""The set of all queues."""
MARKS = "churn:mark:"
"""What the key of a deliverer's mark begins with (recent.py)."""


HOMES = "churn:{home}:"
"""What the key begins with that says which queue an episode is in; its `warning_id` follows."""


def items(queue: str) -> str:
    """What an item's key begins with; its `warning_id` follows."""
    return f"churn:{{{queue}}}:item:"


def stream(queue: str) -> str:
    """Every decision, for machines."""
    return f"churn:{{{queue}}}:stream"


def outcomes(queue: str) -> str:
    """The outbox: `care.resolved` events on their way to Kafka."""
    return f"churn:{{{queue}}}:outcomes"


def paused(queue: str) -> str:
    """There while nothing may be claimed."""
    return f"churn:{{{queue}}}:paused"


def ready(queue: str) -> str:
    """Unclaimed items, the most urgent first."""
    return f"churn:{{{queue}}}:ready"


def later(queue: str) -> str:
    """Items that come back, by when."""
    return f"churn:{{{queue}}}:later"


def claimed(queue: str) -> str:
    """Claimed items, by when their claim runs out."""
    return f"churn:{{{queue}}}:claimed"


def of_scripts(queue: str) -> list[str]:
    """The keys of every script, in the order in which prelude.lua names them."""
    return [ready(queue), later(queue), claimed(queue), paused(queue), stream(queue), outcomes(queue)]
