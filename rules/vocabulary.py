"""The names a rule may use, from the feature catalogue: features, `signal.<detector>` and `risk`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from detectors.catalogue import Feature
from rules.feature_types import FeatureType, Kind, Schema

SIGNAL = "signal."
RISK = "risk"


def types_of(features: Iterable[Feature]) -> dict[str, FeatureType]:
    """Features as rules see them."""
    return {one.name: FeatureType(cast("Kind", one.kind), one.unit, one.values) for one in features}


def schema_of(features: Iterable[Feature], detectors: Iterable[str]) -> Schema:
    """The schema of all features, of each detector's strength (1 and above: it fires), and of the model's risk."""
    named = types_of(features)
    signals = {SIGNAL + name: FeatureType() for name in detectors}
    return {**named, **signals, RISK: FeatureType(unit="ratio")}
