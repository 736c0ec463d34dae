"""Which of the ten causes a warning names, by stated evidence.

1. The cause that a leading rule (one of the highest tier that holds) names, where its author wrote one.
2. Else the cause with most votes. What the customer said counts most (`TOLD`): the reason of a cancellation, then the
   newest complaint, then a poor answer in a survey, each while it is fresh; then what the newest contact was about, which
   says much where it is not what everybody asks (`ROUTINE`). Then every detector votes with its strength for the causes it
   speaks for, those that only tell that somebody may go, whatever the cause, little (`WEAK`). Then single facts (`FACTS`),
   the causes of milder rules, the evidence of the rules that hold, and what the model adds; but steps to leave do not say why.
3. Nothing: unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from detectors.catalogue import Feature
from detectors.features.leaving import FEATURES as OF_LEAVING
from detectors.registry import DETECTORS
from rules.ruleset import Rule
from rules.views import UNKNOWN_CAUSE, View

Vote = tuple[float, tuple[str, ...]]


class Told(NamedTuple):
    """A cause that the customer named: the feature that holds it, its age, for how many days it counts, its votes."""

    feature: str
    age: str
    fresh_days: float
    votes: float


class Fact(NamedTuple):
    """A feature that speaks for causes while it lies between two values."""

    feature: str
    least: float
    most: float
    votes: float
    causes: tuple[str, ...]


TOLD: Final = (
    Told("cancellation_cause", "cancellation_requested_days", 60.0, 4.0),
    Told("complaint_cause", "days_since_complaint", 75.0, 2.5),
    Told("survey_topic", "days_since_dissatisfied", 75.0, 1.0),
)
FACTS: Final = (
    Fact("days_since_move", 0.0, 60.0, 0.8, ("environment",)),
    Fact("complaints_reopened_90d", 1.0, 1e9, 0.5, ("after_sales",)),
    Fact("days_since_regulator", 0.0, 45.0, 0.5, ("after_sales", "regulation")),
    Fact("market_competitor_offer_days", 0.0, 35.0, 0.15, ("competitor_price",)),
    Fact("market_tariff", 1.0, 1.0, 0.15, ("plan_price",)),
    Fact("market_regulation_days", 0.0, 35.0, 0.1, ("regulation",)),
)
"""What everybody of a region shares says little of one customer; it decides only where nothing else does."""
WEAK: Final = {
    "leaving": 0.1,
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
ROUTINE: Final = ("network", "process", "plan_fit", "competitor_price", "plan_price")
"""Contacts about these are everyday: plans, bills, faults."""
SUSPENDED: Final[dict[str, Vote]] = {
    "fraud": (1.0, ("regulation",)),
    "request": (1.0, ("environment",)),
    "arrears": (0.3, ("plan_price",)),
}
"""What a suspension speaks for, by its reason."""
_CONTACT_VOTES: Final = 1.5
_ROUTINE_VOTES: Final = 0.3
_SHARED: Final = 0.5
"""How much of the friction of contacts is laid to what they were about, where it is known."""
_MILDER_VOTES: Final = 0.5
_RULE_VOTES: Final = 0.3
_MODEL_VOTES: Final = 0.3
_LEAST_STRENGTH: Final = 0.5
_MOST_STRENGTH: Final = 2.0
_STEPS: Final = frozenset(feature.name for feature in OF_LEAVING)


def cause_of(rules: Sequence[Rule], view: View, features: Mapping[str, Feature]) -> str:
    """The cause of a warning that these rules hold up, the strongest first."""
    top = max((rule.tier_rank for rule in rules), default=0)
    for rule in rules:
        if rule.tier_rank == top and rule.cause is not None and rule.cause != UNKNOWN_CAUSE:
            return rule.cause
    votes: dict[str, float] = {}
    for weight, causes in _evidence(rules, view, features):
        for cause in causes:
            votes[cause] = votes.get(cause, 0.0) + weight / len(causes)
    return max(sorted(votes), key=lambda cause: votes[cause]) if votes else UNKNOWN_CAUSE


def _evidence(rules: Sequence[Rule], view: View, features: Mapping[str, Feature]) -> Iterator[Vote]:
    for told in TOLD:
        cause, age = _cause(view, told.feature), view.value(told.age)
        if cause is not None and isinstance(age, float) and age <= told.fresh_days:
            yield told.votes, (cause,)
    contact = _contact(view)
    if contact is not None:
        yield _ROUTINE_VOTES if contact in ROUTINE else _CONTACT_VOTES, (contact,)
    yield from _signals(view, contact)
    for fact in FACTS:
        value = view.value(fact.feature)
        if isinstance(value, float) and fact.least <= value <= fact.most:
            yield fact.votes, fact.causes
    for rule in rules:
        if rule.cause is not None and rule.cause != UNKNOWN_CAUSE:  # a milder one: a leading one has decided
            yield _MILDER_VOTES, (rule.cause,)
        for name in rule.evidence:
            if name in features and features[name].causes and name not in _STEPS:
                yield _RULE_VOTES / len(rule.evidence), features[name].causes
    for name, added in view.contributions():
        if name in features and features[name].causes and name not in _STEPS:
            yield _MODEL_VOTES * added, features[name].causes


def _signals(view: View, contact: str | None) -> Iterator[Vote]:
    """The votes of the detectors; `contact`: what the customer's contacts were about."""
    for name, detector in DETECTORS.items():
        strength = min(_speaks(view, name), _MOST_STRENGTH)
        if strength == 0.0:
            continue
        if name == "suspension":
            weight, causes = SUSPENDED.get(str(view.value("suspended_as")), (0.0, ()))
            yield weight * strength, causes
        elif name == "service_friction" and contact not in (None, "process"):
            yield (1.0 - _SHARED) * strength, detector.causes
            yield _SHARED * strength, (str(contact),)
        else:
            yield WEAK.get(name, 1.0) * strength, detector.causes


def _cause(view: View, feature: str) -> str | None:
    """A cause that was named; one's own price blamed without a reason in it is a comparison."""
    cause = view.value(feature)
    if not isinstance(cause, str) or cause == UNKNOWN_CAUSE:
        return None
    elsewhere = cause == "plan_price" and not any(_speaks(view, name) for name in OWN_PRICE)
    return "competitor_price" if elsewhere else cause


def _contact(view: View) -> str | None:
    """What the newest contact of the month was about, as far as it is known."""
    contacts = view.value("contacts_30d")
    return _cause(view, "contact_cause") if isinstance(contacts, float) and contacts > 0 else None


def _speaks(view: View, detector: str) -> float:
    """The strength of a detector that has something to say, else 0."""
    strength = view.value("signal." + detector)
    return strength if isinstance(strength, float) and strength >= _LEAST_STRENGTH else 0.0
