"""The anomaly from events to decisions: the same for any batches, kept with the model, silent where it has to be."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engines import EAGER, QUICK, batch, configuration, every, newest, said
from support.engines import engine as fresh
from support.small_streams import START, text_of

from engine.engine import DAY_US, Engine
from engine.model_inputs import model_inputs
from models.champion import Champion
from models.model import RiskModel
from models.storage import pack, unpack
from streams.checkpoint import read_state, write_state

DAYS, CUSTOMERS, STRANGE_FROM = 45, 6, 40


def days() -> list[bytes]:
    """Steady use, somebody's every hour; from a day on c0 uses much less, and that fails. c1 objects to profiling."""
    chance = random.Random(3)
    start = text_of(START)
    found = [
        f'{{"type": "customer.profiled", "event_id": "p", "customer_id": "c1", "occurred_at": "{start}", '
        f'"profiling_objected": true}}'.encode()
    ]
    for hour in range(24 * DAYS):
        customer = hour % CUSTOMERS
        strange = customer == 0 and hour >= 24 * STRANGE_FROM
        mb, failed = (0.5, 9) if strange else (200 + 40 * chance.random(), 0)
        found.append(
            f'{{"type": "usage.recorded", "event_id": "{hour}", "customer_id": "c{customer}", "count": 4, "mb": {mb:.2f}, '
            f'"occurred_at": "{text_of(START + timedelta(hours=hour))}", "service": "data", "failed": {failed}}}'.encode()
        )
    return found


def play(engine: Engine, parts: Any) -> list[dict[str, Any]]:
    found = [said(decision) for part in parts for decision in engine.step(batch(part), 0).decisions]
    return sorted(found, key=lambda one: (one["raised_at"], one["customer_id"], one["revision"]))


def unlike(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in decisions if any(hit["id"] == "unlike" for hit in one["rules"])]


def anomalies(engine: Engine, at: int) -> dict[str, float]:
    """The anomaly of every customer, looked at."""
    found: dict[str, float] = {}
    for rows, count in engine.partition.look(np.arange(CUSTOMERS), at):
        verdict = engine.evaluation.judge(rows, count, learn=False)
        for k in range(count):
            found[engine.names.customer_id(int(rows.customer[k]))] = float(verdict.anomaly[k])
            sheet = engine.evaluation.sheet(rows, k)
            np.testing.assert_array_equal(sheet["anomaly"], verdict.anomaly[k : k + 1])
    return found


RULES = """version: 1
groups:
  - name: one
    rules:
      - {alert: Unlike, id: unlike, tier: watch, expr: signal.anomaly >= 0.02 and anomaly >= 0.8, clear_expr: anomaly < 0.5,
         reason: unlike, evidence: [anomaly], text: {en: "Unlike {{ anomaly | percent }}", zh-CN: "异"}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("config") / "unlike"
    shutil.copytree(QUICK, made)
    (made / "rules" / "quick.yaml").write_text(RULES)
    return made


@pytest.fixture(scope="module")
def stream() -> list[bytes]:
    return days()


@pytest.fixture(scope="module")
def taught(stream: list[bytes], folder: Path) -> tuple[Engine, list[dict[str, Any]]]:
    engine = fresh(folder)
    return engine, play(engine, every(1, stream))


def test_a_strange_week_is_seen_and_shown_to_reasons(taught, stream):
    engine, decisions = taught
    found = anomalies(engine, newest([batch(stream)]))
    assert found["c0"] > 0.9
    assert found["c0"] > max(found[f"c{k}"] for k in range(2, CUSTOMERS))
    raised = [one for one in unlike(decisions) if one["customer_id"] == "c0"]
    assert raised
    assert raised[-1]["reasons"][0]["feature"] == "anomaly"
    assert raised[-1]["reasons"][0]["value"] >= 0.8
    assert {one["versions"]["model"] for one in unlike(decisions)}.isdisjoint({"none"})


def test_who_objected_to_profiling_has_no_anomaly_and_is_not_learned_from(taught, stream, folder):
    engine, decisions = taught
    assert np.isnan(anomalies(engine, newest([batch(stream)]))["c1"])
    assert not any(one["customer_id"] == "c1" for one in unlike(decisions))
    objector = fresh(folder)
    play(objector, [[line for line in stream if b'"c1"' in line]])
    assert len(objector.model.anomaly.sample) == objector.model.anomaly.day.held[0] == 0


@pytest.mark.parametrize("size", [7, 100, 10_000])
def test_batches_make_no_difference(taught, stream, size, folder):
    one, decisions = taught
    other = fresh(folder)
    assert play(other, every(size, stream)) == decisions
    ours, theirs = one.snapshot(), other.snapshot()
    for name in ours:
        if name.startswith(("model.anomaly.", "model.days.")) and name[-5:] not in (".keys", "units"):
            np.testing.assert_array_equal(ours[name], theirs[name], name)
    assert one.model.anomaly.day.held[0] > 0


@pytest.mark.parametrize("cut", [100, 555, 1000])
def test_a_run_that_is_saved_and_read_back_goes_on_the_same(taught, stream, folder, cut, tmp_path):
    one, decisions = taught
    before, after = fresh(folder), fresh(folder)
    first = play(before, every(50, stream[:cut]))
    with (tmp_path / "state").open("wb") as out:
        write_state(out, before.snapshot())
    after.restore(read_state(tmp_path / "state"))
    assert [*first, *play(after, every(70, stream[cut:]))] == decisions
    ours, theirs = one.model.snapshot(), after.model.snapshot()
    for name in ours:
        if name.startswith("anomaly.") or name == "days.sample":
            np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_looking_at_scores_teaches_nothing(taught, stream):
    engine, _ = taught
    before = engine.model.anomaly.day.held.copy(), engine.model.anomaly.day.units.copy()
    list(engine.scores(newest([batch(stream)]) + DAY_US))
    np.testing.assert_array_equal(before[0], engine.model.anomaly.day.held)
    np.testing.assert_array_equal(before[1], engine.model.anomaly.day.units)


def test_a_saved_model_says_the_same_and_learns_nothing(taught, stream, folder):
    engine, _ = taught
    loaded, _ = Champion.load(engine.save_model(), *model_inputs({}), EAGER)
    frozen = fresh(folder, model=loaded)
    decisions = play(frozen, every(50, stream))
    assert unlike(decisions)
    assert len({one["versions"]["model"] for one in decisions}) == 1
    at = newest([batch(stream)])
    np.testing.assert_equal(anomalies(frozen, at), anomalies(engine, at))
    assert frozen.model.anomaly.day.held[0] == 0
    np.testing.assert_array_equal(frozen.model.anomaly.trees.table, engine.model.anomaly.trees.table)


def test_no_customer_s_days_are_in_a_saved_model(taught):
    arrays, _ = unpack(taught[0].save_model())
    assert not any(name.startswith("days") for name in arrays)


def test_a_model_saved_before_there_was_an_anomaly_still_loads(taught, stream, folder):
    arrays, facts = unpack(taught[0].save_model())
    old = {name: array for name, array in arrays.items() if not name.startswith("anomaly.")}
    loaded, missing = RiskModel.load(pack(old, facts), *model_inputs({}), EAGER)
    assert missing == [*configuration(QUICK).settings.signals]  # which the catalogue by itself does not know
    assert not loaded.anomaly.speaking
    champion, _ = Champion.load(pack(old, facts), *model_inputs({}), EAGER)
    frozen = fresh(folder, model=champion)
    assert not unlike(play(frozen, [stream]))
    assert np.isnan(list(anomalies(frozen, newest([batch(stream)])).values())).all()


def test_a_state_saved_before_there_was_an_anomaly_still_restores(stream, folder):
    engine, again = fresh(folder), fresh(folder)
    play(engine, [stream])
    old = {
        name: part for name, part in engine.snapshot().items() if not name.startswith(("model.anomaly.", "model.days."))
    }
    again.restore(old)
    assert not again.model.anomaly.speaking
