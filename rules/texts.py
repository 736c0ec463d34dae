"""Texts with values filled in: `Data use at {{ data_mb_7d_vs_own | percent }} of the own normal`.

A template names features or params and at most one filter of the closed set in `formats`; it is checked at load and can
neither call nor compute. Braces that hold anything else are a fault.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rules.feature_types import FeatureType, Kind, Schema
from rules.formats import FILTERS, UNKNOWN_TEXT, YES_NO, Style, written
from rules.hints import did_you_mean
from rules.syntax import MAX_LENGTH, ExpressionFault
from rules.thresholds import Parameter, Scalar, threshold
from rules.units import Quantity
from rules.wording import said

_SLOT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?:\|\s*(\w+)\s*)?", re.ASCII)
_DEFAULT_FILTERS = {"ratio": "percent", "share": "percent", "money": "money", "days": "days"}

Value = float | str | None
"""A value to fill in: a number (NaN unknown; bools 0/1), the text of a category, or None for unknown."""


class TemplateError(ValueError):
    """A text that cannot be used, with every fault found in it."""

    def __init__(self, faults: list[ExpressionFault]) -> None:
        super().__init__("; ".join(f"{fault.offset + 1}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value. `fixed` holds a parameter's value, `cases` those for some customers, the first that holds counting."""

    name: str
    filter: str
    type: FeatureType
    fixed: Value = None
    cases: tuple[tuple[str, str, Value], ...] = ()

    @property
    def features(self) -> frozenset[str]:
        """What it takes to fill it in."""
        return frozenset((self.name,) if self.fixed is None else (feature for feature, _, _ in self.cases))

    def filled(self, values: Mapping[str, Value], style: Style) -> str:
        """The value in words."""
        value = self.fixed if self.fixed is not None else values.get(self.name)
        value = next((one for feature, text, one in self.cases if values.get(feature) == text), value)
        if isinstance(value, str):
            return said(self.name, value, style.language)
        number = math.nan if value is None else value
        if self.type.kind == "number":
            return written(number, self.filter, self.type.unit, style)
        if math.isnan(number) or self.type.kind == "category":
            return UNKNOWN_TEXT[style.language]
        return YES_NO[style.language][number != 0]


@dataclass(frozen=True, slots=True)
class Template:
    """A checked text. `features` are those whose values it shows."""

    parts: tuple[str | Slot, ...]
    features: frozenset[str]

    def render(self, values: Mapping[str, Value], style: Style) -> str:
        """The text with values filled in; a value that is not known becomes a neutral phrase."""
        return "".join(part if isinstance(part, str) else part.filled(values, style) for part in self.parts)


def compile_template(text: str, schema: Schema, params: Mapping[str, Parameter] | None = None) -> Template:
    """Checks a text. Raises TemplateError with every fault found in it."""
    parts: list[str | Slot] = []
    faults: list[ExpressionFault] = []
    if len(text) > MAX_LENGTH:
        faults.append(ExpressionFault(MAX_LENGTH, f"the text is longer than {MAX_LENGTH:,} characters"))
    end = 0
    for found in _SLOT.finditer(text):
        faults += _stray(text[end : found.start()], end)
        parts.append(text[end : found.start()])
        slot = _slot(found[1], schema, params or {})
        if isinstance(slot, str):
            faults.append(ExpressionFault(found.start(), slot))
        else:
            parts.append(slot)
        end = found.end()
    faults += _stray(text[end:], end)
    if faults:
        raise TemplateError(faults)
    parts.append(text[end:])
    features = frozenset().union(*(part.features for part in parts if isinstance(part, Slot)))
    return Template(tuple(part for part in parts if part != ""), features)


def _stray(text: str, start: int) -> list[ExpressionFault]:
    for braces in ("{{", "}}", "{%", "｛", "｝"):
        if (at := text.find(braces)) >= 0:
            return [
                ExpressionFault(start + at, f"`{braces}` stands alone: a value is written {{{{ feature | filter }}}}")
            ]
    return []


def _slot(inside: str, schema: Schema, params: Mapping[str, Parameter]) -> Slot | str:
    """The slot, or what is wrong with it."""
    found = _INSIDE.fullmatch(inside)
    if found is None:
        return f"`{inside.strip()[:40]}` must be a feature's name, or name | filter"
    name, chosen = found[1], found[2]
    typed = _typed(name, schema, params)
    if isinstance(typed, str):
        return typed
    if typed.type.kind != "number":
        return f"`{name}` is no number and takes no filter" if chosen else typed
    return _filtered(typed, chosen)


def _typed(name: str, schema: Schema, params: Mapping[str, Parameter]) -> Slot | str:
    if name.startswith("params.") and name[7:] in params:
        given = threshold(params[name[7:]])
        value, unit = _fixed(given.value)
        cases = tuple((feature, text, _fixed(one)[0]) for feature, text, one in given.cases)
        kind: Kind = "bool" if isinstance(given.value, bool) else "category" if isinstance(value, str) else "number"
        return Slot(name, "", FeatureType(kind, unit), value, cases)
    if name in schema:
        return Slot(name, "", schema[name])
    if name in params:
        return f"no feature `{name}`; did you mean `params.{name}`?"
    return f"no feature `{name}`{did_you_mean(name, [*schema, *(f'params.{one}' for one in params)])}"


def _fixed(value: Scalar) -> tuple[Value, str]:
    """A parameter's value and unit; a share, a span of time or an amount as numbers, other quantities as written."""
    if not isinstance(value, Quantity):
        return value, ""
    for currency in ("CNY", value.unit):  # the unit was looked at with the parameters
        try:
            number, unit = value.natural(currency)
        except ValueError:
            continue
        return (number, unit) if unit in _DEFAULT_FILTERS else (str(value), "")
    return str(value), ""


def _filtered(slot: Slot, chosen: str | None) -> Slot | str:
    name = chosen or _DEFAULT_FILTERS.get(slot.type.unit, "number")
    if name not in FILTERS:
        return f"no filter `{name}`; there are {', '.join(FILTERS)}{did_you_mean(name, FILTERS)}"
    units = FILTERS[name].units
    if slot.fixed is None and units and slot.type.unit not in units:
        return f"`{name}` cannot write `{slot.name}`, which is in {slot.type.unit}"
    return Slot(slot.name, name, slot.type, slot.fixed, slot.cases)
