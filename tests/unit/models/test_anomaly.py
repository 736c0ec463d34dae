"""The anomaly detector: River's scores in compiled code, a sample of customer-days, a share that a person understands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly import INPUTS, NAMES, Anomaly, new_day, take
from models.examples import example_keys
from models.halfspace import ROWS, block_units, block_unusual, masses, room
from models.settings import DAY_US, LearningSettings

SETTINGS = LearningSettings(
    anomaly_window=40, anomaly_learned_per_day=20, anomaly_per_day=60, anomaly_sample=300, anomaly_to_speak=100
)
WIDTH = len(INPUTS)
EXTREMES = [np.nan, 0.0, -0.0, -5.0, 1e-300, 0.5, 1.0, 3.0, 1e6, 1e300, np.inf, -np.inf]


def population(rows, seed=1):
    """Values of ordinary weeks, f8[input, rows]; some unknown."""
    rng = np.random.default_rng(seed)
    x = rng.gamma(20.0, 0.05, (WIDTH, rows))
    x[6:] = rng.exponential(0.05, (WIDTH - 6, rows))
    x[rng.random(x.shape) < 0.05] = np.nan
    return x


def offer(detector, x, customers, day=20_000):
    """Let the detector see columns of x, each of a customer, as they are on a day."""
    trees, r = detector.trees._replace(columns=np.arange(WIDTH)), room(WIDTH)
    customers = np.array(customers, np.int32)
    now = np.full(len(customers), day * DAY_US + 5)
    for first in range(0, x.shape[1], ROWS):
        rows = min(ROWS, x.shape[1] - first)
        block_units(x, first, rows, trees, r)
        take(customers, now, first, rows, r, detector.day)


def live(detector, days, since=0):
    """Let days pass, each with 90 customers."""
    for day in range(since, since + days):
        offer(detector, population(90, day), np.random.default_rng(day).permutation(90), day)
        detector.tick()
    return detector


def rarity(detector, x):
    trees, r = detector.trees._replace(columns=np.arange(WIDTH)), room(WIDTH)
    told = np.empty(x.shape[1])
    for first in range(0, x.shape[1], ROWS):
        rows = min(ROWS, x.shape[1] - first)
        block_unusual(x, first, rows, trees, r)
        told[first : first + rows] = r.rarity[:rows]
    return told


@pytest.fixture(scope="module")
def taught():
    return live(Anomaly(SETTINGS), 10)


unit_rows = st.lists(st.lists(st.floats(0, 1), min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=150)


@given(rows=unit_rows, seed=st.integers(0, 50), height=st.integers(1, 6), window=st.integers(1, 60))
def test_compiled_scores_are_river_s(rows, seed, height, window):
    settings = LearningSettings(
        anomaly_trees=4, anomaly_height=height, anomaly_window=window, anomaly_learned_per_day=10**6,
        anomaly_per_day=200, anomaly_to_speak=1, anomaly_sample=63,
    )  # fmt: skip
    detector = live(Anomaly(settings), 3, seed)
    assert detector.speaking == (not detector.river._first_window)
    if detector.speaking:
        units = np.array(rows)
        most = settings.anomaly_trees * window * (2 ** (height + 1) - 1)
        scores = 1 - masses(units, detector.trees) / most
        expected = [detector.river.score_one(dict(enumerate(row))) for row in rows]
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def test_what_is_told_is_the_share_of_the_sample_that_is_less_unusual(taught):
    x = population(400, 99)
    x[:, :50] *= 4
    trees, r = taught.trees._replace(columns=np.arange(WIDTH)), room(WIDTH)
    units = np.empty((400, WIDTH))
    for first in range(0, 400, ROWS):
        rows = min(ROWS, 400 - first)
        block_units(x, first, rows, trees, r)
        units[first : first + rows] = r.units.reshape(WIDTH, ROWS).T[:rows]
    score = [taught.river.score_one(dict(enumerate(row))) for row in units.tolist()]
    sample = np.array([taught.river.score_one(dict(enumerate(row))) for row in taught.sample.tolist()])
    expected = [np.mean(sample < one) for one in score]
    known = ~np.isnan(x[:4]).all(axis=0)
    np.testing.assert_allclose(rarity(taught, x)[known], np.array(expected)[known], atol=1e-12)
    assert np.all(np.isnan(rarity(taught, x)[~known]))


def test_a_strange_week_is_rarer_than_an_ordinary_one(taught):
    usual, strange = np.ones((WIDTH, 1)), np.ones((WIDTH, 1))
    usual[6:] = 0.0
    strange[:] = [[0.05], [0.02], [3.0], [4.0], [2.5], [0.2], [0.9], [0.5], [6.0], [0.6]]
    assert rarity(taught, usual)[0] < 0.6
    assert rarity(taught, strange)[0] > 0.98


def test_without_any_own_normal_nothing_is_said(taught):
    x = np.ones((WIDTH, 2))
    x[:4] = np.nan
    x[3, 1] = 1.0
    assert np.isnan(rarity(taught, x)).tolist() == [True, False]


def test_nothing_is_said_before_enough_was_learned():
    detector = live(Anomaly(SETTINGS), 1)
    assert not detector.speaking
    assert np.isnan(rarity(detector, population(10))).all()
    assert live(detector, 1, 1).speaking


@given(st.lists(st.lists(st.sampled_from(EXTREMES), min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=140))
def test_any_value_gives_a_share_and_no_row_depends_on_another(rows):
    detector = live(Anomaly(SETTINGS), 4)
    x = np.array(rows).T.copy()
    told = rarity(detector, x)
    assert np.all(np.isnan(told) == np.isnan(x[:4]).all(axis=0))
    assert np.all((told[~np.isnan(told)] >= 0) & (told[~np.isnan(told)] <= 1))
    alone = [rarity(detector, x[:, k : k + 1].copy())[0] for k in range(x.shape[1])]
    np.testing.assert_array_equal(told, alone)


@given(st.permutations(range(40)), st.integers(0, 45))
def test_the_day_s_sample_does_not_depend_on_the_order_of_customers(order, most):
    detectors = [Anomaly(LearningSettings(anomaly_per_day=most)) for _ in range(2)]
    x = np.ones((WIDTH, 40)) * np.arange(40)
    offer(detectors[0], x, range(40))
    offer(detectors[1], np.ascontiguousarray(x[:, order]), order)
    keys = example_keys(np.arange(40), np.full(40, 20_000))
    chosen = np.argsort(keys)[:most]
    for detector in detectors:
        count = int(detector.day.held[0])
        by_key = np.argsort(detector.day.keys[:count])
        np.testing.assert_array_equal(detector.day.keys[by_key], keys[chosen])
        np.testing.assert_array_equal(detector.day.units[by_key, 0], chosen / (chosen + 1.0))


def test_of_a_customer_s_day_only_the_beginning_is_sampled():
    detector = Anomaly(SETTINGS)
    x = population(2)
    offer(detector, x, [5, 5])
    assert detector.day.held[0] == 1
    expected = x[0, 0] / (x[0, 0] + 1)
    assert detector.day.units[0, 0] == expected


def test_a_day_without_anybody_changes_nothing(taught):
    before = taught.learned()
    assert not taught.tick()
    after = taught.learned()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_saved_and_restored_it_goes_on_the_same():
    for stop in (0, 1, 3):
        steady = live(Anomaly(SETTINGS), stop)
        offer(steady, population(5, 77), range(7, 12))
        again = Anomaly(SETTINGS)
        again.restore_learned(steady.learned())
        again.restore_days(steady.days())
        for detector in (steady, again):
            live(detector, 4, stop)
        ours, theirs = (detector.learned() | detector.days() for detector in (steady, again))
        for name, array in ours.items():
            np.testing.assert_array_equal(array, theirs[name], name)
        probe = dict(enumerate(np.linspace(0, 1, WIDTH).tolist()))
        assert steady.river.score_one(probe) == again.river.score_one(probe)


def test_what_was_learned_over_other_inputs_is_not_used(taught):
    state = taught.learned() | {"inputs": np.frombuffer(b"other", np.uint8)}
    fresh = Anomaly(SETTINGS)
    fresh.restore_learned(state)
    assert not fresh.speaking
    assert NAMES[0] == "uses_7d_vs_own"


def test_a_detector_that_does_not_learn_samples_nothing():
    detector = Anomaly(SETTINGS, learn=False)
    offer(detector, population(20), range(1, 21))
    assert detector.day.held[0] == 0
    assert new_day(3).bound[0] > 0


def test_what_has_learned_nothing_is_the_same_with_river_and_without():
    one = Anomaly(SETTINGS, learn=False)
    before = one.learned()
    assert one.river.counter == 0
    after = one.learned()
    assert {name: (part.dtype, part.tobytes()) for name, part in before.items()} == {
        name: (part.dtype, part.tobytes()) for name, part in after.items()
    }
