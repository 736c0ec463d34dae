"""Why: the rules that hold, what the model adds, the own normal; ranked, in both languages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from detectors.catalogue import Feature
from rules.early_warning import WarningReason
from rules.formats import UNKNOWN_TEXT, YES_NO, Style, written
from rules.incidents import incident_reason
from rules.ruleset import Rule
from rules.views import UNKNOWN_CAUSE, View
from rules.wording import said

MOST: Final = 5
_FILTERS: Final = {
    "ratio": "percent",
    "money": "money",
    "money/min": "money",
    "days": "days",
    "months": "days",
    "min": "duration",
    "s": "duration",
}
_SYMBOLS: Final = ("MB", "Mbit/s")
LANGUAGES: Final = ("en", "zh-CN")
_BESIDE: Final = 0.8  # a second piece of evidence of a rule weighs a little less than the first
_MODEL_SCALE: Final = 1.0  # log odds that weigh about two thirds


def rounded(value: float | str | None) -> float | str | None:
    """A value for the outside: six significant digits, None for unknown."""
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}")


def reasons(
    rules: Sequence[Rule], view: View, features: Mapping[str, Feature], cause: str, styles: Mapping[str, Style]
) -> tuple[WarningReason, ...]:
    """At most five reasons by falling weight; a feature speaks once, and an open incident is always among them."""
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
        if name in features and rounded(view.value(name)) is not None:
            _keep(found, _of_feature(features[name], view, 1.0 - math.exp(-added / _MODEL_SCALE), styles))
    ranked = sorted(found.values(), key=lambda reason: (-reason.weight, reason.feature, reason.code))
    incident = view.incident_id()
    if incident is not None:
        named = [reason for reason in ranked if reason.feature != "incident_open"][: MOST - 1]
        ranked = sorted([*named, incident_reason(incident)], key=lambda reason: -reason.weight)
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
    shown = {name: _shown(feature, value, style) for name, style in styles.items()}
    return WarningReason(
        feature.name,
        cause,
        feature.name,
        value,
        view.normal(feature.name),
        float(f"{weight:.4g}"),
        {"en": f"{feature.en}: {shown['en']}", "zh-CN": f"{feature.zh}:{shown['zh-CN']}"},
        feature.sayable,
    )


def _shown(feature: Feature, value: float | str | None, style: Style) -> str:
    """A value as people write it: shares as percent, money and spans of time in their words; what is counted says the label."""
    if value is None:
        return UNKNOWN_TEXT[style.language]
    if isinstance(value, str):
        return said(feature.name, value, style.language)
    if feature.kind == "bool":
        return YES_NO[style.language][int(value > 0)]
    if feature.unit == "days" and value == 0.0:  # of such a feature 0 may mean none: no open complaint, nothing overdue
        return "0天" if style.chinese else "0 days"
    if feature.unit in _FILTERS:
        return written(value, _FILTERS[feature.unit], feature.unit, style)
    number = written(value, "number", "", style)
    return f"{number} {feature.unit}" if feature.unit in _SYMBOLS else number
