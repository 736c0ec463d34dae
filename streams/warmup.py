"""`python -m streams.warmup`: run everything once on a few simulated customers, so that all compiled code is in the cache."""

from __future__ import annotations

import simulator
from engine.engine import Engine
from streams import bootstrap
from streams.demo import play

CUSTOMERS, DAYS, SEED = 60, 45, 3


def warm_up() -> Engine:
    """An engine that has seen a bit of everything."""
    engine = bootstrap.engine(bootstrap.configuration(bootstrap.config_folder(None)), None, None)
    play(engine, simulator.days(CUSTOMERS, DAYS, SEED), lambda *_: None)
    return engine


if __name__ == "__main__":
    warm_up()
