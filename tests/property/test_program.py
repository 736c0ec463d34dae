"""A traced program gives what numpy gives, to the last bit: for every feature, every condition and each operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.measures import MEASURE
from detectors.columns import Columns, Table, choose, lookup
from detectors.features.unusual import ANOMALY
from detectors.machine import LANES, Program, execute
from detectors.trace import Trace
from engine.definitions import SHOWN
from engine.model_inputs import LEARNED
from tests.support.engines import DEFAULT, engine

VALUES = np.array([np.nan, 0.0, -0.0, -1.0, 0.4, 0.5, 1.0, 1.0 / 3.0, 3.0, 14.0, 61.0, 1e9, -1e9, np.inf])
TABLE = Table([5.0, np.nan, 7.0])


class Numpy(Columns):
    """All columns as numpy works them out."""

    code: Callable[[str, str], float]


@pytest.fixture(scope="module")
def judged() -> Any:
    """An engine with rows of random measures, judged, and the same rows as numpy columns."""
    one = engine(DEFAULT)
    rows, count = one.partition.rows, 1_000
    chooser = np.random.default_rng(5)
    rows.measures[:count] = np.where(
        chooser.random((count, rows.measures.shape[1])) < 0.7,
        chooser.choice(VALUES, (count, rows.measures.shape[1])),
        chooser.gamma(1.0, 20.0, (count, rows.measures.shape[1])),
    )
    rows.customer[:], rows.freeze[:] = 0, True
    definitions = one.evaluation.definitions
    one.partition.profiles.number("plan", next(iter(definitions.params["plans"].names)))
    one.evaluation.sync()
    verdict = one.evaluation.judge(rows, count)
    columns = Numpy(definitions.columns, definitions.params, count)
    columns.code = definitions.code
    for name, k in MEASURE.items():
        columns.put("m." + name, rows.measures[:count, k])
    columns.put("risk", verdict.risk[:count])
    columns.put(ANOMALY, verdict.anomaly[:count])
    return one, verdict, columns


@pytest.mark.parametrize("feature", [feature.name for feature in LEARNED])
def test_every_learned_feature_is_numpy_s(judged: Any, feature: str) -> None:
    _, verdict, sheet = judged
    place = [one.name for one in LEARNED].index(feature)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(verdict.matrix[place, : sheet.rows], sheet[feature])


def test_every_condition_is_numpy_s(judged: Any) -> None:
    one, verdict, sheet = judged
    with np.errstate(all="ignore"):
        for k, rule in enumerate(one.decider.rules):
            for bits, condition in ((verdict.fire, rule.fires), (verdict.clear, rule.clears)):
                found = bits[: sheet.rows, k // 64] >> np.uint64(k % 64) & np.uint64(1)
                np.testing.assert_array_equal(found == 1, condition.evaluate(sheet), rule.id)
        limits = one.decider.configuration.policy.limits
        bound = np.any([limit.condition.evaluate(sheet) for limit in limits], axis=0)
    np.testing.assert_array_equal(verdict.bound[: sheet.rows], bound)


def test_every_shown_column_of_a_row_is_numpy_s(judged: Any) -> None:
    one, verdict, columns = judged
    for row in (0, 1, 500, columns.rows - 1):
        sheet = one.evaluation.sheet(one.partition.rows, row)
        with np.errstate(all="ignore"):
            expected = [columns[name][row] for name in SHOWN]
        np.testing.assert_array_equal([sheet[name][0] for name in SHOWN], expected)
        np.testing.assert_array_equal(sheet["risk"], verdict.risk[row : row + 1])


OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - 2.0 * b,
    lambda a, b: 1.0 / a - b / 3.0,
    np.minimum,
    np.maximum,
    np.fmin,
    np.fmax,
    lambda a, b: np.where(a < b, a, 7.0),
    lambda a, b: np.where(a <= b, a, -a),
    lambda a, b: np.where((a > b) | (b >= 1.0), np.abs(a), b),
    lambda a, b: np.where((a == b) & ~np.isnan(a), 1.0, 0.0),
    lambda a, b: np.where(np.logical_or(a != b, np.isfinite(b)), 1.0, 0.0),
    lambda a, b: np.clip(a, -1.0, 3.0) + np.where(np.logical_and(a > 0, b > 0), 1.0, 0.0),
    lambda a, b: choose((a < 1.0, 1.0), (b < 1.0, 2.0)),
    lambda a, b: lookup(a, TABLE) + lookup(b, TABLE),
]


@given(
    st.lists(st.tuples(st.sampled_from(VALUES.tolist()), st.floats()), min_size=1, max_size=LANES),
    st.sampled_from(OPERATIONS),
    st.sampled_from(OPERATIONS),
)
def test_each_operation_is_numpy_s(pairs: list[tuple[float, float]], one: Any, other: Any) -> None:
    def both(a: Any, b: Any) -> Any:
        return other(one(a, b), b) + one(b, a)

    a, b = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    trace = Trace()
    program = Program(trace, [both(trace.input(0), trace.input(1))], [])
    for register, place in program.inputs:
        program.work[register, : len(a)] = (a, b)[place]
    with np.errstate(all="ignore"):
        execute(program.code()[0], program.work)
        np.testing.assert_array_equal(program.work[program.first[0], : len(a)], both(a, b))
