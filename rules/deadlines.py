"""Findings about deadlines the wrong way round: what is worse, or of a customer worth more, would wait longer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from rules.documents import Document, Path
from rules.faults import Fault
from rules.ruleset import Rule
from rules.settings import Settings, TierDeadlines

_CLASSES: Final = ("high", "mid", "low", "other")
"""Value classes, those worth most first; `other` stands for those that have no deadlines of their own, an unknown one included."""
_KEYS: Final = ("ack", "resolve")


class _Row(NamedTuple):
    """The deadlines of a tier for a value class."""

    tier: str
    deadlines: TierDeadlines
    value_class: str

    @property
    def written(self) -> str:
        """The key under which they stand."""
        return self.value_class if getattr(self.deadlines, self.value_class) is not None else "other"

    def span(self, key: str) -> int:
        """Of `ack` or `resolve`, in µs; written as authors do."""
        found: int = getattr(self.deadlines.of(self.value_class), key)
        return found


def late_deadlines(settings: Settings, document: Document) -> Iterator[Fault]:
    """Warnings about `deadlines` of churn.yaml, at most one of each value."""
    found: dict[Path, str] = {}
    rows = {tier: [_Row(tier, settings.deadlines[tier], name) for name in _CLASSES] for tier in settings.tiers}
    for of_tier in rows.values():
        for row in of_tier:
            if row.span("ack") > row.span("resolve"):
                message = f"`ack`, {row.span('ack')}, is more than `resolve`, {row.span('resolve')}"
                found[row.tier, row.written, "ack"] = message
        for sooner, later in pairwise(of_tier[:-1]):
            _compare(found, sooner, later, f"of value class `{sooner.value_class}`", f"`{later.value_class}`")
    for milder, harsher in combinations(settings.tiers, 2):
        clocks = settings.deadlines[harsher].clock, settings.deadlines[milder].clock
        if clocks != ("always", "working"):  # 30 hours of all time may be over before 24 of working time
            for sooner, later in zip(rows[harsher], rows[milder], strict=True):
                there = f"the milder `{milder}` for `{later.written}`"
                _compare(found, sooner, later, f"of the tier `{harsher}`", there)
    for path, message in found.items():
        yield document.warning(("deadlines", *path), message, "deadline-order")


def _compare(found: dict[Path, str], sooner: _Row, later: _Row, here: str, there: str) -> None:
    for key in _KEYS:
        if sooner.span(key) > later.span(key):
            message = f"`{key}` {here}, {sooner.span(key)}, is more than that of {there}, {later.span(key)}"
            found.setdefault((sooner.tier, sooner.written, key), message)


def late_route(rule: Rule, settings: Settings, document: Document, path: Path) -> Iterator[Fault]:
    """A warning where a rule's own deadlines, or one of them and its tier's other one, are the wrong way round."""
    message, key = _route(rule, settings.deadlines[rule.tier])
    if message:
        yield document.warning((*path, "route", key), f"rule `{rule.id}`: {message}", "deadline-order")


def _route(rule: Rule, deadlines: TierDeadlines) -> tuple[str, str]:
    """What is wrong, or nothing, and the key at which."""
    ack, resolve = rule.ack_within, rule.resolve_within
    if ack is not None and resolve is not None:
        wrong = ack > resolve
        return f"`ack_within`, {ack}, is more than `resolve_within`, {resolve}" if wrong else "", "ack_within"
    for row in (_Row(rule.tier, deadlines, name) for name in _CLASSES):
        of = f"of the tier `{rule.tier}` for `{row.written}`"
        if ack is not None and ack > row.span("resolve"):
            return f"`ack_within`, {ack}, is more than the `resolve` {of}, {row.span('resolve')}", "ack_within"
        if resolve is not None and resolve < row.span("ack"):
            return f"`resolve_within`, {resolve}, is less than the `ack` {of}, {row.span('ack')}", "resolve_within"
    return "", ""
