"""The model as a whole: it learns from the stream alone, and says nothing it cannot know."""

import numpy as np
import pytest

from models.champion import HOUR_US, Champion
from models.settings import DAY_US, LearningSettings
from models.storage import ModelFileError

NAMES = ["usage_drop", "complaints", "plan", "always_unknown"]
CATEGORICAL = [False, False, True, False]
SETTINGS = LearningSettings(trees=3, examples_per_tick=128, tree_grace=30)


def story(customers=500, days=110, seed=5):
    """Freezes and outcomes of a growing operator: those with little use, or with complaints on plan 2, soon leave."""
    rng = np.random.default_rng(seed)
    events = []
    for customer in range(customers):
        arrived, drop, complaints, plan = 80 * rng.random(), rng.random(), rng.integers(0, 5), rng.integers(0, 3)
        leaver = rng.random() < (0.8 if drop > 0.85 or (complaints >= 3 and plan == 2) else 0.03)
        gone = arrived + 10 + 15 * rng.random() if leaver else days
        x = np.array([drop, complaints, plan, np.nan])
        events += [(int(day * DAY_US), customer, x) for day in np.arange(arrived, gone, 7)]
        if leaver:
            events.append((int(gone * DAY_US), customer, None))
    return sorted(events, key=lambda event: event[:2])


def feed(champion, events, until, batch=10_000, started=0):
    """Play events up to `until` in batches, ticking each hour; freezes of an hour are shuffled over batches."""
    clock, pending = started, []

    def flush():
        frozen = [event for event in pending if event[2] is not None]
        for start in range(0, len(frozen), batch):
            part = frozen[start : start + batch]
            champion.freeze(
                np.array([e[1] for e in part]), np.array([e[2] for e in part]).T.copy(), np.array([e[0] for e in part])
            )
        for at, customer, x in pending:
            if x is None:
                champion.churned(customer, at, True)
        pending.clear()

    for event in events:
        if event[0] < started:
            continue
        while event[0] >= clock + HOUR_US and clock < until:
            flush()
            clock += HOUR_US
            champion.tick(clock)
        if clock >= until:
            return clock
        pending.append(event)
    flush()
    return clock


@pytest.fixture(scope="module")
def events():
    return story()


@pytest.fixture(scope="module")
def taught(events):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    feed(champion, events, 200 * DAY_US)
    champion.tick(111 * DAY_US)
    return champion


@pytest.fixture(scope="module")
def probes():
    rng = np.random.default_rng(1)
    x = np.vstack([rng.random(300), rng.integers(0, 5, 300), rng.integers(0, 3, 300), np.full(300, np.nan)])
    x[:3, ::17] = np.nan
    return x


def test_what_makes_customers_leave_is_learned(taught):
    quiet, drop, combined, half = taught.score(
        np.array([[0.2, 0.0, 1, np.nan], [0.95, 0.0, 1, np.nan], [0.2, 4.0, 2, np.nan], [0.2, 4.0, 1, np.nan]]).T.copy()
    )
    assert drop > 5 * quiet
    assert combined > 2 * half
    assert taught.report()["auc"] > 0.75


def test_nothing_is_said_before_enough_leavers_were_learned(events, probes):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    feed(champion, events, 41 * DAY_US)
    assert champion.learner.left < SETTINGS.positives_to_speak
    assert np.isnan(champion.score(probes)).all()


def test_without_outcomes_nothing_is_ever_learned(events):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    feed(champion, [event for event in events if event[2] is not None], 200 * DAY_US)
    assert champion.learner.left == champion.learner.stayed == 0
    assert len(champion.examples) < 500 * 6  # older than a horizon: forgotten


@pytest.mark.parametrize("batch", [1, 7])
def test_batches_make_no_difference(events, taught, probes, batch):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    feed(champion, events, 200 * DAY_US, batch)
    champion.tick(111 * DAY_US)
    np.testing.assert_array_equal(champion.score(probes), taught.score(probes))
    assert champion.report() == taught.report()


def test_ticks_without_work_make_no_difference(events, taught, probes):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    whole_tick, worked = champion.tick, []

    def tick(clock):
        ready = champion.ready_at()
        if clock % DAY_US == 0 or champion.outcomes or (ready is not None and ready <= clock):
            worked.append(clock)
            whole_tick(clock)

    champion.tick = tick
    feed(champion, events, 200 * DAY_US)
    whole_tick(111 * DAY_US)
    assert len(worked) < 80 * 24
    np.testing.assert_array_equal(champion.score(probes), taught.score(probes))


def test_a_restored_snapshot_goes_on_byte_for_byte(events, taught, probes):
    for stop in (20, 76):
        champion = Champion(NAMES, CATEGORICAL, SETTINGS)
        clock = feed(champion, events, stop * DAY_US)
        state = champion.snapshot()
        resumed = Champion(NAMES, CATEGORICAL, SETTINGS)
        resumed.restore(state)
        feed(resumed, events, 200 * DAY_US, started=clock)
        resumed.tick(111 * DAY_US)
        np.testing.assert_array_equal(resumed.score(probes), taught.score(probes))
        assert resumed.report() == taught.report()
        assert resumed.version == taught.version


def test_a_saved_model_scores_the_same_and_learns_nothing(taught, probes, events):
    loaded, missing = Champion.load(taught.save(), NAMES, CATEGORICAL)
    assert missing == []
    np.testing.assert_array_equal(loaded.score(probes), taught.score(probes))
    assert loaded.version == taught.version
    feed(loaded, events, 200 * DAY_US)
    np.testing.assert_array_equal(loaded.score(probes), taught.score(probes))


def same(one, other):
    return {name: (part.dtype, part.shape, part.tobytes()) for name, part in one.items()} == {
        name: (part.dtype, part.shape, part.tobytes()) for name, part in other.items()
    }


def test_what_only_scores_keeps_what_was_learned_as_it_came_and_may_learn_on(taught):
    loaded, _ = Champion.load(taught.save(), NAMES, CATEGORICAL)
    before = loaded.snapshot()
    assert loaded.learner.left == taught.learner.left > 0  # whoever asks has it made
    assert loaded.anomaly.river.counter == taught.anomaly.river.counter
    assert same(loaded.snapshot(), before)
    learning = Champion(NAMES, CATEGORICAL, SETTINGS)
    learning.restore(before)
    assert same(learning.learner.snapshot(), taught.learner.snapshot())
    assert same(learning.anomaly.learned(), taught.anomaly.learned())


def test_models_of_the_same_bytes_have_nothing_in_common(taught, probes):
    data = taught.save()
    one, other = (Champion.load(data, NAMES, CATEGORICAL)[0] for _ in range(2))
    one.scorer.weights[:] = 0.0
    np.testing.assert_array_equal(other.score(probes), taught.score(probes))


def test_a_saved_model_finds_its_features_by_name(taught, probes):
    loaded, missing = Champion.load(taught.save(), ["new", "plan", "usage_drop"], [False, True, False])
    assert missing == ["complaints", "always_unknown"]
    moved = np.vstack([np.ones(probes.shape[1]), probes[2], probes[0]])
    unknown = probes.copy()
    unknown[1] = np.nan
    np.testing.assert_array_equal(loaded.score(moved), taught.score(unknown))


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_other_bytes_are_refused(data):
    with pytest.raises(ModelFileError):
        Champion.load(data, NAMES, CATEGORICAL)


def test_reasons_name_what_raises_the_risk(taught):
    x = np.array([[0.95, 0.0, 1, np.nan], [0.2, 4.0, 2, np.nan]]).T.copy()
    by_drop, by_complaints = taught.reasons(x)
    assert by_drop[0][0] == "usage_drop"
    assert by_complaints[0][0] == "complaints"
    assert all(added > 0 for _, added in by_drop + by_complaints)


def test_features_may_join_later(events, probes):
    champion = Champion(NAMES[:2], CATEGORICAL[:2], SETTINGS)
    clock = feed(champion, [(at, c, x if x is None else x[:2]) for at, c, x in events], 70 * DAY_US)
    champion.extend(NAMES, CATEGORICAL)
    feed(champion, events, 200 * DAY_US, started=clock)
    champion.tick(111 * DAY_US)
    assert champion.names == NAMES
    assert not np.isnan(champion.score(probes)).any()


def test_involuntary_churn_says_nothing(probes):
    champion = Champion(NAMES, CATEGORICAL, SETTINGS)
    champion.freeze(np.arange(10), probes[:, :10].copy(), np.full(10, HOUR_US))
    champion.churned(3, 2 * HOUR_US, voluntary=False)
    champion.churned(4, 2 * HOUR_US, voluntary=True)
    champion.tick(3 * HOUR_US)
    champion.tick(40 * DAY_US)
    champion.tick(41 * DAY_US)
    assert champion.learner.left == 1
    assert champion.learner.stayed <= 8
