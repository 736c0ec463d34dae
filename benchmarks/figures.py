"""What is made of measurements: rates, medians, percentiles, and a table that a document can take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Measured(NamedTuple):
    """Some events, the seconds they took, and the seconds of processor time that the process spent on them."""

    events: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / max(self.seconds, 1e-9)

    @property
    def per_cpu(self) -> float:
        """Events per second of processor time: what a busy machine falsifies least."""
        return self.events / max(self.cpu, 1e-9)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 … 1) of the sorted values do not exceed (nearest rank); NaN of none."""
    if not sorted_values:
        return math.nan
    return sorted_values[max(0, math.ceil(share * len(sorted_values) - 1e-9) - 1)]


def ratios(ours: Sequence[Measured | None], theirs: Sequence[Measured | None]) -> tuple[float, float] | None:
    """Medians over the rounds that have both: (of the rates, of the events per second of processor time); None without any."""
    both = [(one, other) for one, other in zip(ours, theirs, strict=True) if one is not None and other is not None]
    if not both:
        return None
    return (
        median(one.rate / other.rate for one, other in both),
        median(one.per_cpu / other.per_cpu for one, other in both),
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned; all but the first are numbers."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join((first, *rest)) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(heads), line(rule), *(line(row) for row in rows)])


def comparison(measured: dict[str, list[Measured | None]], ours: str, aims: dict[str, float]) -> str:
    """The table of everybody's rates over the rounds, with how many times as fast `ours` is, and what is aimed at."""
    rows = []
    for name, of_rounds in measured.items():
        there = [one for one in of_rounds if one is not None]
        pair = ratios(measured[ours], of_rounds)
        rows.append([
            name,
            f"{median(one.events for one in there):,.0f}" if there else "-",
            f"{median(one.rate for one in there):,.0f}" if there else "-",
            f"{median(one.per_cpu for one in there):,.0f}" if there else "-",
            f"{pair[0]:.2f}" if pair and name != ours else "-",
            f"{pair[1]:.2f}" if pair and name != ours else "-",
            f"{aims[name]:g}" if name in aims else "-",
        ])  # fmt: skip
    return table(["", "events", "events/s", "events/CPU s", "ours/it", "ours/it by CPU", "aim"], rows)
