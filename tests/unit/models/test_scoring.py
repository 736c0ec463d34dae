"""The compiled scorer says what River's models say, whatever the batch."""

import numpy as np
import pytest

from models.forest import SMOOTHING, root_of
from models.pipeline import Learner
from models.settings import LearningSettings
from models.trees import UNKNOWN, BinBranch, Row

SETTINGS = LearningSettings(trees=4, tree_grace=20)


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(2500, 6)).astype(np.float32)
    values[:, 4] = rng.integers(0, 7, 2500)
    values[rng.random(values.shape) < 0.1] = np.nan
    labels = ((values[:, 0] > 0.8) ^ (values[:, 4] == 3)).astype(np.int8)
    learner = Learner(SETTINGS)
    learner.fit_edges(values, np.array([False, False, False, False, True, False]))
    keys = np.arange(2500, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    learner.learn(values, labels, keys, np.ones(2500, np.bool_))
    return learner, values


def leaf_log_odds(tree, row, base):
    node = root_of(tree)
    if isinstance(node, BinBranch):
        node = node.traverse(row)
    stayed, left = node.stats.get(0, 0), node.stats.get(1, 0)
    return np.log((left + SMOOTHING * base) / (stayed + SMOOTHING * (1 - base)))


def test_scores_are_those_of_the_river_models(learned):
    learner, values = learned
    logits = learner.scorer().logits(values[:200].T.astype(float), np.arange(6))
    bins = learner.encoder.bins(values[:200])
    base = (learner.left + 1) / (learner.left + learner.stayed + 2)
    for index in range(200):
        keys = [feature * 32 + int(bins[index, feature]) for feature in range(6)] + [-1]
        chance = learner.linear.model.predict_proba_one(dict.fromkeys(keys, 1.0))[True]
        assert 1 / (1 + np.exp(-logits[0, index])) == pytest.approx(chance, rel=1e-9)
        row = Row(np.where(np.isnan(values[index]), UNKNOWN, values[index]).tolist(), bins[index])
        trees = np.mean([leaf_log_odds(tree, row, base) for tree in learner.forest.trees])
        assert logits[1, index] == pytest.approx(trees, rel=1e-9)


def test_the_forest_found_the_interaction(learned):
    learner, _ = learned
    x = np.array([[1.5, -1, 1.5, -1], [0] * 4, [0] * 4, [0] * 4, [3, 3, 1, 1], [0] * 4], float)
    both, only_category, only_number, none = learner.scorer().logits(x, np.arange(6))[1]
    assert min(only_category, only_number) > 0.5
    assert max(both, none) < 0


@pytest.mark.parametrize("size", [1, 7, 127, 128, 129, 500])
def test_batch_shape_changes_no_bit(learned, size):
    learner, values = learned
    x, columns = np.ascontiguousarray(values[:500].T.astype(float)), np.arange(6)
    scorer = learner.scorer()
    whole = scorer.logits(x, columns)
    for start in range(0, 500, size):
        np.testing.assert_array_equal(
            scorer.logits(x[:, start : start + size], columns), whole[:, start : start + size]
        )


def test_infinite_and_huge_values_are_unknown(learned):
    learner, _ = learned
    x = np.array([[np.nan, np.inf, -np.inf, 1e300]] * 6)
    logits = learner.scorer().logits(x, np.arange(6))
    assert (logits == logits[:, :1]).all()


def test_contributions_add_up_to_the_difference_between_two_customers(learned):
    learner, values = learned
    scorer, x = learner.scorer(), values[:50].T.astype(float)
    added = scorer.contributions(x, np.arange(6), (0.7, 0.4)).sum(axis=0)
    linear, forest = scorer.logits(x, np.arange(6))
    odds = 0.7 * linear + 0.4 * forest
    np.testing.assert_allclose(added - added[0], odds - odds[0], atol=1e-9)


def test_a_learner_restored_from_arrays_learns_on_alike(learned):
    learner, values = learned
    first, second = Learner(SETTINGS), Learner(SETTINGS)
    first.restore(learner.snapshot())
    second.restore(first.snapshot())
    labels, keys = (values[:300, 1] > 0).astype(np.int8), np.arange(300, dtype=np.uint64)
    for one in (first, second):
        one.learn(values[:300], labels, keys, np.ones(300, np.bool_))
    mine, theirs = first.snapshot(), second.snapshot()
    assert list(mine) == list(theirs)
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_new_edges_keep_what_was_learned():
    rng = np.random.default_rng(1)
    values = rng.random((3000, 1)).astype(np.float32)
    labels = (values[:, 0] > 0.5).astype(np.int8)
    learner = Learner(SETTINGS)
    learner.fit_edges(values, np.array([False]))
    learner.learn(values, labels, np.arange(3000, dtype=np.uint64), np.ones(3000, np.bool_))
    x = np.array([[0.1, 0.45, 0.55, 0.9]])
    before = learner.scorer().logits(x, np.arange(1))
    for population in (values * 3, np.zeros_like(values)):  # prices tripled, then nobody uses anything
        learner.fit_edges(population, np.array([False]))
        assert len(learner.encoder.edges[0]) < 31
    np.testing.assert_allclose(learner.scorer().logits(x, np.arange(1)), before, atol=0.7)
