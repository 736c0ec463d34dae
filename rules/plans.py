"""The shape of `config/plans.yaml`: the operator's tariffs, by the names that events call them. The file is optional."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from detectors.plans import NO_PLANS, Overage, PlanBook, Tariff
from rules.rulefile import Code, Strict

Amount = Annotated[float, Meta(ge=0)]
_MB_A_GB = 1000.0


class PlanEntry(Strict, frozen=True, kw_only=True):
    """One tariff: fee a month, allowances a month, and the group within which a customer may swap it."""

    fee: Amount
    data_gb: Amount
    minutes: Amount
    group: Code


class OverageEntry(Strict, frozen=True, kw_only=True):
    """Prices beyond the allowances; `most_fees`: at most so many fees of the plan."""

    per_gb: Amount
    per_minute: Amount
    most_fees: Amount = 3.0


class PlansFile(Strict, frozen=True, kw_only=True):
    """plans.yaml. `talk_share`: the share of talk time that allowances count (1: incoming calls too)."""

    version: Annotated[int, Meta(ge=1, le=1)]
    overage: OverageEntry
    talk_share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    plans: dict[str, PlanEntry]

    def book(self) -> PlanBook:
        """The plans as features use them."""
        tariffs = [
            Tariff(name, plan.fee, plan.data_gb * _MB_A_GB, plan.minutes, plan.group)
            for name, plan in self.plans.items()
        ]
        overage = Overage(self.overage.per_gb, self.overage.per_minute, self.overage.most_fees)
        return PlanBook(tariffs, overage, self.talk_share)


def book_of(plans: PlansFile | None) -> PlanBook:
    """The book of a file that may not be there."""
    return NO_PLANS if plans is None else plans.book()
