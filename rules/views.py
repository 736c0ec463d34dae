"""One customer at one moment, as reasons, causes and policy see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from rules.expressions import Compiled

UNKNOWN_CAUSE: Final = "unknown"


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

    def incident_id(self) -> str | None:
        """The incident that is open in the customer's cell; None without one."""
        ...

    def contributions(self) -> Sequence[tuple[str, float]]:
        """The features by which the model raises the risk most, with what each adds to the log odds."""
        ...


class Who(Protocol):
    """Names of customers, and how reasons see a row (None: no row, the customer as such)."""

    def customer_id(self, customer: int) -> str: ...
    def account_id(self, customer: int) -> str | None: ...
    def view(self, row: int | None) -> View | None: ...
