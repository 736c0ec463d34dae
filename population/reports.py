"""What was reported of the network and the market, as partitions tell it one another: the event, whatever it came in."""

from __future__ import annotations

from typing import Final

import msgspec

from events.contract import MarketNoted, NetworkIncident
from events.decode import decode
from events.hashing import hash64
from events.times import time_of

Fact = NetworkIncident | MarketNoted
MOST_CHARACTERS: Final = 1_000
"""Of one field of a report: Kafka takes no statement beyond a megabyte, and who says it would try for ever."""


def report_of(fact: Fact) -> str:
    """The same event as plain JSON, as others read it: what came may have been half of a CloudEvent, its headers the other."""
    fields = msgspec.to_builtins(fact)
    cut = {name: value[:MOST_CHARACTERS] if isinstance(value, str) else value for name, value in fields.items()}
    return msgspec.json.encode(cut).decode()


def facts_of(report: str) -> list[Fact]:
    """What a report says; nothing where it cannot be read."""
    batch = decode(report.encode(), "population", received_at="")
    return [fact for fact in batch.facts.values() if isinstance(fact, Fact)]


def turn_of(report: str) -> int:
    """When a report has its turn (µs): when it is dated; 0 where it does not say."""
    return max((time_of(fact.occurred_at, "occurred_at") for fact in facts_of(report)), default=0)


def identity_of(report: str) -> int:
    """What deliveries of one event share, to whichever partitions and in whatever form: as a duplicate has it in the contract."""
    for fact in facts_of(report):
        kind = fact.__struct_config__.tag
        return hash64(msgspec.json.encode([fact.customer_id, kind, fact.source, fact.event_id]).decode())
    return hash64(report)
