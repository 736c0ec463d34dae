"""`churn queue ...`: the care queues from a shell (docs/queue.md)."""

from __future__ import annotations

import math
import os
import time
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

import typer

from events.contract import CareOutcome, Cause
from rules.durations import Duration
from sinks.queues.connection import from_environment
from sinks.queues.looking import STATES
from sinks.queues.work import COME_BACK, Resolution, Work
from sinks.terminal import Screen
from streams.commands.queue_view import View
from streams.problems import UsageError, guarded
from streams.who import user

SHOWN = 50
"""Items of a list on a terminal."""
LONGEST_TEXT = {"--agent": 128, "--offer": 500, "--note": 4_000}

queue = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The care queues. Redis is found by CHURN_REDIS_URL.",
)


def readable(given: str | list[str] | None) -> str | list[str] | None:
    """Refuses what is no text: a shell may pass any bytes."""
    for text in [given] if isinstance(given, str) else given or ():
        if not text.isprintable():
            raise typer.BadParameter("is no text")
    return given


def encodable(given: str | None) -> str | None:
    """The same for a text that may have several lines."""
    readable((given or "").split())
    return given


ItemArgument = Annotated[str, typer.Argument(metavar="ID", help="The item's warning_id.", callback=readable)]
AgentOption = Annotated[str | None, typer.Option(help="Who does it; else whoever holds the item.", callback=readable)]
QueueOption = Annotated[
    list[str] | None, typer.Option("--queue", help="Only this queue; may be repeated.", callback=readable)
]
TierOption = Annotated[
    list[str] | None, typer.Option("--tier", help="Only this tier; may be repeated.", callback=readable)
]
QueueArguments = Annotated[list[str], typer.Argument(metavar="QUEUE...", callback=readable)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
LanguageOption = Annotated[Literal["en", "zh-CN"] | None, typer.Option(help="Of reasons and actions; else from LANG.")]


@queue.callback()
def queue_root() -> None:
    """The care queues. Redis is found by CHURN_REDIS_URL."""


@queue.command("list")
@guarded
def list_command(
    queues: QueueOption = None,
    tiers: TierOption = None,
    claimed: Annotated[bool | None, typer.Option("--claimed/--unclaimed", help="Only (un)claimed ones.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=f"So many; {SHOWN} on a terminal, else all.")] = None,
    as_json: JsonOption = False,
    language: LanguageOption = None,
) -> None:
    """Items, the most urgent first; then those claimed, and those that come back later."""
    console, work = Screen(), opened()
    states = STATES if claimed is None else ("claimed",) if claimed else ("ready", "later")
    items = work.queues.listed(queues or (), tiers or (), states)
    most = limit or (SHOWN if console.is_terminal and not as_json else None)
    held = ", ".join(f"{name} ({said})" for name, said in work.queues.paused().items())
    view(language, as_json).items(islice(items, most), f"paused: {held}" if held else "")
    if limit is None and next(items, None) is not None:
        console.print("and more (--limit, --queue, --tier)")


@queue.command("claim")
@guarded
def claim_command(
    item: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Its warning_id; else the most urgent.", callback=readable)
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Who claims it; else the login name.", callback=readable)] = None,
    queues: QueueOption = None,
    tiers: TierOption = None,
    lease: Annotated[str, typer.Option(help="How long it is yours alone.")] = "30m",
    as_json: JsonOption = False,
    language: LanguageOption = None,
) -> None:
    """Take an item for yourself, until you resolve or release it or the time is up."""
    who, lasts = short("--agent", agent) or user(), span("--lease", lease)
    if item is not None and (queues or tiers):
        raise UsageError("give an ID, or --queue and --tier to choose among the most urgent")
    work = opened()
    won = work.claim_next(who, queues or (), tiers or (), lasts) if item is None else work.claim(item, who, lasts)
    view(language, as_json).item(won, f"{won.warning_id} is yours")


@queue.command("ack")
@guarded
def ack_command(
    item: ItemArgument,
    agent: AgentOption = None,
    lease: Annotated[str, typer.Option(help="How long it stays yours from now on.")] = "4h",
    as_json: JsonOption = False,
    language: LanguageOption = None,
) -> None:
    """Say that you are working on a claimed item."""
    acked = opened().ack(item, short("--agent", agent), span("--lease", lease))
    view(language, as_json).item(acked, f"{item} is acknowledged")


@queue.command("release")
@guarded
def release_command(
    item: ItemArgument, agent: AgentOption = None, as_json: JsonOption = False, language: LanguageOption = None
) -> None:
    """Give a claimed item back."""
    released = opened().release(item, short("--agent", agent))
    view(language, as_json).item(released, f"{item} is there for others")


@queue.command("resolve")
@guarded
def resolve_command(
    item: ItemArgument,
    outcome: Annotated[CareOutcome, typer.Option(help="What came of it.")],
    agent: AgentOption = None,
    cause: Annotated[Cause | None, typer.Option(help="The cause as found.")] = None,
    offer: Annotated[str | None, typer.Option(help="What was offered.", callback=readable)] = None,
    offer_cost: Annotated[float | None, typer.Option(min=0, help="What that costs.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything else.", callback=encodable)] = None,
    after: Annotated[str | None, typer.Option(help="unreachable, callback: back after this, such as 2h.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="unreachable, callback: back then (RFC 3339).")] = None,
    as_json: JsonOption = False,
    language: LanguageOption = None,
) -> None:
    """Say what came of an item. It is done with, but for unreachable and callback: those bring it back later."""
    if offer_cost is not None and not math.isfinite(offer_cost):
        raise UsageError("--offer-cost: give an amount")
    said = Resolution(
        outcome=outcome,
        cause=cause,
        offer=short("--offer", offer),
        offer_cost=offer_cost,
        note=short("--note", note),
        back_at=back_at(outcome, after, at),
    )
    resolved = opened().resolve(item, said, short("--agent", agent))
    shown = view(language, as_json)
    back = f", back {shown.when(resolved.back_at)}" if resolved.back_at else ""
    shown.item(resolved, f"{item} is resolved: {outcome}{back}")


@queue.command("pause")
@guarded
def pause_command(
    names: QueueArguments,
    note: Annotated[str | None, typer.Option(help="Why; shown to those who try.", callback=readable)] = None,
) -> None:
    """Let nobody claim from a queue; warnings still arrive, and what is claimed can be resolved."""
    queues = opened().queues
    said = short("--note", note) or f"by {user()}"
    for name in queues.names(names):
        queues.pause(name, said)
        typer.echo(f"{name}\tpaused")


@queue.command("resume")
@guarded
def resume_command(names: QueueArguments) -> None:
    """Let people claim again."""
    queues = opened().queues
    for name in queues.names(names):
        queues.resume(name)
        typer.echo(f"{name}\tresumed")


def opened() -> Work:
    """The queues of CHURN_REDIS_URL; raises QueueUrlError."""
    return Work(from_environment())


def view(language: str | None, as_json: bool) -> View:
    """How to answer."""
    chosen = language or ("zh-CN" if os.environ.get("LANG", "").startswith("zh") else "en")
    return View(Screen(), chosen, time.time(), as_json=as_json)


def span(option: str, text: str) -> int:
    """Milliseconds of a span such as 30m; raises UsageError."""
    try:
        length = int(Duration.parse(text)) // 1_000
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if not length:
        raise UsageError(f"{option} {text}: nothing is that short")
    return length


def short(option: str, text: str | None) -> str | None:
    """A text that is neither blank nor too long; raises UsageError."""
    if text is None:
        return None
    most = LONGEST_TEXT[option]
    if not text.strip() or len(text) > most:
        raise UsageError(f"{option}: give a text of at most {most:,} characters")
    return text


def back_at(outcome: str, after: str | None, at: str | None) -> int | None:
    """When an item is to be back (ms UTC), None for the usual time; raises UsageError."""
    if after is None and at is None:
        return None
    if outcome not in COME_BACK or (after is not None and at is not None):
        raise UsageError("--after or --at says when an item is back: only with unreachable or callback, and not both")
    now = int(time.time() * 1_000)
    if after is not None:
        return now + span("--after", after)
    try:
        chosen = datetime.fromisoformat(at or "")
    except ValueError:
        chosen = None
    if chosen is None or chosen.tzinfo is None or chosen.timestamp() * 1_000 <= now:
        raise UsageError(f"--at {at}: give a time to come, such as 2026-01-31T15:00:00+08:00")
    return int(chosen.timestamp() * 1_000)
