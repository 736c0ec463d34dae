"""The findings in sentences: what a manager reads first, and what has to be known to read the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sinks.report.quality import DRAWS
from sinks.report.words import Say


def summary(findings: Mapping[str, Any], say: Say, name: Callable[[str], str], tiers: Sequence[str]) -> list[str]:
    """Sentences, the most important first."""
    warnings, period = findings["warnings"], findings["period"]
    silent = "pilot" in findings and findings["pilot"]["contacts"]["silent"]
    begin = [say("said_pilot")] if silent else []
    if not warnings["count"]:
        return [*begin, say("said_no_warnings"), *_outcomes(findings, say, name, tiers)]
    top = warnings["by_tier"].get(tiers[-1], {"warnings": 0})["warnings"]
    per_day = f"{warnings['count'] / period['days']:.1f}"
    said = [say("said_warnings", count=f"{warnings['count']:,}", per_day=per_day, top=f"{top:,}", tier=name(tiers[-1]))]
    known = [cause for cause in warnings["by_cause"] if cause != "unknown"]
    if known:
        share = warnings["by_cause"][known[0]]["warnings"] / warnings["count"]
        said.append(say("said_cause", cause=name(known[0]), share=f"{share:.0%}"))
    return begin + said + _outcomes(findings, say, name, tiers)


def _outcomes(findings: Mapping[str, Any], say: Say, name: Callable[[str], str], tiers: Sequence[str]) -> list[str]:
    people, days = findings["customers"], findings["period"]["horizon_days"]
    outcomes = findings["outcomes"]
    if outcomes is None:
        return [say("said_no_outcomes")]
    said = [say("said_left", left=f"{people['left_voluntarily']:,}", other=f"{people['left_otherwise']:,}")]
    middle, lowest = tiers[len(tiers) // 2], outcomes[tiers[0]]
    one = outcomes[middle]
    if one["precision"] is not None:
        said.append(
            say("said_quality", tier=name(middle), precision=_hundred(one["precision"]), days=days,
                random=_hundred(one["at_random"]["precision"]))
        )  # fmt: skip
    if lowest["recall"] is not None and lowest["median_lead_days"] is not None:
        random = lowest["at_random"]["recall"]
        said.append(
            say("said_recall", recall=f"{lowest['recall']:.0%}", days=days, lead=f"{lowest['median_lead_days']:.1f}",
                random="–" if random is None else f"{random:.0%}")
        )  # fmt: skip
    return said if "pilot" in findings else said + _effects(outcomes, say, name)


def _hundred(share: float | None) -> str:
    if share is None:
        return "–"
    return f"{share * 100:.0f}" if share >= 0.1 else f"{share * 100:.1f}"


def _effects(outcomes: Mapping[str, Any], say: Say, name: Callable[[str], str]) -> list[str]:
    """What contacts achieve, as far as a held-out group shows it."""
    said = []
    for tier, one in outcomes.items():
        effect = one["effect"]
        if effect is not None:
            sure = effect["low"] > 0 or effect["high"] < 0
            numbers = {key: f"{effect[key] * 100:.1f}" for key in ("fewer", "low", "high")}
            said.append(say("said_effect" if sure else "said_effect_open", tier=name(tier), **numbers))
    return said or [say("said_unproven")]


def notes(findings: Mapping[str, Any], say: Say) -> list[str]:
    """What the numbers mean and what they cannot tell."""
    period, warnings, outcomes = findings["period"], findings["warnings"], findings["outcomes"]
    days = period["horizon_days"]
    said = []
    if outcomes is not None:
        every = warnings["by_tier"].values()
        unripe = sum(one["warnings"] - one["matured"] for one in every)
        said += [say("note_matured", days=days, open=f"{unripe:,}"), say("note_tiers"), say("note_care")]
        said += [say("note_involuntary"), say("note_recall"), say("note_random", draws=DRAWS), say("note_complaints")]
    said.append(say("note_blind", day=period["counted_since"]))
    if any(not month["whole"] for month in findings["satisfaction"]):
        said.append(say("note_partial"))
    unknown = [warnings[by].get("unknown", {"warnings": 0})["warnings"] for by in ("by_region", "by_value_class")]
    if any(unknown):
        share, value = (f"{n / warnings['count']:.0%}" for n in unknown)
        said.append(say("note_regions", share=share, value=value))
    return [*said, say("note_names")]
