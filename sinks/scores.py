"""The table of scores: one row per customer."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from sinks.named import named

HEADER = ("customer_id", "scored_at", "risk", "tier")


def write_scores(path: Path, scored_at: str, scores: Iterable[tuple[str, float | None, str | None]]) -> int:
    """Write `customer_id,scored_at,risk,tier` and give the number of customers; raises OSError.

    A risk that is not known and a customer without an open episode leave their fields empty. Risks are written in full,
    so that customers who differ do not come out equal.
    """
    count = 0
    with named(path), path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        for customer, risk, tier in scores:
            table.writerow((customer, scored_at, "" if risk is None else repr(float(risk)), tier or ""))
            count += 1
    return count
