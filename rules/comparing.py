"""Two versions of a rule set, in words: what was added, removed, and what changed in each rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rules.durations import Duration, WorkingTime
from rules.moments import date_of
from rules.rulefile import Param
from rules.ruleset import Rule, RuleSet
from rules.thresholds import Written

_SPANS: Final = {"hold_for": "for", "keep_firing_for": "keep_firing_for", "cooldown": "cooldown"}
_WORDS: Final = (
    "tier",
    "mode",
    "status",
    "queue",
    "cause",
    "reason",
    "sayable",
    "held",
    "alert",
    "group",
    "evidence",
    "actions",
)


def differences(old: RuleSet, new: RuleSet) -> Iterator[str]:
    """One line per difference, in the order of rule ids."""
    before = {rule.id: rule for rule in (*old.rules, *old.switched_off)}
    after = {rule.id: rule for rule in (*new.rules, *new.switched_off)}
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name}: removed ({before[name].tier})"
        elif name not in before:
            yield f"{name}: added ({after[name].tier}, {after[name].mode}): {_flat(after[name].expr.text)}"
        else:
            yield from (f"{name}: {line}" for line in changes(before[name], after[name]))


def changes(old: Rule, new: Rule) -> Iterator[str]:
    """What differs between two versions of one rule."""
    yield from _parameters(old.params, new.params)
    for key, a, b in (("expr", old.expr.text, new.expr.text), ("clear_expr", old.clear.text, new.clear.text)):
        if _flat(a) != _flat(b):
            yield f"{key}: {_flat(a)} -> {_flat(b)}"
    for name, key in _SPANS.items():
        a, b = getattr(old, name), getattr(new, name)
        if a != b:
            yield f"{key}: {Duration(a)} -> {Duration(b)} ({'longer' if b > a else 'shorter'})"
    for name in _WORDS:
        a, b = getattr(old, name), getattr(new, name)
        if a != b:
            yield f"{name}: {_shown(a)} -> {_shown(b)}"
    for name in ("ack_within", "resolve_within"):
        a, b = getattr(old, name), getattr(new, name)
        if a != b:
            yield f"{name}: {'-' if a is None else WorkingTime(a)} -> {'-' if b is None else WorkingTime(b)}"
    yield from _validity(old, new)
    if old.text != new.text:
        yield "text: changed"


def _validity(old: Rule, new: Rule) -> Iterator[str]:
    for name in ("valid_from", "valid_to"):
        a, b = getattr(old, name), getattr(new, name)
        if a != b:
            yield f"{name}: {'-' if a is None else date_of(a)} -> {'-' if b is None else date_of(b)}"
    before, after = ({one.name: one for one in rule.exceptions} for rule in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"exception {name}: removed"
        elif name not in before:
            yield f"exception {name}: added: {_flat(after[name].expr.text)}"
        elif (before[name].expr.text, before[name].until) != (after[name].expr.text, after[name].until):
            yield f"exception {name}: changed"


def _parameters(old: Mapping[str, Written], new: Mapping[str, Written]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"params.{name}: removed"
        elif name not in old:
            yield f"params.{name}: added, {_value(new[name])}"
        elif old[name] != new[name]:
            yield f"params.{name}: {_value(old[name])} -> {_value(new[name])}"


def _value(written: Written) -> str:
    if not isinstance(written, Param):
        return _shown(written)
    cases = [f"{text} {_shown(value)}" for by in written.by.values() for text, value in by.items()]
    return _shown(written.value) + (f" ({', '.join(cases)})" if cases else "")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _flat(text: str) -> str:
    return " ".join(text.split())
