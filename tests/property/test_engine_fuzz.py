"""No input stops the engine, and none is lost (the long run: `make fuzz`, tests/fuzz_engine.py)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, engine
from support.mutations import soup, swallow
from support.profiles import examples

pytestmark = pytest.mark.usefixtures("eager_model")


@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=3), st.binary(max_size=40))
def test_every_line_of_any_bytes_is_accounted_for(seeds, rubbish):
    made = engine()
    for seed in seeds:
        swallow(made, soup(seed, 25) + b"\n" + rubbish)


@pytest.mark.parametrize("folder", [None, DEFAULT], ids=["quick", "default"])
def test_a_long_soup(folder):
    made = engine(folder) if folder else engine()
    for seed in range(6):
        swallow(made, soup(seed, 120))
    made.advance(made.partition.clock + 10**13, 0)
    made.snapshot()
    made.report()
