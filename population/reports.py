"""What was reported of the network and the market, as partitions tell it one another: the event, whatever it came in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from events.contract import MarketNoted, NetworkIncident
from events.deadletters import RefusedError
from events.decode import decode
from events.hashing import hash64
from events.times import time_of

Fact = NetworkIncident | MarketNoted
Turn = tuple[int, str]
"""When a report has its turn (µs), and the report."""
NOTHING: Final = ""
"""A report of which nobody takes notice; reports are known by their numbers, so it stands in the place of one."""
MOST_CHARACTERS: Final = 1_000
"""Of one field of a report: Kafka takes no statement beyond a megabyte, and who says it would try for ever."""


class Dated(msgspec.Struct, frozen=True):
    """When something happened."""

    occurred_at: str = ""


DATED: Final = msgspec.json.Decoder(Dated)


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
    try:
        return time_of(DATED.decode(report).occurred_at, "occurred_at")
    except (msgspec.MsgspecError, RefusedError):
        return 0


def in_turn(reports: Iterable[str]) -> list[Turn]:
    """Reports in the order in which they take effect, however they came."""
    return sorted((turn_of(report), report) for report in reports)


def identity_of(report: str) -> int:
    """What deliveries of one event share, to whichever partitions and in whatever form: as a duplicate has it in the contract."""
    for fact in facts_of(report):
        kind = fact.__struct_config__.tag
        return hash64(msgspec.json.encode([fact.customer_id, kind, fact.source, fact.event_id]).decode())
    return hash64(report)
