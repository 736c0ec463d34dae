"""One row as reasons see it, and customers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from customers.layout import L
from customers.partition import Partition
from detectors.columns import Column
from detectors.features import FEATURES
from engine.definitions import Definitions
from rules.expressions import Compiled
from rules.views import View

Added = Sequence[tuple[str, float]]
"""Features and what each adds to the log odds of leaving, most first."""
# Which own normal stands beside a feature in a reason.
_NORMALS: Final[dict[str, str | float]] = {
    **{feature.name: 1.0 for feature in FEATURES if feature.unit == "ratio" and feature.name.endswith("_own")},
    "silence_ratio": 1.0,
    "usage_index": 1.0,
    "bill_amount": "bill_normal",
    "days_since_use": "rhythm_days",
    "silent_days": "rhythm_days",
}


class Names:
    """Ids of customers and accounts of a partition."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._partition.ids.text(customer)

    def account_id(self, customer: int) -> str | None:
        """The account, where one is known."""
        account = int(self._partition.customers.records["labels"][customer, L["account"]])
        return None if account < 0 else self._partition.profiles.labels["account"].text(account)


class Sheet(Mapping[str, Column]):
    """The columns of one row: features, `signal.<detector>`, `risk`."""

    def __init__(self, definitions: Definitions, values: npt.NDArray[np.float64]) -> None:
        self._definitions = definitions
        self._values = values

    def __getitem__(self, name: str) -> Column:
        place = self._definitions.place[name]
        return self._values[place : place + 1]

    def __contains__(self, name: object) -> bool:
        return name in self._definitions.place

    def number(self, name: str) -> float:
        """A column's value in this row."""
        return float(self._values.item(self._definitions.place[name]))

    def learned(self) -> npt.NDArray[np.float64]:
        """What the model sees of the row, apart from attributes."""
        return np.take(self._values, self._definitions.learned_places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions.place)

    def __len__(self) -> int:
        return len(self._definitions.place)

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        return self._definitions.code(name, text)


class Who:
    """The names of customers, and views of rows by `view_of`, where there are rows."""

    def __init__(self, names: Names, view_of: Callable[[int], View] | None) -> None:
        self._names = names
        self._view_of = view_of
        self._seen: tuple[int, View] | None = None

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._names.customer_id(customer)

    def account_id(self, customer: int) -> str | None:
        """The account, where one is known."""
        return self._names.account_id(customer)

    def view(self, row: int | None) -> View | None:
        """A row as reasons see it; None where there is no row."""
        if row is None or self._view_of is None:
            return None
        if self._seen is None or self._seen[0] != row:  # a decision looks at its row more than once
            self._seen = row, self._view_of(row)
        return self._seen[1]


class RowView:
    """One row; `add` tells what the model adds, if anybody asks."""

    def __init__(
        self, definitions: Definitions, sheet: Sheet, incident_id: str | None, add: Callable[[], Added]
    ) -> None:
        self._definitions = definitions
        self._sheet = sheet
        self._incident_id = incident_id
        self._add = add
        self._added: Added | None = None

    def value(self, feature: str) -> float | str | None:
        """A feature's value: number (NaN unknown), or a category's text."""
        if feature not in self._sheet:
            return None
        value = self._sheet.number(feature)
        known = self._definitions.features.get(feature)
        if known is not None and known.kind == "category":
            return self._definitions.text(feature, value)
        return value

    def normal(self, feature: str) -> float | None:
        """What would be normal for this customer; None where there is no such thing."""
        normal = _NORMALS.get(feature)
        if isinstance(normal, str):
            value = self._sheet.number(normal)
            return None if value != value else float(f"{value:.6g}")
        return normal

    def incident_id(self) -> str | None:
        """The incident that is open in the customer's cell."""
        return self._incident_id

    def holds(self, condition: Compiled) -> bool:
        """Whether a condition is definitely true."""
        with np.errstate(all="ignore"):
            return bool(condition.evaluate(self._sheet)[0])

    def contributions(self) -> Added:
        """What the model adds, most first."""
        if self._added is None:
            self._added = self._add()
        return self._added
