"""Would-be warnings of shadow rules beside live ones, from what was written of both: files, or the topics of workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from events.contract import CustomerChurned
from events.decode import decode
from events.times import time_of
from rules.early_warning import EarlyWarning, EpisodeStatus
from rules.outcomes import NEVER, EpisodeLine, EpisodeLog, Leaver
from rules.trial import beside

DAY_US: Final = 86_400_000_000
_OVER: Final = (EpisodeStatus.CLEARED, EpisodeStatus.CLOSED)
_LONG_AGO: Final = 0  # when a warning was raised whose first decision is no longer there


def compared(
    live: Iterable[bytes], shadow: Iterable[bytes], events: Iterable[bytes], tiers: Sequence[str], horizon_days: int
) -> dict[str, Any]:
    """By shadow rule what `rules.trial.beside` says. Lines are decisions, and events of which only departures count.

    Raises msgspec.MsgspecError for a line that is no decision.
    """
    numbers: dict[str, int] = {}
    logs, newest = [], 0
    for lines in (live, shadow):
        log, end = log_of(lines, tiers, numbers)
        logs.append(log)
        newest = max(newest, end)
    for customer, at, voluntary in departures(events):
        newest = max(newest, at)
        number = numbers.setdefault(customer, len(numbers))
        for log in logs:
            log.left(Leaver(number, at, True, voluntary))
    return beside(logs[0], logs[1], newest, horizon_days * DAY_US)


def departures(events: Iterable[bytes]) -> list[tuple[str, int, bool]]:
    """Who left when (µs), and whether of their own will; each once. What is no event is passed over: a feed may hold anything."""
    batch = decode(b"\n".join(events), "outcomes", received_at="")
    found = {
        (fact.customer_id, int(batch.events["at"][index]), fact.voluntary is not False)
        for index, fact in batch.facts.items()
        if isinstance(fact, CustomerChurned)
    }
    return sorted(found)


def log_of(lines: Iterable[bytes], tiers: Sequence[str], numbers: dict[str, int]) -> tuple[EpisodeLog, int]:
    """The episodes that decisions speak of, and the newest time (µs). A repeat of a decision counts once; of an episode whose
    first decision is missing, as a topic keeps what is new, it is known that it was open before the next.
    """
    log, newest = EpisodeLog(tiers), 0
    found: dict[str, EpisodeLine] = {}
    for raw in lines:
        one = msgspec.json.decode(raw, type=EarlyWarning)
        at = time_of(one.raised_at, "raised_at")
        newest = max(newest, at)
        line = found.get(one.warning_id)
        if line is None:
            number = numbers.setdefault(one.customer_id, len(numbers))
            line = found[one.warning_id] = EpisodeLine(number, one.held_out, [NEVER] * len(tiers), {})
            log.episodes.append(line)
            if one.revision > 1:
                line.reached[0] = _LONG_AGO
        for rank in range(tiers.index(one.tier) + 1 if one.tier in tiers else 1):
            line.reached[rank] = at if line.reached[rank] == NEVER else line.reached[rank]
        for rule in one.rules:
            line.rules.setdefault(rule.id, at)
        if one.status in _OVER:
            line.ended_at = at
    return log, newest


def in_words(found: dict[str, Any]) -> list[str]:
    """For a terminal, a line for each shadow rule."""
    lines = []
    for rule, figures in found["rules"].items():
        said = f"{rule}: {figures['episodes']} would-be warnings of {figures['customers']} customers"
        said += f"; of {figures['also_live']} a live warning was open, or raised within the horizon"
        said += f" ({figures['live_was_earlier']} no later)"
        if figures["live_rules"]:
            said += ", mostly " + ", ".join(f"{name} {count}" for name, count in figures["live_rules"].items())
        lines.append(said + _good(figures))
    return lines or ["no would-be warnings"]


def _good(figures: dict[str, Any]) -> str:
    if "precision" not in figures:
        return ""
    early = f"{figures['too_early']} too early to judge: their horizon is not over" if figures["too_early"] else ""
    if figures["precision"] is None or not figures["horizons_over"]:
        return f"; no precision yet, {early}" if early else ""
    said = f"; precision {figures['precision']:.2f}, recall {figures['recall'] or 0:.2f}"
    return said + (f"; {early}, and of them only those who left count" if early else "")
