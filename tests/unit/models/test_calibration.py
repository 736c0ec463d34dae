"""Calibration finds the probabilities; evaluation counts what the textbook sums."""

import numpy as np
import pytest

from models.calibration import Calibrator
from models.evaluation import Progressive


def drawn(count=20_000, seed=0):
    rng = np.random.default_rng(seed)
    linear, forest = rng.normal(-1, 1.5, count), rng.normal(-1, 1.5, count)
    chance = 1 / (1 + np.exp(-(0.8 * linear + 0.3 * forest - 2)))
    return np.column_stack([linear, forest]), (rng.random(count) < chance).astype(float), chance


def test_the_mapping_is_found_although_few_who_stayed_were_learned():
    logits, label, _ = drawn()
    share = np.where(np.arange(len(label)) % 2, 0.1, 0.4)
    kept = (label > 0) | (np.random.default_rng(1).random(len(label)) < share)
    calibrator = Calibrator(len(label))
    calibrator.add(logits[kept], label[kept], share[kept])
    found = calibrator.fit()
    assert found.linear == pytest.approx(0.8, abs=0.08)
    assert found.forest == pytest.approx(0.3, abs=0.08)
    assert found.bias == pytest.approx(-2, abs=0.2)


def test_a_model_that_misleads_gets_no_trust():
    logits, label, _ = drawn(4000)
    calibrator = Calibrator(4000)
    calibrator.add(logits * [1, -1], label, np.ones(4000))
    found = calibrator.fit()
    assert found.forest == 0
    assert found.linear > 0.5


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_outcome_alone_does_not_break_it(label):
    calibrator = Calibrator(100)
    calibrator.add(np.zeros((50, 2)), np.full(50, label), np.full(50, 0.5))
    found = calibrator.fit()
    assert np.isfinite([found.linear, found.forest, found.bias]).all()


def test_only_the_newest_are_remembered():
    calibrator = Calibrator(10)
    for number in range(30):
        calibrator.add(np.full((1, 2), number), np.zeros(1), np.ones(1))
    assert calibrator.logits[:, 0].tolist() == list(range(20, 30))


def test_progressive_figures_are_those_of_the_definitions():
    _, label, risk = drawn(3000)
    left = label > 0
    progress = Progressive()
    progress.add(risk, left, np.ones(3000))
    report = progress.report()
    pairs = risk[left][:, None] - risk[~left][None, :]
    assert report["auc"] == pytest.approx((pairs > 0).mean(), abs=2e-3)
    hits = np.cumsum(left[np.argsort(-risk)])
    precision = (hits / np.arange(1, 3001))[left[np.argsort(-risk)]].mean()
    assert report["average_precision"] == pytest.approx(precision, abs=5e-3)
    assert report["brier"] == pytest.approx(((risk - left) ** 2).mean())
    groups = np.array_split(np.argsort(risk), 10)
    error = np.mean([abs(risk[group].mean() - left[group].mean()) for group in groups])
    assert report["calibration_error"] == pytest.approx(error, abs=3e-3)
    assert report["labelled"] == 3000


def test_a_weight_counts_as_that_many_examples():
    _, label, risk = drawn(500)
    weight = np.random.default_rng(2).integers(1, 4, 500)
    weighted, repeated = Progressive(), Progressive()
    weighted.add(risk, label > 0, weight.astype(float))
    repeated.add(np.repeat(risk, weight), np.repeat(label > 0, weight), np.ones(weight.sum()))
    for name, value in repeated.report().items():
        if name != "labelled":
            assert weighted.report()[name] == pytest.approx(value)


def test_parts_merge_and_unknown_risks_are_not_counted():
    _, label, risk = drawn(400)
    whole, first, second = Progressive(), Progressive(), Progressive()
    whole.add(risk, label > 0, np.ones(400))
    first.add(risk[:100], label[:100] > 0, np.ones(100))
    second.add(np.append(risk[100:], np.nan), np.append(label[100:] > 0, True), np.ones(301))
    first.merge(second)
    assert first.report() == pytest.approx(whole.report())


def test_figures_are_none_while_undefined():
    progress = Progressive()
    assert set(progress.report().values()) == {0, None}
    progress.add(np.array([0.2]), np.array([False]), np.ones(1))
    assert progress.report()["auc"] is None
    assert progress.report()["brier"] == pytest.approx(0.04)
