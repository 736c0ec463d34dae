"""An engine whose days are recorded decides as one whose days are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.daily import decoded, differences
from support.engines import EAGER, QUICK, configuration, cut, engine, every, frozen, run
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

from engine.model_inputs import model_inputs
from models.champion import Champion
from streams.recording import Recorder, RecordingEngine

pytestmark = pytest.mark.usefixtures("eager_model")
KEY = b"k" * 32
PATIENT = replace(EAGER, horizon_days=5)  # over gaps longer than its horizon a model ticks as it can
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "customer.churned", "customer.returned")]


def recording(folder: Path, model: Champion) -> RecordingEngine:
    made = RecordingEngine(configuration(QUICK), model)
    made.record(Recorder(folder, KEY))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(12), st.lists(st.integers(1, 9), max_size=4))
def test_any_events(folder, stream, sizes):
    whole = lines(stream)
    assert run(recording(folder, frozen()), cut(whole, sizes)) == run(engine(model=frozen()), [whole])


@pytest.mark.parametrize("seed", [1, 4])
def test_a_model_that_learns_learns_the_same(tmp_path, seed):
    whole = lines(random_moments(seed, 300, customers=8, types=LIVES * 5 + list(range(len(TYPES)))))
    reference = run(engine(learning=PATIENT), [whole])
    assert any(decision["risk"] is not None for decision in reference.decisions)
    for name, size in (("a", 3), ("b", len(whole))):
        learning = Champion(*model_inputs({}), PATIENT)
        assert run(recording(tmp_path / name, learning), every(size, whole)) == reference
    once = decoded(tmp_path / "a")
    assert len(once) > 10
    assert differences(once, decoded(tmp_path / "b")) == []
