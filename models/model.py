"""A model that scores, and can learn: features by name, River learners, calibration, and the published scoring state.

What scores is a copy taken at `publish`, so learning in between changes no risk. Risk is unknown (NaN) until enough
leavers and stayers were learned.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from models.anomaly import Anomaly
from models.calibration import Calibration, Calibrator
from models.scoring import EMPTY, Scorer, probabilities
from models.settings import LearningSettings
from models.storage import ModelFileError, pack, part, under, unpack

if TYPE_CHECKING:
    from models.pipeline import Learner

FIRST_BLOCK = 64
"""In the beginning each block of so many examples changes much, and a new state is published after each."""
CALIBRATION_POSITIVES = 10
"""So many leavers must have been scored before they were learned, or no risk is told."""


class RiskModel:
    """Scoring, saving and loading.

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
        self._learner: Learner | None = None
        self._resting: dict[str, Any] = {}  # what the learner will know, as arrays, while there is none
        self.calibrator = Calibrator(self.settings.calibration_examples)
        self.anomaly = Anomaly(self.settings, learn=learn)
        self.scorer: Scorer = EMPTY
        self.calibration = Calibration(0.5, 0.5, 0.0)
        self.speaking = False
        self.unpublished = 0
        self.publications = 0
        self.vocabulary = b""  # what the numbers of categories mean; kept with the model, not looked at here
        self.extend(names, categorical)
        if learn:
            self._wake()

    @property
    def learner(self) -> Learner:
        """What learns. A model that only scores has none until somebody asks: importing River takes a second of every start."""
        return self._wake() if self._learner is None else self._learner

    def _wake(self) -> Learner:
        from models.pipeline import Learner  # noqa: PLC0415

        self._learner = Learner(self.settings)
        if self._resting:
            self._learner.restore(self._resting)
            self._resting = {}
        return self._learner

    @property
    def learned(self) -> int:
        """How many examples were learned."""
        if self._learner is None:
            return int(self._resting["counts"].sum()) if self._resting else 0
        return self._learner.left + self._learner.stayed

    def extend(self, names: Sequence[str], categorical: Sequence[bool]) -> None:
        """From now on the rows of X are these (all of them, in order); new ones join the model's features."""
        for name, is_category in zip(names, categorical, strict=True):
            if name not in self.names:
                self.names.append(name)
                self.categorical.append(is_category)
        place = {name: column for column, name in enumerate(names)}
        self.columns = np.array([place.get(name, -1) for name in self.names], np.int64)

    def score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk (f8[n]) of each column of x f8[feature, n]: a probability, or NaN while there is too little to say."""
        if not self.speaking:
            return np.full(x.shape[1], np.nan)
        return self.risk_of(self.scorer.logits(x, self.columns))

    def risk_of(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk (f8[n]) that log odds f8[2, n] mean."""
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

    def enough_new(self) -> bool:
        """Whether it is time to publish: often in the beginning."""
        return self.unpublished >= min(self.settings.publish_every, max(FIRST_BLOCK, self.learned // 4))

    def publish(self) -> None:
        """Let what was learned so far take effect."""
        self.scorer = self.learner.scorer()
        self.calibration = self.calibrator.fit()
        self.speaking = (
            self.learner.left >= self.settings.positives_to_speak
            and self.learner.stayed >= self.settings.negatives_to_speak
            and self.calibrator.positives >= CALIBRATION_POSITIVES
        )
        self.unpublished = 0
        self.publications += 1

    @property
    def version(self) -> str:
        """Names the scoring state: how often it was published, how much it learned, a checksum."""
        checksum = zlib.crc32(self.anomaly.trees.table.tobytes(), zlib.crc32(self.scorer.weights.tobytes()))
        return f"{self.publications}-{self.learned}-{checksum:08x}"

    def model_state(self) -> dict[str, Any]:
        """What was learned and what scores, as arrays."""
        c = self.calibration
        state = under("learner", self._resting or self.learner.snapshot())
        state |= under("calibrator", self.calibrator.snapshot())
        state |= under("scorer", self.scorer.arrays()) | under("anomaly", self.anomaly.learned())
        state["calibration"] = np.array([c.linear, c.forest, c.bias])
        state["published"] = np.array([self.publications, int(self.speaking), self.unpublished])
        state["names"] = np.frombuffer("\0".join(self.names).encode(), np.uint8)
        state["categorical"] = np.array(self.categorical, np.bool_)
        state["vocabulary"] = np.frombuffer(self.vocabulary, np.uint8)
        return state

    def restore_model(self, state: dict[str, Any]) -> None:
        """Go on from `model_state`, its features found by name."""
        now = [name for name, _ in sorted(zip(self.names, self.columns.tolist(), strict=True), key=lambda at: at[1])]
        kinds = dict(zip(self.names, self.categorical, strict=True))
        text = bytes(state["names"]).decode()
        self.names = text.split("\0") if text else []
        self.categorical = [bool(value) for value in state["categorical"]]
        self.extend(now, [kinds[name] for name in now])
        self._learner, self._resting = None, part("learner", state)
        if self.learning:
            self._wake()
        self.calibrator.restore(part("calibrator", state))
        self.scorer = Scorer.from_arrays(part("scorer", state))
        self.anomaly.restore_learned(part("anomaly", state))
        self.calibration = Calibration(*state["calibration"].tolist())
        self.publications, speaking, self.unpublished = state["published"].tolist()
        self.speaking = bool(speaking)
        self.vocabulary = bytes(state.get("vocabulary", b""))

    def save(self) -> bytes:
        """What was learned (not the customers' examples), as bytes for `load`."""
        facts = {"version": self.version, "horizon_days": self.settings.horizon_days, "features": self.names}
        return pack(self.model_state(), facts)

    @classmethod
    def load(
        cls,
        data: bytes,
        names: Sequence[str],
        categorical: Sequence[bool],
        settings: LearningSettings | None = None,
        *,
        learn: bool = False,
    ) -> tuple[Self, list[str]]:
        """A saved model for a catalogue of features, and the names it knows that the catalogue lacks (unknown to it).

        Raises:
            ModelFileError: the bytes are not a model that this version can use.
        """
        arrays, _ = unpack(data)
        model = cls(names, categorical, settings, learn=learn)
        try:
            model.restore_model(arrays)
        except KeyError as error:
            raise ModelFileError(f"the saved model lacks {error}") from error
        return model, [name for name, column in zip(model.names, model.columns.tolist(), strict=True) if column < 0]
