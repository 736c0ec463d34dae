"""What a detector is: features in, the strength of one signal out, for many rows at once.

Strength 1 is where the detector fires; 0 where there is nothing; between, how far it has come. NaN: it cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detectors.columns import Column, Columns

Params = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector: `strength(columns, params)` over columns of features; `features` are its evidence, first first."""

    name: str
    en: str
    zh: str
    causes: tuple[str, ...]
    features: tuple[str, ...]
    params: Params
    strength: Callable[[Columns, Params], Column]
