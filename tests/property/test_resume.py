"""An engine that was saved and read back goes on as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, QUICK, batch, engine, newest, said
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

from engine.engine import Engine
from streams.checkpoint import read_state, write_state

pytestmark = pytest.mark.usefixtures("eager_model")
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "engine"


def reborn(made: Engine, file: Path, folder: Path) -> Engine:
    """The engine by way of the disk."""
    with file.open("wb") as out:
        write_state(out, made.snapshot())
    again = engine(folder)
    again.restore(read_state(file))
    return again


def check(whole: list[bytes], size: int, cuts: set[int], file: Path, folder: Path = QUICK) -> int:
    """One engine against one that is saved and read back before each of the batches in `cuts`."""
    steady, mortal = engine(folder), engine(folder)
    number = decided = 0
    for number, start in enumerate(range(0, len(whole), size)):
        if number in cuts:
            mortal = reborn(mortal, file, folder)
        ours, theirs = (made.step(batch(whole[start : start + size]), 0) for made in (steady, mortal))
        assert list(map(said, ours.decisions)) == list(map(said, theirs.decisions))
        assert ours.dead == theirs.dead
        assert ours.incidents == theirs.incidents
        assert (ours.applied, ours.duplicates) == (theirs.applied, theirs.duplicates)
        decided += len(ours.decisions)
    mortal = reborn(mortal, file, folder)
    end = newest([batch(whole)])
    assert list(map(said, steady.advance(end, 0).decisions)) == list(map(said, mortal.advance(end, 0).decisions))
    assert [*steady.scores(end)] == [*mortal.scores(end)]
    assert steady.report() == mortal.report()
    ours, theirs = steady.snapshot(), mortal.snapshot()
    assert ours.keys() == theirs.keys()
    for name in (
        "partition.customers.records",
        "partition.customers.bits",
        "decider.state",
        "watches.records",
        "watches.clock",
        "watches.state",
        *(name for name in ours if name.startswith(("model.anomaly.", "model.days."))),
    ):
        one, other = np.asarray(ours[name]), np.asarray(theirs[name])
        assert one.tobytes() == other.tobytes(), name
    return decided


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(30), st.integers(1, 7), st.sets(st.integers(0, 10), max_size=4))
def test_saved_and_read_back_anywhere(file, stream, size, cuts):
    check(lines(stream), size, cuts, file)


@pytest.mark.parametrize("folder", [QUICK, DEFAULT], ids=["quick", "default"])
def test_in_long_lives_with_a_model_that_learns(file, folder):
    types = LIVES * 5 + list(range(len(TYPES)))
    assert check(lines(random_moments(8, 500, customers=8, types=types)), 20, set(range(0, 25, 3)), file, folder)
