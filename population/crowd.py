"""What the watches ask about customers when something is decided; the engine answers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Customers = npt.NDArray[np.int64]


class Crowd(Protocol):
    """The customers of a partition, as of the moment of a decision."""

    def at_home(self, home: int) -> Customers:
        """Those whose home cell this is, who have not left; rows of the state in order of arrival."""
        ...

    def high_value(self, customers: Customers, at: int) -> int:
        """How many of them are of high value at `at` (µs)."""
        ...

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        ...

    def region(self, label: int) -> str:
        """The name of a region."""
        ...

    def plan(self, label: int) -> str:
        """The name of a plan."""
        ...
