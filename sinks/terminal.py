"""What people see in a terminal: progress of a replay, its summary, and the live board of the demo."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, WarningReason

STYLES = ("cyan", "yellow", "bold red")
"""Of the lowest tier and up; more tiers share the first."""

OPEN = {EpisodeStatus.RAISED, EpisodeStatus.ELEVATED}
RECENT = 8
"""Warnings shown on the board."""


class Screen(Console):
    """Standard output. Whoever reads it may have seen enough: raises BrokenPipeError, where a Console would end the program with 1."""

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> NoReturn:
        """Nothing more is written."""
        self.quiet = True
        raise BrokenPipeError


@contextmanager
def progress_bar(console: Console, stored_bytes: int | None) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to be told the stored bytes read and the events so far; shows nothing in a pipe."""
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[events]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=stored_bytes, events="")
        yield lambda done, events: progress.update(task, completed=done, events=f"{events:,} events")


def style_of(tier: str, tiers: Sequence[str]) -> str:
    """The colour of a tier by its place from the top."""
    if tier not in tiers:
        return ""
    return STYLES[max(0, len(STYLES) - len(tiers) + tiers.index(tier))]


def summary(report: Mapping[str, Any], tiers: Sequence[str]) -> RenderableType:
    """A report in a few lines: what came in, what was refused, and episodes by their highest tier."""
    rate = report.get("events_per_second")
    lines = [f"{report['events']:,} events" + (f", {rate:,.0f} a second" if rate else "")]
    if report.get("customers") is not None:
        lines.append(f"{report['customers']:,} customers")
    lines += [f"{report[key]:,} {key.replace('_', ' ')}" for key in ("duplicates", "after_score_at") if report.get(key)]
    lines += [f"{count:,} dead letters: {reason}" for reason, count in report["dead_letters"].items()]
    by_tier = report.get("warnings", {}).get("by_tier", {})
    table = Table(box=None, pad_edge=False, show_header=False)
    for tier in reversed(tiers):
        table.add_row(Text(tier, style_of(tier, tiers)), Text(f"{by_tier.get(tier, 0):,}", justify="right"))
    return Group(*(Text(line) for line in lines), Text("warnings"), table)


class Board:
    """The demo's screen: where the stream is, open warnings by tier, and the newest warnings with their reasons."""

    def __init__(self, tiers: Sequence[str], language: str) -> None:
        self.tiers, self.language = tiers, language
        self.open: dict[str, str] = {}
        self.causes: Counter[str] = Counter()
        self.recent: deque[EarlyWarning] = deque(maxlen=RECENT)
        self.events = 0
        self.rate = 0.0
        self.now = ""

    def update(self, decisions: Iterable[EarlyWarning], now: str, events: int, rate: float) -> None:
        """Take in decisions, the stream's time, events so far and per second."""
        self.now, self.events, self.rate = now, events, rate
        for warning in decisions:
            if warning.held_out:
                continue
            if warning.status in OPEN:
                self.causes[warning.cause] += warning.status == EpisodeStatus.RAISED
                self.open[warning.warning_id] = warning.tier
                self.recent.appendleft(warning)
            else:
                self.open.pop(warning.warning_id, None)

    def __rich__(self) -> RenderableType:
        head = Text(f"{self.now}   {self.events:,} events   {self.rate:,.0f} events/s   Ctrl-C ends", style="dim")
        return Group(head, Panel(self.counts(), title="open warnings"), Panel(self.newest(), title="newest"))

    def counts(self) -> RenderableType:
        """Open warnings by tier, and the commonest causes so far."""
        by_tier = Counter(self.open.values())
        parts = [Text(f"{tier} {by_tier[tier]:,}", style_of(tier, self.tiers)) for tier in reversed(self.tiers)]
        causes = ", ".join(f"{cause} {count:,}" for cause, count in self.causes.most_common(5))
        return Group(
            Text("   ").join(parts), Text(f"raised so far by cause: {causes}" if causes else "none yet", style="dim")
        )

    def newest(self) -> RenderableType:
        """One row each: tier, customer, cause, why, and what may be done."""
        table = Table(box=None, expand=True, pad_edge=False)
        for name in ("tier", "customer", "risk", "cause", "why", "what to do"):
            table.add_column(
                name, ratio=3 if name in {"why", "what to do"} else None, no_wrap=name not in {"why", "what to do"}
            )
        for warning in self.recent:
            table.add_row(
                Text(warning.tier, style_of(warning.tier, self.tiers)),
                Text(warning.customer_id),
                Text("" if warning.risk is None else f"{warning.risk:.2f}"),
                Text(warning.cause),
                Text("; ".join(self.texts(warning.reasons[:2]))),
                Text("; ".join(self.texts(warning.actions[:1]))),
            )
        return table

    def texts(self, entries: Iterable[WarningReason | ProposedAction]) -> Iterator[str]:
        """The texts of reasons or actions in the board's language."""
        return (entry.text[self.language] for entry in entries)
