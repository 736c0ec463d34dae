"""Which cause a warning names, by stated evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from support.engines import DEFAULT, configuration

from detectors.features import CATALOGUE
from detectors.registry import DETECTORS
from events.codes import CAUSES
from rules.causes import FACTS, ROUTINE, SUSPENDED, TOLD, WEAK, cause_of
from rules.ruleset import Rule


class Case:
    """A row: values by name, and what the model adds."""

    def __init__(self, values: Mapping[str, Any], added: Sequence[tuple[str, float]] = ()) -> None:
        self._values, self._added = values, added

    def value(self, feature: str) -> float | str | None:
        return self._values.get(feature, float("nan"))

    def normal(self, feature: str) -> float | None:
        return None

    def holds(self, condition: object) -> bool:
        return False

    def incident_id(self) -> str | None:
        return None

    def contributions(self) -> Sequence[tuple[str, float]]:
        return self._added


@cache
def rule(name: str) -> Rule:
    return next(one for one in configuration(DEFAULT).rules.rules if one.id == name)


def named(*rules: str, added: Sequence[tuple[str, float]] = (), **values: Any) -> str:
    plain = {name.replace("signal_", "signal."): value for name, value in values.items()}
    return cause_of([rule(name) for name in rules], Case(plain, added), CATALOGUE)


def test_a_leading_rule_s_cause_is_the_cause():
    assert named("price-rise-signs", complaint_cause="network", days_since_complaint=1.0) == "plan_price"


def test_a_milder_rule_s_cause_is_only_evidence():
    told = {"complaint_cause": "after_sales", "days_since_complaint": 4.0}
    assert named("complaint-waiting", "service-friction", **told) == "after_sales"
    assert named("complaint-waiting", "service-friction") == "process"


def test_what_the_customer_said_comes_before_what_we_see():
    seen = {"signal_network_pain": 2.0}
    assert named("risk-watch", complaint_cause="care", days_since_complaint=9.0, **seen) == "care"
    assert named("risk-watch", complaint_cause="care", days_since_complaint=90.0, **seen) == "network"


def test_blame_of_the_price_without_a_rise_is_a_comparison():
    told = {"complaint_cause": "plan_price", "days_since_complaint": 9.0}
    assert named("risk-watch", **told) == "competitor_price"
    assert named("risk-watch", signal_price_change=1.0, **told) == "plan_price"


@pytest.mark.parametrize("cause", ["care", "personal", "environment", "regulation"])
def test_contacts_that_settle_nothing_are_laid_to_what_they_were_about(cause):
    friction = {"signal_service_friction": 1.2, "contacts_30d": 3.0, "contact_cause": cause}
    assert named("risk-watch", **friction) == cause
    assert named("risk-watch", **(friction | {"contact_cause": "plan_fit"})) == "plan_fit"
    assert named("risk-watch", **(friction | {"contact_cause": "unknown"})) == "process"


def test_an_everyday_contact_says_little():
    assert named("risk-watch", contacts_30d=1.0, contact_cause="plan_fit", signal_network_pain=1.0) == "network"
    assert named("risk-watch", contacts_30d=1.0, contact_cause="regulation", signal_network_pain=1.0) == "regulation"
    assert named("risk-watch", contacts_30d=0.0, contact_cause="regulation", signal_network_pain=1.0) == "network"


@pytest.mark.parametrize(
    ("reason", "cause"), [("fraud", "regulation"), ("request", "environment"), ("arrears", "plan_price")]
)
def test_a_suspension_speaks_by_its_reason(reason, cause):
    assert named("risk-watch", signal_suspension=0.9, suspended_as=reason) == cause


def test_steps_to_leave_do_not_say_why():
    added = [("porting_requested_days", 5.0), ("porting_queries_30d", 3.0)]
    assert named("porting-requested", added=added, days_since_move=20.0) == "environment"


def test_a_region_s_market_decides_only_where_nothing_else_does():
    offer = {"market_competitor_offer_days": 5.0, "market_regulation_days": 9.0}
    assert named("silence", **offer) == "competitor_price"
    assert named("silence", signal_network_pain=1.0, **offer) == "network"
    assert named("silence", market_regulation_days=9.0, days_since_regulator=20.0) == "regulation"


def test_without_any_evidence_it_is_unknown():
    assert cause_of([], Case({}), CATALOGUE) == "unknown"


def test_what_is_named_here_exists():
    assert {one.feature for one in (*TOLD, *FACTS)} | {one.age for one in TOLD} <= set(CATALOGUE)
    assert set(WEAK) <= set(DETECTORS)
    causes = {*ROUTINE, *(c for _, some in SUSPENDED.values() for c in some), *(c for f in FACTS for c in f.causes)}
    assert causes <= set(CAUSES)
    assert set(SUSPENDED) <= set(CATALOGUE["suspended_as"].values)
