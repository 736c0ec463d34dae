"""Which clauses of a rule a look once a day cannot tell: what comes and goes within a day is not seen at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from rules.arithmetic import Arithmetic, Constant, Number
from rules.conditions import leaves
from rules.durations import Duration
from rules.expressions import Compiled
from rules.leaves import Compare, Leaf, OneOf
from rules.ruleset import Rule

DAY_US: Final = 86_400_000_000
SHORT: Final = ("1d", "now")
"""Windows of features that are another within the day."""
_SPANS: Final = (("for", "hold_for"), ("keep_firing_for", "keep_firing_for"), ("cooldown", "cooldown"))


class Described(Protocol):
    """What must be known of a feature."""

    @property
    def unit(self) -> str: ...
    @property
    def window(self) -> str: ...


def finer(rule: Rule, features: Mapping[str, Described]) -> list[str]:
    """The clauses and waits of a rule that need more than a day's grain, each with its reason."""
    found = [
        f"{key}: {Duration(getattr(rule, name))}: is no whole number of days"
        for key, name in _SPANS
        if getattr(rule, name) % DAY_US
    ]
    written = {"expr": rule.expr, "clear_expr": rule.clear} | {one.name: one.expr for one in rule.exceptions}
    for key, condition in written.items():
        if key == "clear_expr" and condition.text == f"not ({rule.expr.text})":
            continue  # not written: what clears is the opposite
        found += (f"{key}: {line}" for line in _of(condition, features))
    return list(dict.fromkeys(found))


def _of(condition: Compiled, features: Mapping[str, Described]) -> Iterator[str]:
    for leaf in leaves(condition.condition):
        text = " ".join(condition.text[leaf.span.start : leaf.span.end].split())
        for name in sorted(leaf.features):
            feature = features.get(name)
            if feature is not None and feature.window in SHORT:
                yield f"{text}: {name} is another within the day"
            elif feature is not None and feature.unit == "days" and any(one % 1 for one in _numbers(leaf)):
                yield f"{text}: counts parts of a day"


def _numbers(leaf: Leaf) -> Iterator[float]:
    """The numbers that are written in a comparison."""
    sides: tuple[Number, ...] = ()
    if isinstance(leaf, Compare):
        sides = (leaf.left, leaf.right)
    elif isinstance(leaf, OneOf):
        sides = leaf.options
    for side in sides:
        if isinstance(side, Constant):
            yield side.value
        elif isinstance(side, Arithmetic) and side.name in {"+", "-"}:
            yield from (one.value for one in side.operands if isinstance(one, Constant))
