"""Parameters as conditions and texts see them: a value, and others of its kind for some classes of customers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.documents import Path
from rules.feature_types import Schema
from rules.hints import did_you_mean
from rules.rulefile import Param
from rules.units import Quantity, full_width, quantity
from rules.wording import text_of

Scalar = float | bool | str | Quantity
Written = float | bool | str | Param


@dataclass(frozen=True, slots=True)
class Threshold:
    """A parameter's value; `cases` are (category feature, its text, the value there), the first that holds counting."""

    value: Scalar
    cases: tuple[tuple[str, str, Scalar], ...] = ()

    @property
    def features(self) -> frozenset[str]:
        """The categories that it depends on."""
        return frozenset(feature for feature, _, _ in self.cases)


Parameter = float | bool | str | Threshold


def threshold(parameter: Parameter) -> Threshold:
    """Any parameter as a threshold; a text that is a number with a unit becomes a quantity."""
    return parameter if isinstance(parameter, Threshold) else Threshold(_read(parameter))


def thresholds(params: Mapping[str, Written]) -> dict[str, Threshold]:
    """Parameters as written, ready for conditions; faults are told by `parameter_faults`."""
    found = {}
    for name, written in params.items():
        param = written if isinstance(written, Param) else Param(value=written)
        cases = [(feature, text, _read(value)) for feature, by in param.by.items() for text, value in by.items()]
        found[name] = Threshold(_read(param.value), tuple(cases))
    return found


def parameter_faults(name: str, written: Written, schema: Schema, currency: str) -> Iterator[tuple[Path, str]]:
    """Where, below the parameter, something is wrong, and what."""
    param = written if isinstance(written, Param) else Param(value=written)
    value: Path = (name, "value") if isinstance(written, Param) else (name,)
    bounds = [((name, key), bound) for key, bound in (("min", param.min), ("max", param.max)) if bound is not None]
    cases = [((name, "by", f, text), one) for f, by in param.by.items() for text, one in by.items()]
    wrong = False
    for path, one in ((value, param.value), *bounds, *cases):
        for message in _misread(one, currency):
            wrong = True
            yield path, message
    for feature, by in param.by.items():
        yield from _unknown_classes(name, feature, tuple(by), schema)
    if wrong:
        return
    for path, one in (*bounds, *cases):
        if _kind(_read(one), currency) != _kind(_read(param.value), currency):
            wrong = True
            yield path, f"`{one}` is not of the kind of the value, `{param.value}`"
    if not wrong and len(bounds) == 2 and _number(param.min, currency) > _number(param.max, currency):
        yield (name, "min"), f"`min`, {param.min}, is more than `max`, {param.max}"
    elif (bounds or cases) and isinstance(_read(param.value), bool | str):
        yield value, "only a number can have bounds, or another value for some customers"
    elif not wrong:
        for path, one in ((value, param.value), *cases):
            yield from ((path, message) for message in _beyond(one, param, currency))


def _unknown_classes(name: str, feature: str, texts: tuple[str, ...], schema: Schema) -> Iterator[tuple[Path, str]]:
    categories = [one for one, typed in schema.items() if typed.kind == "category"]
    if feature not in categories:
        yield (name, "by", feature), f"no category `{feature}`{did_you_mean(feature, categories)}"
        return
    known = schema[feature].values
    for text in texts:
        if known and text not in known:
            meant = text_of(feature, text)
            hint = f"; did you mean `{meant}`?" if meant in known else did_you_mean(text, known)
            hint = hint or f"; there are {', '.join(known)}"
            yield (name, "by", feature, text), f"`{feature}` is never {text!r}{hint}"


def _read(value: float | bool | str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return quantity(value) or value
    return float(value)


def _misread(value: float | bool | str, currency: str) -> Iterator[str]:
    if not isinstance(value, str):
        return
    if (plain := full_width(value)) is not None:
        yield f"`{value}` has full-width characters: write {plain}"
    elif (found := quantity(value)) is not None and re.search(r"[%/\u4e00-\u9fff]|^[^a-z]|^.{1,3}$", found.unit):
        try:
            found.dimension(currency)
        except ValueError as error:
            yield f"`{value}`: {error}"


def _kind(value: Scalar, currency: str) -> str:
    return value.dimension(currency) if isinstance(value, Quantity) else type(value).__name__


def _beyond(value: float | bool | str, param: Param, currency: str) -> Iterator[str]:
    if param.min is not None and _number(value, currency) < _number(param.min, currency):
        yield f"`{value}` is less than `min`, {param.min}"
    if param.max is not None and _number(value, currency) > _number(param.max, currency):
        yield f"`{value}` is more than `max`, {param.max}"


def _number(one: float | bool | str | None, currency: str) -> float:
    read = _read(one) if one is not None else 0.0
    if isinstance(read, Quantity):
        return read.natural(currency)[0]
    return math.nan if isinstance(read, str) else float(read)
