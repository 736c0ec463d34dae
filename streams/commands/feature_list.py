"""The catalogue of features as people read it: a table, blocks where the terminal is narrow, tabs where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detectors.catalogue import Feature

WIDE: Final = 110
"""Columns from which on a table has room for the longest names."""
HEADS: Final = ("name", "kind", "unit", "window", "meaning", "含义", "causes")
SPREAD: Final = "1% | 10% | median | 90% | 99%"
LEGEND: Final = (
    "ratio: a share, so a half is 0.5 or 50%. class: a text, in quotes: value_class == 'high'. yes/no: stands alone, or after not: vip, not vip.",
    "A number may carry its unit: 5 GB, 30 元, 3 days. What is not known of a customer is neither true nor false; has(x) asks for it.",
)


def list_features(console: Console, features: Sequence[Feature], spread: Mapping[str, str]) -> None:
    """Print them; `spread` says by name how each is distributed, where that is known."""
    if not console.is_terminal:
        heads = (*HEADS, SPREAD) if spread else HEADS
        lines = ["\t".join(heads), *("\t".join(_cells(one, spread)) for one in features)]
        console.file.write("\n".join(lines) + "\n")
        return
    if console.width >= WIDE:
        console.print(_table(features, spread))
    else:
        for part in _blocks(features, spread):
            console.print(part)
    for line in LEGEND:
        console.print(Text(line))


def _cells(one: Feature, spread: Mapping[str, str]) -> Iterable[str]:
    yield from (one.name, one.kind, one.unit, one.window, one.en, one.zh, ",".join(one.causes))
    if spread:
        yield spread[one.name]


def _unit(one: Feature) -> str:
    return {"bool": "yes/no", "category": "class"}.get(one.kind, one.unit)


def _meaning(one: Feature) -> str:
    values = f"\n{', '.join(one.values)}" if one.values else ""
    return f"{one.en}\n{one.zh}{values}"


def _table(features: Sequence[Feature], spread: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("name", "unit", "window"):
        table.add_column(name, no_wrap=True)
    table.add_column("meaning, 含义", overflow="fold")
    table.add_column(SPREAD if spread else "causes", overflow="fold")
    for one in features:
        last = spread[one.name] if spread else " ".join(one.causes)
        table.add_row(*(Text(cell) for cell in (one.name, _unit(one), one.window, _meaning(one), last)))
    return table


def _blocks(features: Sequence[Feature], spread: Mapping[str, str]) -> Iterable[Text | Padding]:
    yield Text(f"name (unit, window), meaning, 含义, {SPREAD if spread else 'causes'}")
    for one in features:
        about = ", ".join(part for part in (_unit(one), one.window) if part)
        yield Text(f"{one.name} ({about})", overflow="fold")
        last = spread[one.name] if spread else " ".join(one.causes)
        yield Padding(Text(f"{_meaning(one)}\n{last}", overflow="fold"), (0, 0, 0, 4))
