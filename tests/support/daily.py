"""Recorded daily rows, decoded: what stands there of each customer, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streams.daily_rows import Gone, Head, RowColumns, read
from streams.day_files import day_files

Row = dict[str, Any]


class Day:
    """All that the files of one day say: rows by pseudonym, and who left."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.gone: set[Gone] = set()
        self.heads: list[Head] = []


def decoded(folder: Path) -> dict[str, Day]:
    """Every day of a folder; a customer may stand there once a day."""
    days: dict[str, Day] = {}
    for path in day_files((str(folder),)) or ():
        head, blocks = read(path)
        day = days.setdefault(head.day, Day())
        day.heads.append(head)
        day.gone.update(head.gone)
        for block in blocks:
            for pseudonym, row in rows_of(block, head):
                assert pseudonym not in day.rows
                day.rows[pseudonym] = row
    return days


def rows_of(block: Any, head: Head) -> list[tuple[int, Row]]:
    """A block's rows, categories as texts, what is unknown as None."""
    pseudonyms = np.frombuffer(block.customers, np.uint64).tolist()
    columns = RowColumns(block, np.arange(len(pseudonyms)), {})
    values = {name: columns[name].tolist() for name in head.features}
    asleep, explained = (np.frombuffer(part, np.bool_).tolist() for part in (block.asleep, block.explained))

    def said(name: str, k: int) -> Any:
        value = values[name][k]
        if value != value:
            return None
        return columns.text(name, value) if columns.is_category(name) else value

    return [
        (one, {"asleep": asleep[k], "explained": explained[k], **{name: said(name, k) for name in head.features}})
        for k, one in enumerate(pseudonyms)
    ]


def differences(ours: dict[str, Day], theirs: dict[str, Day]) -> list[str]:
    """What two recordings tell differently of the days that both have; for a message."""
    found = []
    for day in sorted(ours.keys() & theirs.keys()):
        one, other = ours[day], theirs[day]
        found += [f"{day} {who:x}: in one only" for who in one.rows.keys() ^ other.rows.keys()]
        found += [f"{day}: {left} left in one only" for left in one.gone ^ other.gone]
        for who in one.rows.keys() & other.rows.keys():
            a, b = one.rows[who], other.rows[who]
            found += [f"{day} {who:x} {n}: {a.get(n)} {b.get(n)}" for n in a.keys() | b.keys() if a.get(n) != b.get(n)]
    return found
