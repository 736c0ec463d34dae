"""A Quix Streams program: a data frame over the topics, state by customer, a River model, event by event."""

from __future__ import annotations

import logging
from typing import Any

from quixstreams import Application

from benchmarks.peers.job import Meter, Scorer, arguments, value_of


def main() -> None:
    """Run until the events are worked on."""
    given = arguments()
    app = Application(
        broker_address=given.servers, consumer_group=given.group, state_dir=given.folder, loglevel=logging.ERROR
    )
    scorer, meter = Scorer(), Meter(given.events)

    def score(event: dict[str, Any], state: Any) -> None:
        average = scorer.step(value_of(event), state.get("average"))
        state.set("average", average)
        meter.count()

    for topic in given.topics:
        app.dataframe(app.topic(topic, value_deserializer="json")).update(score, stateful=True)
    app.run()


if __name__ == "__main__":
    main()
