"""The table of scores: one row per customer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sinks.named import named

FORMULA = re.compile(r"[=@\t\r]|[+-](?![\w.:-]*\Z)")
"""How an id begins that a spreadsheet would run (OWASP, CSV injection); after a sign only what can do more than be a number."""
SPECIAL = re.compile(r"[,\"\r\n]")
HEADER = ("customer_id", "scored_at", "risk", "tier")


def write_scores(path: Path, scored_at: str, scores: Iterable[tuple[str, float | None, str | None]]) -> int:
    """Write `customer_id,scored_at,risk,tier` and give the number of customers; raises OSError.

    A risk that is not known and a customer without an open episode leave their fields empty. Risks are written in full,
    so that customers who differ do not come out equal. An id that a spreadsheet would run as a formula gets a `'` before it.
    """
    count = 0
    with named(path), path.open("w", newline="", encoding="utf-8") as file:
        file.write(",".join(HEADER) + "\n")
        for customer, risk, tier in scores:
            fields = (harmless(customer), scored_at, "" if risk is None else repr(float(risk)), tier or "")
            file.write(",".join(map(quoted, fields)) + "\n")
            count += 1
    return count


def harmless(text: str) -> str:
    """The text as no spreadsheet runs it."""
    return f"'{text}" if FORMULA.match(text) else text


def quoted(text: str) -> str:
    """A field by RFC 4180; the standard library's writer leaves a lone carriage return bare."""
    return '"' + text.replace('"', '""') + '"' if SPECIAL.search(text) else text
