"""What the rows of the model's matrix are: learned features, the operator's signals, attributes of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.catalogue import Feature
from detectors.features import FEATURES

LEARNED: Final = tuple(feature for feature in FEATURES if feature.learned)
CATEGORICAL: Final = tuple(feature.kind == "category" for feature in LEARNED)
ATTRIBUTE: Final = "attribute."


def model_inputs(
    attributes: Mapping[str, tuple[int, str]], signals: Sequence[Feature] = ()
) -> tuple[list[str], list[bool]]:
    """Names and kinds of the rows of the model's matrix: learned features, signals, then attributes by column."""
    ordered = sorted(attributes.items(), key=lambda item: item[1][0])
    names = [feature.name for feature in (*LEARNED, *signals)] + [ATTRIBUTE + name for name, _ in ordered]
    return names, [*CATEGORICAL, *(False for _ in signals), *(kind == "category" for _, (_, kind) in ordered)]
