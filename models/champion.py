"""The model that the engine holds: it freezes examples, learns what matured, and scores.

Everything is a function of the stream alone, and a tick at which nothing is due changes nothing (but for the first
one of a day), so it does not matter which empty ticks the engine leaves out. Between ticks of event time only examples and outcomes are taken in, in
any order; at a tick they are sorted out, what matured is learned (each example scored first), and perhaps a new
scoring state is published.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import Progressive
from models.examples import EVERY, Examples, Outcome, example_keys, sampled
from models.model import RiskModel
from models.scoring import gather
from models.settings import DAY_US, LearningSettings
from models.storage import part, under

HOUR_US = 3_600_000_000
FITTED_ON = 10_000
"""Edges are fitted to at most so many examples."""
RATE_HALF_LIFE = 168.0
"""In hours: how fast the rate of leaving, by which stayers are sampled, is forgotten."""
NOBODY = -1
"""The customer of an outcome that labels nothing."""
ANOTHER = 2
"""In a snapshot of outcomes: neither voluntary (1) nor not (0), but another person."""
NEVER = np.iinfo(np.int64).max
BLOCK = 64
"""Examples are scored and then learned in blocks of this size."""
FOR_NEGATIVES, FOR_TREES = 2**40, 2**41
"""Purposes of samples; far from the seeds of the trees, whose bagging hashes the same keys."""


class Champion(RiskModel):
    """Freeze, learn, score (`RiskModel`)."""

    def __init__(
        self,
        names: Sequence[str],
        categorical: Sequence[bool],
        settings: LearningSettings | None = None,
        *,
        learn: bool = True,
    ) -> None:
        super().__init__(names, categorical, settings, learn=learn)
        self.examples = Examples(len(self.names), self.settings.pending_examples)
        self.progress = Progressive()
        self.outcomes: list[Outcome] = []
        self.judged = np.zeros(0, np.bool_)
        self.first_seen = NEVER
        self.day = self.fitted = self.chosen_at = self.learned_at = 0
        self.left_lately = self.stayed_lately = 0.0
        self.tokens = float(self.settings.forest_burst)

    def freeze(self, customers: NDArray[np.int64], x: NDArray[np.float64], at: NDArray[np.int64]) -> None:
        """Keep the features of n customers (rows of the state) as they are at `at` (microseconds), x f8[feature, n]."""
        if not self.learning or not len(customers):
            return
        customers, at = customers.astype(np.int64), at.astype(np.int64)
        keys = example_keys(customers, at)
        kept = np.flatnonzero(self.examples.wanted(keys))
        self.examples.extend(len(self.names))
        values = np.empty((len(kept), len(self.names)), np.float32)
        gather(x, self.columns, kept, values)
        logits = np.full((2, len(kept)), np.nan)
        if self.publications:
            logits = self.scorer.logits(values.T, np.arange(len(self.names)))
        risk = self.risk_of(logits).astype(np.float32)
        self.examples.add(
            customers[kept], at[kept], keys[kept], values, np.ascontiguousarray(logits.T, np.float32), risk
        )

    def churned(self, customer: int, at: int, voluntary: bool) -> None:
        """A customer left at `at` (microseconds), dated by the event even when it came late."""
        self.outcomes.append(Outcome(customer, at, voluntary))

    def returned(self, customer: int, at: int) -> None:  # noqa: ARG002 - as `churned`
        """A customer came back: nothing to unlearn, but outcomes are seen to arrive."""
        self.outcomes.append(Outcome(NOBODY, at, voluntary=True))

    def transferred(self, customer: int, at: int) -> None:
        """Another person has the line from `at` (microseconds) on: what waits for the old one's outcome is censored."""
        self.outcomes.append(Outcome(customer, at, voluntary=False, another=True))

    def idle(self) -> bool:
        """Whether a tick would change nothing, however many days pass."""
        return not (self.outcomes or self.unpublished or len(self.examples)) and self.examples.bound == EVERY

    def ready_at(self) -> int | None:
        """When (microseconds) the next example matures; None while there is none, or no outcome was ever seen."""
        if not self.learning or self.first_seen == NEVER:
            return None
        oldest = self.examples.oldest()
        if oldest is None:
            return None
        if oldest == 0:
            return self.learned_at
        return max(oldest, self.first_seen) + self.settings.horizon_us + self.settings.label_delay_us

    def tick(self, clock: int) -> bool:
        """Event time has reached `clock` (microseconds): take in, learn, publish. True when scoring changed."""
        if not self.learning:
            return False
        s = self.settings
        new_day, self.day = clock // DAY_US != self.day, clock // DAY_US
        changed = new_day and self.anomaly.tick()
        self.examples.settle(grow=new_day)
        self._take_outcomes(clock)
        matured = clock - s.horizon_us - s.label_delay_us
        if self.first_seen > matured:
            if new_day:  # what is older than a horizon when outcomes begin could never be labelled
                self.examples.drop_before(min(clock, self.first_seen) - s.horizon_us)
            return changed
        self._choose(matured, clock)
        slots = self.examples.chosen(s.examples_per_tick)
        before = self.publications
        if len(slots):
            self._fit_edges(clock)
            with_trees = self._admit_to_trees(slots, clock)
            for start in range(0, len(slots), BLOCK):
                self._learn(slots[start : start + BLOCK], with_trees[start : start + BLOCK])
            self.examples.forget(slots)
        if new_day and self.unpublished:
            self.publish()
        return changed or self.publications > before

    def _take_outcomes(self, clock: int) -> None:
        if self.first_seen == NEVER and any(not outcome.another for outcome in self.outcomes):
            self.first_seen = clock
            self.examples.drop_before(clock - self.settings.horizon_us)
        if self.outcomes:
            self.examples.churned(
                [outcome for outcome in self.outcomes if outcome.customer != NOBODY],
                0 if self.first_seen == NEVER else self.first_seen,
                self.settings.horizon_us,
            )
        self.outcomes.clear()

    def _choose(self, matured: int, clock: int) -> None:
        """All leavers, and of those who stayed a sample in proportion, each standing for several."""
        left, stayed = self.examples.matured(matured)
        self._name_judges(np.concatenate([left, stayed]))
        if not len(left) and not len(stayed):
            return
        fading = 0.5 ** ((clock - self.chosen_at) / HOUR_US / RATE_HALF_LIFE)
        self.chosen_at = clock
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

    def _admit_to_trees(self, slots: NDArray[np.int64], clock: int) -> NDArray[np.bool_]:
        earned = self.settings.forest_per_tick * (clock - self.learned_at) / HOUR_US
        self.tokens = min(float(self.settings.forest_burst), self.tokens + earned)
        self.learned_at = clock
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
        if self.enough_new():
            self.publish()

    def _score_late(self, slots: NDArray[np.int64], logits: NDArray[np.float64], risk: NDArray[np.float64]) -> None:
        """Score examples that were frozen before there was a model, in place."""
        fresh = np.flatnonzero(self.examples.judge[slots])
        if len(fresh):
            found = self.scorer.logits(self.examples.values[slots[fresh]].T, np.arange(len(self.names)))
            logits[fresh], risk[fresh] = found.T, self.risk_of(found)

    def report(self) -> dict[str, Any]:
        """Progressive figures: `labelled`, `auc`, `average_precision`, `brier`, `calibration_error`."""
        return self.progress.report()

    def snapshot(self) -> dict[str, Any]:
        """Everything, as arrays; `restore` goes on byte for byte the same."""
        numbers = [self.first_seen, self.day, self.fitted, self.chosen_at, self.learned_at]
        outcomes = [(o.customer, o.at, ANOTHER if o.another else int(o.voluntary)) for o in self.outcomes]
        arrays = under("examples", self.examples.snapshot()) | under("progress", self.progress.snapshot())
        arrays |= under("days", self.anomaly.days())
        arrays |= {
            "judged": self.judged.copy(),
            "outcomes": np.array(outcomes, np.int64).reshape(-1, 3),
            "numbers": np.array(numbers, np.int64),
            "amounts": np.array([self.left_lately, self.stayed_lately, self.tokens]),
        }
        return arrays | self.model_state()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `snapshot`; features that X has now and had not then are unknown before."""
        self.restore_model(state)
        self.examples.restore(part("examples", state))
        self.examples.extend(len(self.names))
        self.progress.restore(part("progress", state))
        self.anomaly.restore_days(part("days", state))
        self.judged = np.array(state["judged"], np.bool_)
        self.outcomes = [Outcome(c, at, v == 1, v == ANOTHER) for c, at, v in state["outcomes"].tolist()]
        self.left_lately, self.stayed_lately, self.tokens = state["amounts"].tolist()
        self.first_seen, self.day, self.fitted, self.chosen_at, self.learned_at = state["numbers"].tolist()
