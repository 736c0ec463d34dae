"""Why: the rules that hold, what the model adds, the own normal; ranked, in both languages, and the cause they speak for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from detectors.catalogue import Feature
from rules.early_warning import WarningReason
from rules.expressions import Compiled
from rules.formats import Style
from rules.ruleset import Rule

MOST: Final = 5
LANGUAGES: Final = ("en", "zh-CN")
UNKNOWN_CAUSE: Final = "unknown"
_BESIDE: Final = 0.8  # a second piece of evidence of a rule weighs a little less than the first
_MODEL_SCALE: Final = 1.0  # log odds that weigh about two thirds


class View(Protocol):
    """One row as reasons see it."""

    def value(self, feature: str) -> float | str | None:
        """A feature's value: number (NaN unknown), or a category's text."""
        ...

    def normal(self, feature: str) -> float | None:
        """What would be normal for this customer; None where there is no such thing."""
        ...

    def holds(self, condition: Compiled) -> bool:
        """Whether a condition is definitely true of it."""
        ...

    def contributions(self) -> Sequence[tuple[str, float]]:
        """The features by which the model raises the risk most, with what each adds to the log odds."""
        ...


def rounded(value: float | str | None) -> float | str | None:
    """A value for the outside: six significant digits, None for unknown."""
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}")


def cause_of(rules: Sequence[Rule], view: View, features: Mapping[str, Feature]) -> str:
    """The cause the strongest rule names, else the one its evidence speaks for most, else unknown."""
    for rule in sorted(rules, key=lambda rule: -rule.tier_rank):
        if rule.cause is not None and rule.cause != UNKNOWN_CAUSE:
            return rule.cause
    votes: dict[str, float] = {}
    for weight, causes in _evidence(rules, view, features):
        for cause in causes:
            votes[cause] = votes.get(cause, 0.0) + weight / len(causes)
    return max(sorted(votes), key=lambda cause: votes[cause]) if votes else UNKNOWN_CAUSE


def _evidence(
    rules: Sequence[Rule], view: View, features: Mapping[str, Feature]
) -> list[tuple[float, tuple[str, ...]]]:
    told = view.value("complaint_cause")
    named: list[tuple[float, tuple[str, ...]]] = []
    if isinstance(told, str) and told != UNKNOWN_CAUSE:
        named.append((1.0, (told,)))
    for rule in rules:
        named += [(1.0, features[name].causes) for name in rule.evidence if name in features and features[name].causes]
    for name, added in view.contributions():
        if name in features and features[name].causes:
            named.append((added, features[name].causes))
    return named


def reasons(
    rules: Sequence[Rule], view: View, features: Mapping[str, Feature], cause: str, styles: Mapping[str, Style]
) -> tuple[WarningReason, ...]:
    """At most five reasons by falling weight; a feature speaks once."""
    found: dict[str, WarningReason] = {}
    top = max((rule.tier_rank for rule in rules), default=0)
    for rule in rules:
        weight = 0.9 * 0.7 ** (top - rule.tier_rank)
        reason = _of_rule(rule, view, cause, weight, styles)
        _keep(found, reason)
        for name in rule.evidence[1:]:
            weight *= _BESIDE
            if name in features and rounded(view.value(name)) is not None:
                _keep(found, _of_feature(features[name], view, weight, styles))
    for name, added in view.contributions():
        if name in features:
            _keep(found, _of_feature(features[name], view, 1.0 - math.exp(-added / _MODEL_SCALE), styles))
    ranked = sorted(found.values(), key=lambda reason: (-reason.weight, reason.feature, reason.code))
    return tuple(ranked[:MOST])


def _keep(found: dict[str, WarningReason], reason: WarningReason) -> None:
    known = found.get(reason.feature)
    if known is None or reason.weight > known.weight:
        found[reason.feature] = reason


def _of_rule(rule: Rule, view: View, cause: str, weight: float, styles: Mapping[str, Style]) -> WarningReason:
    feature = rule.evidence[0] if rule.evidence else ""
    values = {name: view.value(name) for name in rule.text.features}
    return WarningReason(
        rule.reason,
        rule.cause or cause,
        feature,
        rounded(view.value(feature)) if feature else None,
        view.normal(feature) if feature else None,
        float(f"{weight:.4g}"),
        {language: rule.text.render(values, styles[language]) for language in LANGUAGES},
        rule.sayable,
    )


def _of_feature(feature: Feature, view: View, weight: float, styles: Mapping[str, Style]) -> WarningReason:
    value = rounded(view.value(feature.name))
    cause = feature.causes[0] if feature.causes else UNKNOWN_CAUSE
    shown = value if isinstance(value, str) else _shown(feature, value)
    return WarningReason(
        feature.name,
        cause,
        feature.name,
        value,
        view.normal(feature.name),
        float(f"{weight:.4g}"),
        {"en": f"{feature.en}: {shown}", "zh-CN": f"{feature.zh}:{shown}"},
        feature.sayable,
    )


def _shown(feature: Feature, value: float | None) -> str:
    if value is None:
        return "–"
    if feature.unit == "ratio":
        return f"{value:.0%}"
    number = f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return number if feature.unit in ("class", "yes/no", "") else f"{number} {feature.unit}"
