"""The model that the engine holds: it freezes examples, learns what matured, and scores.

Everything is a function of the stream alone. Between ticks of event time only examples and outcomes are taken in, in
any order; at a tick they are sorted out, what matured is learned (each example scored first), and perhaps a new
scoring state is published. Risk is unknown (NaN) until enough leavers and stayers were learned.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration, Calibrator
from models.evaluation import Progressive
from models.examples import Examples, Outcome, example_keys, sampled
from models.pipeline import Learner
from models.scoring import EMPTY, Scorer, gather, probabilities
from models.settings import DAY_US, LearningSettings
from models.storage import pack, part, under, unpack

HOUR_US = 3_600_000_000
FITTED_ON = 10_000
"""Edges are fitted to at most so many examples."""
RATE_HALF_LIFE = 168.0
"""In hours: how fast the rate of leaving, by which stayers are sampled, is forgotten."""
NOBODY = -1
"""The customer of an outcome that labels nothing."""
NEVER = np.iinfo(np.int64).max
BLOCK = 64
"""Examples are scored and then learned in blocks of this size."""
FOR_NEGATIVES, FOR_TREES = 2**40, 2**41
"""Purposes of samples; far from the seeds of the trees, whose bagging hashes the same keys."""
CALIBRATION_POSITIVES = 10
"""So many leavers must have been scored before they were learned, or no risk is told."""


class Champion:
    """Freeze, learn, score.

    `names` and `categorical` describe the rows of every matrix X (f8[feature, customer]) handed in; `extend` when
    more are known. `learn=False` scores only.
    """

    def __init__(
        self,
        names: Sequence[str],
        categorical: Sequence[bool],
        settings: LearningSettings | None = None,
        *,
        learn: bool = True,
    ) -> None:
        self.settings = settings or LearningSettings()
        self.learning = learn
        self.names: list[str] = []
        self.categorical: list[bool] = []
        self.columns = np.zeros(0, np.int64)
        self.examples = Examples(0, self.settings.pending_examples)
        self.learner = Learner(self.settings)
        self.calibrator = Calibrator(self.settings.calibration_examples)
        self.progress = Progressive()
        self.scorer: Scorer = EMPTY
        self.calibration = Calibration(0.5, 0.5, 0.0)
        self.speaking = False
        self.outcomes: list[Outcome] = []
        self.judged = np.zeros(0, np.bool_)
        self.first_seen = NEVER
        self.clock = 0
        self.swept = 0
        self.fitted = 0
        self.published = 0
        self.unpublished = 0
        self.publications = 0
        self.left_lately = self.stayed_lately = 0.0
        self.tokens = float(self.settings.forest_burst)
        self.extend(names, categorical)

    def extend(self, names: Sequence[str], categorical: Sequence[bool]) -> None:
        """From now on the rows of X are these (all of them, in order); new ones join the model's features."""
        for name, is_category in zip(names, categorical, strict=True):
            if name not in self.names:
                self.names.append(name)
                self.categorical.append(is_category)
        place = {name: column for column, name in enumerate(names)}
        self.columns = np.array([place.get(name, -1) for name in self.names], np.int64)
        self.examples.extend(len(self.names))

    def score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk (f8[n]) of each column of x f8[feature, n]: a probability, or NaN while there is too little to say."""
        if not self.speaking:
            return np.full(x.shape[1], np.nan)
        return self._risk(self.scorer.logits(x, self.columns))

    def _risk(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.speaking:
            return np.full(logits.shape[1], np.nan)
        return probabilities(logits, self.calibration.linear, self.calibration.forest, self.calibration.bias)

    def contributions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each feature adds to the log odds of leaving against the population, f8[self.names, n]; 0: nothing."""
        return self.scorer.contributions(x, self.columns, (self.calibration.linear, self.calibration.forest))

    def reasons(self, x: NDArray[np.float64], most: int = 5) -> list[list[tuple[str, float]]]:
        """For each column of x the features that raise the risk most, with what each adds to the log odds."""
        added = self.contributions(x) if self.speaking else np.zeros((0, x.shape[1]))
        order = np.argsort(-added, axis=0, kind="stable")[:most]
        return [
            [(self.names[feature], float(added[feature, row])) for feature in order[:, row] if added[feature, row] > 0]
            for row in range(x.shape[1])
        ]

    def freeze(self, customers: NDArray[np.int64], x: NDArray[np.float64], at: NDArray[np.int64]) -> None:
        """Keep the features of n customers (rows of the state) as they are at `at` (microseconds), x f8[feature, n]."""
        if not self.learning or not len(customers):
            return
        customers, at = customers.astype(np.int64), at.astype(np.int64)
        keys = example_keys(customers, at)
        kept = np.flatnonzero(self.examples.wanted(keys))
        values = np.empty((len(kept), len(self.names)), np.float32)
        gather(x, self.columns, kept, values)
        logits = np.full((2, len(kept)), np.nan)
        if self.publications:
            logits = self.scorer.logits(values.T, np.arange(len(self.names)))
        risk = self._risk(logits).astype(np.float32)
        self.examples.add(
            customers[kept], at[kept], keys[kept], values, np.ascontiguousarray(logits.T, np.float32), risk
        )

    def churned(self, customer: int, at: int, voluntary: bool) -> None:
        """A customer left at `at` (microseconds), dated by the event even when it came late."""
        self.outcomes.append(Outcome(customer, at, voluntary))

    def returned(self, customer: int, at: int) -> None:  # noqa: ARG002 - as `churned`
        """A customer came back: nothing to unlearn, but outcomes are seen to arrive."""
        self.outcomes.append(Outcome(NOBODY, at, voluntary=True))

    def ready_at(self) -> int | None:
        """When (microseconds) the next example matures; None while there is none, or no outcome was ever seen."""
        if not self.learning or self.first_seen == NEVER:
            return None
        oldest = self.examples.oldest()
        if oldest is None:
            return None
        if oldest == 0:
            return self.clock
        return max(oldest, self.first_seen) + self.settings.horizon_us + self.settings.label_delay_us

    def tick(self, clock: int) -> bool:
        """Event time has reached `clock` (microseconds): take in, learn, publish. True when scoring changed."""
        if not self.learning:
            return False
        s = self.settings
        self.examples.settle()
        self._take_outcomes(clock)
        self.tokens = min(float(s.forest_burst), self.tokens + s.forest_per_tick * self._hours_since(clock))
        matured = clock - s.horizon_us - s.label_delay_us
        if self.first_seen > matured:
            self.clock = clock
            if clock - self.swept >= DAY_US:  # what is older than a horizon when outcomes begin could never be labelled
                self.swept = clock
                self.examples.drop_before(min(clock, self.first_seen) - s.horizon_us)
            return False
        self._choose(matured, clock)
        self.clock = clock
        slots = self.examples.chosen(s.examples_per_tick)
        if len(slots):
            self._fit_edges(clock)
            with_trees = self._admit_to_trees(slots)
            for start in range(0, len(slots), BLOCK):
                self._learn(slots[start : start + BLOCK], with_trees[start : start + BLOCK])
            self.examples.forget(slots)
        overdue = clock - self.published >= s.publish_after_hours * HOUR_US
        return self._publish(clock) if self.unpublished and (overdue or self._enough_new()) else False

    def _hours_since(self, clock: int) -> float:
        return max(clock - self.clock, 0) / HOUR_US if self.clock else 0.0

    def _enough_new(self) -> bool:
        """Often in the beginning, when each block changes much."""
        learned = self.learner.left + self.learner.stayed
        return self.unpublished >= min(self.settings.publish_every, max(BLOCK, learned // 4))

    def _take_outcomes(self, clock: int) -> None:
        if self.outcomes and self.first_seen == NEVER:
            self.first_seen = clock
            self.examples.drop_before(clock - self.settings.horizon_us)
        if self.outcomes:
            self.examples.churned(
                [outcome for outcome in self.outcomes if outcome.customer != NOBODY],
                self.first_seen,
                self.settings.horizon_us,
            )
        self.outcomes.clear()

    def _choose(self, matured: int, clock: int) -> None:
        """All leavers, and of those who stayed a sample in proportion, each standing for several."""
        left, stayed = self.examples.matured(matured)
        self._name_judges(np.concatenate([left, stayed]))
        fading = 0.5 ** (self._hours_since(clock) / RATE_HALF_LIFE)
        self.left_lately = self.left_lately * fading + len(left)
        self.stayed_lately = self.stayed_lately * fading + len(stayed)
        share = self._share_of_stayers()
        kept = sampled(self.examples.key[stayed], FOR_NEGATIVES, share)
        self.examples.choose(left, 1, share, clock)
        self.examples.choose(stayed[kept], 0, share, clock)
        self.examples.forget(stayed[~kept])

    def _name_judges(self, slots: NDArray[np.int64]) -> None:
        """Of the examples frozen before there was a model, the first of each customer will be scored when learned.

        Only the first: a customer's examples share an outcome, and the first one learned gives it away. It is named
        before stayers are sampled, else a customer who stayed would have several chances to be the one.
        """
        held = self.examples
        unscored = slots[np.isnan(held.logits[slots, 0])]
        if not len(unscored):
            return
        unscored = unscored[np.argsort(held.key[unscored], kind="stable")]
        customers, first = np.unique(held.customer[unscored], return_index=True)
        self.judged = np.pad(self.judged, (0, max(int(customers[-1]) + 1 - len(self.judged), 0)))
        held.judge[unscored[first[~self.judged[customers]]]] = True
        self.judged[customers] = True

    def _share_of_stayers(self) -> float:
        """Follows the rate of leaving slowly: a share that knew this tick's leavers would bias the calibration."""
        s = self.settings
        wanted = s.negatives_per_positive * self.left_lately + s.negatives_per_tick * RATE_HALF_LIFE / np.log(2)
        return min(1.0, float(wanted) / max(self.stayed_lately, 1.0))

    def _fit_edges(self, clock: int) -> None:
        if clock - self.fitted >= self.settings.rebin_days * DAY_US or len(self.learner.encoder.edges) < len(
            self.names
        ):
            self.fitted = clock
            self.learner.fit_edges(self.examples.population(FITTED_ON), np.array(self.categorical, np.bool_))

    def _admit_to_trees(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        admitted = sampled(self.examples.key[slots], FOR_TREES, min(1.0, max(self.tokens, 0.0) / len(slots)))
        self.tokens -= float(np.count_nonzero(admitted))
        return admitted

    def _learn(self, slots: NDArray[np.int64], with_trees: NDArray[np.bool_]) -> None:
        """Score a block, then learn it."""
        held = self.examples
        label = held.label[slots]
        logits, risk = held.logits[slots].astype(np.float64), held.risk[slots].astype(np.float64)
        if self.publications:
            self._score_late(slots, logits, risk)
        share = held.share[slots]
        self.progress.add(risk, label == 1, np.where(label == 1, 1.0, 1.0 / share))
        said = ~np.isnan(logits[:, 0])
        self.calibrator.add(logits[said], label[said].astype(np.float64), share[said])
        self.learner.learn(held.values[slots], label, held.key[slots], with_trees)
        self.unpublished += len(slots)
        if self._enough_new():
            self._publish(self.clock)

    def _score_late(self, slots: NDArray[np.int64], logits: NDArray[np.float64], risk: NDArray[np.float64]) -> None:
        """Score examples that were frozen before there was a model, in place."""
        fresh = np.flatnonzero(self.examples.judge[slots])
        if len(fresh):
            found = self.scorer.logits(self.examples.values[slots[fresh]].T, np.arange(len(self.names)))
            logits[fresh], risk[fresh] = found.T, self._risk(found)

    def _publish(self, clock: int) -> bool:
        self.scorer = self.learner.scorer()
        self.calibration = self.calibrator.fit()
        self.speaking = (
            self.learner.left >= self.settings.positives_to_speak
            and self.learner.stayed >= self.settings.negatives_to_speak
            and self.calibrator.positives >= CALIBRATION_POSITIVES
        )
        self.published, self.unpublished = clock, 0
        self.publications += 1
        return True

    @property
    def version(self) -> str:
        """Names the scoring state: how often it was published, how much it learned, a checksum."""
        learned = self.learner.left + self.learner.stayed
        return f"{self.publications}-{learned}-{zlib.crc32(self.scorer.weights.tobytes()):08x}"

    def report(self) -> dict[str, Any]:
        """Progressive figures: `labelled`, `auc`, `average_precision`, `brier`, `calibration_error`."""
        return self.progress.report()

    def snapshot(self) -> dict[str, Any]:
        """Everything, as arrays; `restore` goes on byte for byte the same."""
        numbers = [self.first_seen, self.clock, self.swept, self.fitted, self.published, self.unpublished]
        outcomes = [(o.customer, o.at, int(o.voluntary)) for o in self.outcomes]
        arrays = under("examples", self.examples.snapshot()) | under("progress", self.progress.snapshot())
        arrays |= {
            "judged": self.judged.copy(),
            "outcomes": np.array(outcomes, np.int64).reshape(-1, 3),
            "numbers": np.array(numbers, np.int64),
            "amounts": np.array([self.left_lately, self.stayed_lately, self.tokens]),
        }
        return arrays | self._model_state()

    def _model_state(self) -> dict[str, Any]:
        c = self.calibration
        state = under("learner", self.learner.snapshot()) | under("calibrator", self.calibrator.snapshot())
        state |= under("scorer", self.scorer.arrays())
        state["calibration"] = np.array([c.linear, c.forest, c.bias])
        state["published"] = np.array([self.publications, int(self.speaking)])
        state["names"] = np.frombuffer("\0".join(self.names).encode(), np.uint8)
        state["categorical"] = np.array(self.categorical, np.bool_)
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `snapshot`; features that X has now and had not then are unknown before."""
        self._restore_model(state)
        self.examples.restore(part("examples", state))
        self.examples.extend(len(self.names))
        self.progress.restore(part("progress", state))
        self.judged = np.array(state["judged"], np.bool_)
        self.outcomes = [Outcome(int(c), int(at), bool(v)) for c, at, v in state["outcomes"].tolist()]
        self.left_lately, self.stayed_lately, self.tokens = state["amounts"].tolist()
        (self.first_seen, self.clock, self.swept, self.fitted, self.published, self.unpublished) = state[
            "numbers"
        ].tolist()

    def _restore_model(self, state: dict[str, Any]) -> None:
        now = [name for name, _ in sorted(zip(self.names, self.columns.tolist(), strict=True), key=lambda at: at[1])]
        kinds = dict(zip(self.names, self.categorical, strict=True))
        text = bytes(state["names"]).decode()
        self.names = text.split("\0") if text else []
        self.categorical = [bool(value) for value in state["categorical"]]
        self.extend(now, [kinds[name] for name in now])
        self.learner.restore(part("learner", state))
        self.calibrator.restore(part("calibrator", state))
        self.scorer = Scorer.from_arrays(part("scorer", state))
        self.calibration = Calibration(*state["calibration"].tolist())
        self.publications, self.speaking = int(state["published"][0]), bool(state["published"][1])

    def save(self) -> bytes:
        """What was learned (not the customers' examples), as bytes for `load`."""
        facts = {"version": self.version, "horizon_days": self.settings.horizon_days, "features": self.names}
        return pack(self._model_state(), facts)

    @classmethod
    def load(
        cls,
        data: bytes,
        names: Sequence[str],
        categorical: Sequence[bool],
        settings: LearningSettings | None = None,
        *,
        learn: bool = False,
    ) -> tuple["Champion", list[str]]:
        """A saved model for a catalogue of features, and the names it knows that the catalogue lacks (unknown to it).

        Raises:
            ModelFileError: the bytes are not a model that this version can use.
        """
        arrays, _ = unpack(data)
        champion = cls(names, categorical, settings, learn=learn)
        champion._restore_model(arrays)
        missing = [name for name, column in zip(champion.names, champion.columns.tolist(), strict=True) if column < 0]
        return champion, missing
