"""Which of the ten causes a warning names, by stated evidence.

1. The cause that the leading rule names, where its author wrote one.
2. Else the cause with most votes. What the customer said counts most (`TOLD`): the reason of a cancellation, then the
   newest complaint, then a poor answer in a survey, each while it is fresh. Then every detector votes with its strength
   for the causes it speaks for; signs that somebody is going, whatever the cause, count little (`WEAK`). Then the evidence
   of the rules that hold, and what the model adds.
3. Nothing: unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from detectors.catalogue import Feature
from detectors.registry import DETECTORS
from rules.ruleset import Rule
from rules.views import UNKNOWN_CAUSE, View


class Told(NamedTuple):
    """A cause that the customer named: the feature that holds it, its age, for how many days it counts, its votes."""

    feature: str
    age: str
    fresh_days: float
    votes: float


TOLD: Final = (
    Told("cancellation_cause", "cancellation_requested_days", 60.0, 4.0),
    Told("complaint_cause", "days_since_complaint", 75.0, 2.5),
    Told("survey_topic", "days_since_dissatisfied", 75.0, 1.0),
)
WEAK: Final = {
    "leaving": 0.25,
    "usage_collapse": 0.2,
    "silence": 0.2,
    "complaint_pressure": 0.5,
    "dissatisfaction": 0.3,
    "payment_stress": 0.5,
    "contract_end": 0.4,
    "plan_misfit": 0.5,
    "anomaly": 0.1,
}
"""Detectors whose strength says little about the cause; the others count in full."""
OWN_PRICE: Final = ("price_change", "bill_shock")
"""Without one of these a complaint about the price compares us with others: nothing has changed here."""
_RULE_VOTES: Final = 0.3
_MODEL_VOTES: Final = 0.3
_LEAST_STRENGTH: Final = 0.5
_MOST_STRENGTH: Final = 2.0


def cause_of(rules: Sequence[Rule], view: View, features: Mapping[str, Feature]) -> str:
    """The cause of a warning that these rules hold up, the strongest first."""
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
) -> Iterator[tuple[float, tuple[str, ...]]]:
    for told in TOLD:
        cause, age = view.value(told.feature), view.value(told.age)
        fresh = isinstance(age, float) and age <= told.fresh_days
        if isinstance(cause, str) and cause != UNKNOWN_CAUSE and fresh:
            elsewhere = cause == "plan_price" and not any(_speaks(view, name) for name in OWN_PRICE)
            yield told.votes, ("competitor_price" if elsewhere else cause,)
    for name, detector in DETECTORS.items():
        if strength := _speaks(view, name):
            yield WEAK.get(name, 1.0) * min(strength, _MOST_STRENGTH), detector.causes
    for rule in rules:
        for name in rule.evidence:
            if name in features and features[name].causes:
                yield _RULE_VOTES / len(rule.evidence), features[name].causes
    for name, added in view.contributions():
        if name in features and features[name].causes:
            yield _MODEL_VOTES * added, features[name].causes


def _speaks(view: View, detector: str) -> float:
    """The strength of a detector that has something to say, else 0."""
    strength = view.value("signal." + detector)
    return strength if isinstance(strength, float) and strength >= _LEAST_STRENGTH else 0.0
