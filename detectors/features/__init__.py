"""All features, theme by theme; the order is the order of the model's inputs."""

from __future__ import annotations

from typing import Final

from detectors.catalogue import Feature
from detectors.features import billing, complaints, contracts, leaving, market, person, plans, service, unusual, usage

FEATURES: Final[tuple[Feature, ...]] = (
    *usage.FEATURES,
    *service.FEATURES,
    *billing.FEATURES,
    *contracts.FEATURES,
    *plans.FEATURES,
    *complaints.FEATURES,
    *leaving.FEATURES,
    *person.FEATURES,
    *unusual.FEATURES,
    *market.FEATURES,
)
CATALOGUE: Final[dict[str, Feature]] = {feature.name: feature for feature in FEATURES}

if len(CATALOGUE) != len(FEATURES):
    raise ValueError("two features of one name")
