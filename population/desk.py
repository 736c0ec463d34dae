"""Opens, updates and resolves incidents: one at a time for each kind and scope, written out for all who read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from events.times import rfc3339
from population.crowd import Crowd, Customers
from population.findings import Finding
from population.incident import MOST_LISTED, Incident, IncidentKind, IncidentStatus, Known, notice


class IncidentDesk:
    """The newest incident of each kind and scope; `utc_offset` (µs) makes local times for people."""

    def __init__(self, utc_offset: int, versions: Mapping[str, str]) -> None:
        self._offset = utc_offset
        self._versions = versions
        self.known: dict[tuple[str, str], Known] = {}
        self.out: list[Incident] = []

    def take(self) -> list[Incident]:
        """The revisions since the last call."""
        out, self.out = self.out, []
        return out

    def is_open(self, kind: IncidentKind, scope: str) -> bool:
        """Whether one is open."""
        one = self.known.get((kind.value, scope))
        return one is not None and not one.resolved

    def open(
        self, kind: IncidentKind, scope: str, started: int, at: int, customers: Customers, crowd: Crowd
    ) -> Known | None:
        """A new incident; None where it is the last one of the scope told again."""
        old = self.known.get((kind.value, scope))
        if old is not None and (not old.resolved or old.started_at == started):
            return None
        one = self.known[kind.value, scope] = Known(kind.value, scope, started)
        self._say(one, IncidentStatus.OPENED, at, customers, crowd)
        return one

    def reopen(
        self, kind: IncidentKind, scope: str, at: int, customers: Customers, crowd: Crowd, within: int
    ) -> Known | None:
        """The last incident of the scope goes on, if it was over no longer than `within` (µs) ago; else None."""
        one = self.known.get((kind.value, scope))
        if one is None or not one.resolved or at - one.over_at > within:
            return None
        one.resolved = False
        self._say(one, IncidentStatus.REOPENED, at, customers, crowd, one.customers)
        return one

    def update(
        self, kind: IncidentKind, scope: str, at: int, customers: Customers, crowd: Crowd, least: int = 0
    ) -> None:
        """It has grown to these customers, or to `least` if those are more."""
        self._say(self.known[kind.value, scope], IncidentStatus.UPDATED, at, customers, crowd, least)

    def resolve(self, kind: IncidentKind, scope: str, at: int, customers: Customers, crowd: Crowd) -> Known:
        """It is over."""
        one = self.known[kind.value, scope]
        one.resolved, one.over_at = True, at
        self._say(one, IncidentStatus.RESOLVED, at, customers, crowd, one.customers)
        return one

    def _say(
        self, one: Known, status: IncidentStatus, at: int, customers: Customers, crowd: Crowd, least: int = 0
    ) -> None:
        one.revision += 1
        one.customers = max(len(customers), least)
        one.high_value = crowd.high_value(customers, at)
        ids = [crowd.customer_id(customer) for customer in customers[:MOST_LISTED].tolist()]
        self.out.append(self.written(one, status, ids))

    def written(self, one: Known, status: IncidentStatus, ids: list[str]) -> Incident:
        """An incident as it goes out; `ids` of whom it concerns."""
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=one.started_at + self._offset)
        return Incident(
            incident_id=one.incident_id,
            revision=one.revision,
            status=status,
            kind=IncidentKind(one.kind),
            scope=one.scope,
            started_at=rfc3339(one.started_at),
            customers=one.customers,
            customer_ids=ids,
            high_value=one.high_value,
            suggested_notice=notice(
                one.kind, one.scope, f"{start:%Y-%m-%d %H:%M}", resolved=status is IncidentStatus.RESOLVED
            ),
            versions=dict(self._versions),
        )

    def take_over(self, finding: Finding) -> None:
        """Know what was found for all partitions, and say nothing of it."""
        over = finding.status == IncidentStatus.RESOLVED
        self.known[finding.kind, finding.scope] = Known(
            finding.kind, finding.scope, finding.started_at, finding.revision, over, finding.at, finding.least
        )

    def forget(self, before: int) -> None:
        """Drop what was over and began before that time (µs)."""
        self.known = {k: one for k, one in self.known.items() if not one.resolved or one.started_at >= before}

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [msgspec.to_builtins(one) for one in self.known.values()]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        found = [msgspec.convert(one, Known) for one in saved]
        self.known = {(one.kind, one.scope): one for one in found}
