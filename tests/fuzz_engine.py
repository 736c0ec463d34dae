"""A long search for inputs that break the engine: `python tests/fuzz_engine.py --seconds 600` (also `make fuzz`).

Rounds alternate between broken input (nothing may be raised or lost) and random streams cut into batches at random (the same
must be decided). Every round is a function of its seed, which is printed when it fails: `--seed N --rounds 1` repeats it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from support.engines import DEFAULT, QUICK, cut, engine, every, run
from support.mutations import soup, swallow
from support.small_streams import TYPES, lines, random_moments

import models.model

LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]


def broken_input(seed: int) -> int:
    """Batches of broken lines through one engine; returns how many lines."""
    chance = random.Random(seed)
    made, count = engine(chance.choice([QUICK, DEFAULT])), 0
    for _ in range(chance.randrange(1, 12)):
        size = chance.randrange(1, 400)
        swallow(made, soup(chance.randrange(2**48), size))
        count += size
    made.advance(made.partition.clock + chance.randrange(10**13), 0)
    again = engine(QUICK) if made.decider.configuration.settings.horizon_days == 1 else engine(DEFAULT)
    again.restore(made.snapshot())
    return count


def random_cuts(seed: int) -> int:
    """One stream, cut in two ways; returns how many lines."""
    chance = random.Random(seed)
    types = chance.choice([None, LIVES * 5 + list(range(len(TYPES)))])
    whole = lines(random_moments(seed, chance.randrange(2, 300), customers=chance.randrange(1, 9), types=types))
    folder = chance.choice([QUICK, QUICK, DEFAULT])
    sizes = [chance.choice([1, 1, 2, 3, 10, 60]) for _ in whole]
    one, other = run(engine(folder), every(1, whole)), run(engine(folder), cut(whole, sizes))
    assert one == other, "decisions depend on how the stream is cut"
    return len(whole)


def main() -> int:
    """Run until the time is over; 1 when something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=2**60)
    asked = parser.parse_args()
    models.model.CALIBRATION_POSITIVES = models.model.FIRST_BLOCK = 1  # a model that speaks at once
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(2**40)
    started, rounds, count = time.monotonic(), 0, 0
    while rounds < asked.rounds and time.monotonic() - started < asked.seconds:
        try:
            count += (broken_input if seed % 2 else random_cuts)(seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is a find
            traceback.print_exc()
            sys.stdout.write(f"broken by --seed {seed} --rounds 1\n")
            return 1
        seed, rounds = seed + 1, rounds + 1
    sys.stdout.write(f"{rounds:,} rounds, {count:,} lines, nothing broke (the next would be --seed {seed})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
