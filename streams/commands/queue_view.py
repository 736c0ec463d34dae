"""Items of the care queues as people and programs read them: a table, a card, a line with tabs, JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sinks.queues.items import Item

COLUMNS = (
    "warning_id", "queue", "tier", "state", "due", "agent", "claimed_until", "back_at", "customer_id", "cause", "revision",
    "why",
)  # fmt: skip
"""Of a line with tabs, in this order; docs/queue.md names them."""
ID_WIDTH = 24
NEEDS_WIDTH = {"queue": 100, "tier": 0, "due": 0, "who": 0, "customer": 110, "cause": 125}
"""Columns of the table, and how wide the terminal must be for them; the card has everything."""
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_STYLES = {"watch": "cyan", "warning": "yellow", "critical": "bold red"}


class View:
    """Writes items to standard output in one of those ways. `now` is seconds UTC, `language` en or zh-CN."""

    def __init__(self, console: Console, language: str, now: float, *, as_json: bool) -> None:
        self.console, self.language, self.now, self.as_json = console, language, now, as_json

    def items(self, items: Iterable[Item], title: str) -> None:
        """Many: a table on a terminal, else one a line as they come."""
        if self.as_json or not self.console.is_terminal:
            for item in items:
                self._line(item)
            return
        table = Table(box=None, pad_edge=False, title=title or None, title_justify="left")
        table.add_column("id", no_wrap=True, min_width=ID_WIDTH)  # to be copied whole
        names = [name for name, width in NEEDS_WIDTH.items() if self.console.width >= width]
        for name in names:
            table.add_column(name, no_wrap=True)
        table.add_column("why", overflow="fold", min_width=20)
        for item in items:
            cells = self._cells(item)
            table.add_row(item.warning_id, *(cells[name] for name in names), cells["why"])
        self.console.print(table if table.row_count else "nothing there")

    def item(self, item: Item, said: str) -> None:
        """One, after something was done to it: what was done, and on a terminal all that helps to act on it."""
        if self.as_json or not self.console.is_terminal:
            self._line(item)
            return
        self.console.print(Text(said, "bold"))
        if item.state == "claimed":
            self.console.print(self._card(item))

    def _line(self, item: Item) -> None:
        if self.as_json:
            text = msgspec.json.encode(item).decode()
        else:
            of_item = {**item.warning, **msgspec.structs.asdict(item), "why": "; ".join(self._texts(item, "reasons"))}
            fields = (of_item.get(name) for name in COLUMNS)
            text = "\t".join("" if value is None else " ".join(str(value).split()) for value in fields)
        self.console.file.write(text + "\n")

    def _cells(self, item: Item) -> dict[str, str | Text]:
        return {
            "queue": item.queue,
            "tier": Text(item.tier, _STYLES.get(item.tier, "")),
            "due": Text(self.when(item.due), "red" if self._seconds(item.due) < 0 else ""),
            "who": {"claimed": item.agent or "", "later": f"back {self.when(item.back_at)}"}.get(item.state, ""),
            "customer": str(item.warning.get("customer_id", "")),
            "cause": str(item.warning.get("cause", "")),
            "why": "; ".join(self._texts(item, "reasons")[:2]),
        }

    def _card(self, item: Item) -> RenderableType:
        table = Table(box=None, pad_edge=False, show_header=False)
        rows: list[tuple[str, Any]] = [
            ("customer", item.warning.get("customer_id")),
            ("tier", item.tier),
            ("cause", item.warning.get("cause")),
            ("due", self.when(item.due)),
            ("yours", self.when(item.claimed_until).replace("in ", "for ")),
            *(("why", text) for text in self._texts(item, "reasons")),
            *(("to do", text) for text in self._texts(item, "actions")),
        ]
        for name, value in rows:
            table.add_row(Text(name, "dim"), "" if value is None else Text(str(value)))
        return Group(table)

    def _texts(self, item: Item, of: str) -> list[str]:
        return [str(entry["text"].get(self.language, "")) for entry in item.warning.get(of, ())]

    def when(self, time: str | None) -> str:
        """How far a time is from now, roughly: in 25 min, 3 h ago."""
        if time is None:
            return "no time"
        away = self._seconds(time)
        size, unit = next(((n, u) for n, u in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")) if abs(away) >= n), (1, "s"))
        count = f"{int(abs(away) // size)} {unit}"
        return f"in {count}" if away >= 0 else f"{count} ago"

    def _seconds(self, time: str | None) -> float:
        return float("inf") if time is None else datetime.fromisoformat(time).timestamp() - self.now
