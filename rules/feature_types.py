"""What a rule may name: the kind, unit and values of each feature.

The catalogue of features (`detectors/`) is turned into such a schema by whoever wires the engine; rules never ask where a
number comes from, only what it is. Bools travel as 0/1 and categories as codes, because every column is float64 with NaN
for unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "bool", "category"]


@dataclass(frozen=True, slots=True)
class FeatureType:
    """One feature as rules see it.

    `unit` is that of the catalogue ("days", "ratio", "mb", "money" ...; empty when it has none). `values` are the texts a
    closed category may take; an empty tuple means that any text may turn up.
    """

    kind: Kind = "number"
    unit: str = ""
    values: tuple[str, ...] = ()


Schema = Mapping[str, FeatureType]
