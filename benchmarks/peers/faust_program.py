"""The obvious Faust program: a JSON record, a table, a River model, event by event."""

from __future__ import annotations

import sys
from typing import Any

import faust

from benchmarks.peers.job import Meter, Scorer, arguments, value_of

given = arguments()
app = faust.App(
    given.group, broker=f"kafka://{given.servers}", store="memory://", topic_partitions=4, datadir=given.folder
)


class Event(faust.Record, serializer="json"):  # type: ignore[call-arg] # its metaclass is unknown to mypy
    """What is read of an event."""

    type: str
    customer_id: str
    mb: float | None = None
    seconds: float | None = None
    amount: float | None = None
    count: int | None = None


averages = app.Table("averages", default=float, partitions=4)
scorer, meter = Scorer(), Meter(given.events)


@app.agent(app.topic(*given.topics, value_type=Event))
async def score(events: Any) -> None:
    """One event after another."""
    async for event in events:
        value = value_of(event.asdict())
        averages[event.customer_id] = scorer.step(value, averages.get(event.customer_id))
        meter.count()


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "--without-web", "-l", "error"]
    app.main()
