"""How a rule that fired found its way into a warning: one of its own, or one that other rules had opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from events.times import rfc3339
from rules.outcomes import EpisodeLine, EpisodeLog


def firings(log: EpisodeLog, customer: int, rule: str) -> list[dict[str, Any]]:
    """Each warning of a customer that the rule was in: when it fired, whether it `joined` a warning that was open, by which
    rules (`opened_by`), whether it `elevated` that to a tier, who holds it up `also`, and how it ended.
    """
    return [_told(log.tiers, line, rule) for line in log.episodes if line.customer == customer and rule in line.rules]


def _told(tiers: Sequence[str], line: EpisodeLine, rule: str) -> dict[str, Any]:
    at = line.rules[rule]
    joined = at > line.raised_at
    higher = [k for k, reached in enumerate(line.reached) if reached == at]
    return {
        "at": rfc3339(at),
        "raised_at": rfc3339(line.raised_at),
        "ended_at": None if line.ended_at is None else rfc3339(line.ended_at),
        "ended_as": line.ended_as,
        "also": " ".join(sorted(line.rules.keys() - {rule})),
        "joined": joined,
        "opened_by": " ".join(sorted(one for one, then in line.rules.items() if then == line.raised_at)),
        "elevated": tiers[higher[-1]] if joined and higher else None,
        "held_out": line.held_out,
    }


def open_beside(lines: Iterable[EpisodeLine], customer: int, at: int) -> dict[str, str] | None:
    """The warning of a customer that was open at a time (µs): since when, and which rules held it up; None for none."""
    line = next((one for one in lines if one.customer == customer and one.open_at(at)), None)
    if line is None:
        return None
    rules = sorted(rule for rule, then in line.rules.items() if then <= at)
    return {"raised_at": rfc3339(line.raised_at), "rules": " ".join(rules)}


def in_words(fired: dict[str, Any]) -> str:
    """One firing in a line; `live` is the live warning that was open beside a rule on trial, or None."""
    said = f"fired at {fired['at']} "
    said += f"until {fired['ended_at']} ({fired['ended_as']})" if fired["ended_at"] else "and is open"
    said += f", with {fired['also']}" if fired["also"] else ""
    if fired["joined"]:
        said += f"; no warning of its own: it joined the one that {fired['opened_by']} raised at {fired['raised_at']}"
        said += f", and elevated it to {fired['elevated']}" if fired["elevated"] else ", which stays at its tier"
    if live := fired["live"]:
        said += f"; if it were live it would join the warning of {live['rules']}, open since {live['raised_at']}"
    return said + ("; held out: nobody is told" if fired["held_out"] else "")
