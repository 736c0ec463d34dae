"""The feature catalogue: each feature is declared once, with all that anyone needs to know of it.

To add a feature, add one `Feature(...)` to the list of the file in `detectors/features/` that it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detectors.columns import Column, Columns
from events.codes import CAUSES


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature. `of` works it out from the measures and other features of many rows at once.

    `kind` is number, bool or category; `values` the words of a closed category, in the order of its codes. `causes` are
    those it can speak for; `learned` says whether the model may see it; `sayable` whether an agent may say it aloud.
    """

    name: str
    unit: str
    window: str
    en: str
    zh: str
    causes: tuple[str, ...]
    of: Callable[[Columns], Column]
    kind: str = "number"
    values: tuple[str, ...] = ()
    learned: bool = True
    sayable: bool = True

    def __post_init__(self) -> None:
        unknown = set(self.causes) - set(CAUSES)
        if unknown:
            raise ValueError(f"feature {self.name}: unknown causes {sorted(unknown)}")


def measure(name: str) -> Callable[[Columns], Column]:
    """A feature that is a measure as it stands."""
    return lambda m: m[name]


def same(
    name: str, unit: str, window: str, en: str, zh: str, *causes: str, measure_name: str = "", sayable: bool = True
) -> Feature:
    """A feature that is a measure as it stands (of the same name, unless said)."""
    return Feature(name, unit, window, en, zh, causes, measure("m." + (measure_name or name)), sayable=sayable)
