"""What an engine can tell about itself: scores, the report's figures, the history that `churn report` is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from customers.layout import C, L, T
from customers.partition import Work
from customers.rounds import APPLIED, ELSEWHERE
from engine.parts import DAY_US, Parts
from population.incident import Incident
from rules.ledger import WANTED, History
from rules.trial import beside


def keep(parts: Parts, work: Work) -> None:
    """Let the ledger, where there is one, count what was applied of a batch."""
    if parts.ledger is None or not len(work.clocks):
        return
    parts.ledger.began(int(work.clocks[0]))
    applied = (work.fate == APPLIED) | (work.fate == ELSEWHERE)
    index = np.flatnonzero(WANTED[work.batch.events["kind"]] & applied)
    customers, labels = work.who[index], parts.partition.profiles.labels["region"]
    regions = parts.partition.customers.column("labels", L["region"])[customers].tolist()
    named = [None if region < 0 else labels.text(region) for region in regions]
    parts.ledger.facts(work.batch.events[index], customers, named)


def told(parts: Parts, incidents: Sequence[Incident]) -> Sequence[Incident]:
    """Incidents on their way out; the ledger remembers them."""
    if parts.ledger is not None:
        parts.ledger.warned_of(incidents)
    return incidents


def scores(parts: Parts, at: int) -> Iterator[tuple[str, float | None, str | None]]:
    """As `Engine.scores`."""
    churned = parts.partition.customers.column("codes", C["churned"])
    for rows, count in parts.partition.look(parts.known(), at):
        risk = parts.evaluation.judge(rows, count, learn=False).risk[:count]
        for customer, value in zip(rows.customer[:count].tolist(), risk.tolist(), strict=True):
            known_risk = None if value != value or churned[customer] else value
            yield parts.names.customer_id(customer), known_risk, parts.decider.tier_of(customer)


def report(parts: Parts) -> dict[str, Any]:
    """As `Engine.report`."""
    log, clock, horizon = parts.decider.log, parts.partition.clock, parts.settings.horizon_days * DAY_US
    found: dict[str, Any] = {
        "customers": len(parts.known()),
        "state_bytes_per_customer": round(parts.partition.customers.bytes_per_customer),
        "warnings": log.warnings(),
    }
    if parts.shadow:
        found["shadow"] = beside(log, parts.shadow.decider.log, clock, horizon)
    if log.any_leaver:
        found["outcomes"] = log.outcomes(clock, horizon)
        found["model"] = parts.model.report()
    return found


def history(parts: Parts) -> History:
    """As `Engine.history`."""
    if parts.ledger is None:
        raise ValueError("this engine keeps no ledger")
    first_seen = parts.partition.customers.column("times", T["first_seen"]).astype(np.int64)
    return History(parts.decider.log, parts.ledger, first_seen, parts.partition.clock, parts.settings.horizon_days)
