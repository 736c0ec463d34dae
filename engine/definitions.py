"""What the columns of an engine mean: features, the operator's and the detectors' signals, and the codes of categories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np

from customers.partition import Partition
from detectors.columns import Column, Columns
from detectors.features import CATALOGUE, FEATURES
from detectors.registry import DETECTORS
from engine.model_inputs import LEARNED
from rules.load import Configuration
from rules.plans import book_of
from rules.signals import features_of

SHOWN: Final = (*(feature.name for feature in FEATURES), *("signal." + name for name in DETECTORS))
_LABELS: Final = tuple(feature.name for feature in FEATURES if feature.kind == "category" and not feature.values)
_CLASSES: Final = ("value_class", "lifecycle", "needs", "loyalty", "rfm", "clv")  # settings that features take


class Definitions:
    """`columns` work one out from others, by `params`; `place` is where each stands in a row that is shown."""

    def __init__(self, partition: Partition, configuration: Configuration) -> None:
        settings = configuration.settings
        self._labels = partition.profiles.labels
        self._plans = book_of(configuration.plans)
        self.params: dict[str, Any] = {
            **{name: msgspec.to_builtins(getattr(settings, name)) for name in _CLASSES},
            "plans": self._plans,
        }
        self.signals = features_of(settings.signals)
        self.features = {**CATALOGUE, **{feature.name: feature for feature in self.signals}}
        self.learned = (*LEARNED, *self.signals)
        self.shown = (*SHOWN, *(feature.name for feature in self.signals))
        self.place = {name: place for place, name in enumerate((*self.shown, "risk"))}
        self.learned_places = np.array([self.place[feature.name] for feature in self.learned])
        self.columns: dict[str, Callable[[Columns], Column]] = {
            feature.name: feature.of for feature in self.features.values()
        }
        for name, detector in DETECTORS.items():
            self.columns["signal." + name] = _signal(name)
            self.params[name] = dict(detector.params)

    def sync(self) -> None:
        """Take in plans that are new."""
        plans = self._labels["plan"]
        self._plans.learn(plans.count, plans.text)

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        feature = self.features.get(name)
        if feature is not None and feature.values:
            return float(feature.values.index(text)) if text in feature.values else np.nan
        if name == "better_plan":
            return float(self._plans.names.index(text)) if text in self._plans.names else np.nan
        row = self._labels[name].find(text) if name in _LABELS else None
        return np.nan if row is None else float(row)

    def text(self, name: str, code: float) -> str | None:
        """The text of a category's code."""
        if code != code:
            return None
        feature = self.features[name]
        if name == "better_plan":
            return self._plans.names[int(code)]
        return feature.values[int(code)] if feature.values else self._labels[name].text(int(code))


def _signal(name: str) -> Callable[[Columns], Column]:
    detector = DETECTORS[name]
    return lambda m: detector.strength(m, m.params[name])
