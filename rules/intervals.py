"""What simple conditions allow, feature by feature: can two be true at once, can one be true at all?

A condition is brought into alternatives (or of ands). An alternative whose comparisons each hold one feature against
constants is a box of intervals and sets; anything else is left unjudged, so what is said here is certain as far as the
features are independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise, product

from rules.arithmetic import Chosen, Constant, Feature, Number
from rules.conditions import Condition, Joined, Unless, leaves
from rules.feature_types import Schema
from rules.leaves import Compare, Flag, Known, Leaf, Member, OneOf, Since

MOST_ALTERNATIVES = 200
Point = str | float | bool | None
Witness = dict[str, Point]
"""A value of each feature concerned; None stands for unknown."""


Choice = tuple[str, str]
"""A category and its text, for which a parameter has a value of its own."""


def choices(condition: Condition) -> set[Choice]:
    """All that parameters of the condition have values of their own for."""
    chosen = [side for leaf in leaves(condition) if isinstance(leaf, Compare) for side in (leaf.left, leaf.right)]
    return {(feature, text) for side in chosen if isinstance(side, Chosen) for feature, text, _ in side.cases}


def settled(condition: Condition, where: Choice | None) -> Condition:
    """The condition with its parameters' values for customers of one class (None: of none that is named)."""
    if isinstance(condition, Joined):
        return Joined(condition.op, tuple(settled(part, where) for part in condition.parts))
    if isinstance(condition, Compare):
        left, right = (_settled_side(side, where) for side in (condition.left, condition.right))
        return Compare(condition.op, left, right, condition.span)
    return condition


def _settled_side(side: Number, where: Choice | None) -> Number:
    if not isinstance(side, Chosen):
        return side
    return Constant(next((value for feature, text, value in side.cases if (feature, text) == where), side.value))


def overlap(a: Condition, b: Condition, schema: Schema) -> Witness | None:
    """Values at which both conditions are true, or None when there are none or it cannot be told simply."""
    first, second = alternatives(a), alternatives(b)
    if len(first) * len(second) > MOST_ALTERNATIVES:
        return None
    for one, other in product(first, second):
        both = [*one, *other]
        if all(_simple(leaf) for leaf in both) and (found := _point(both, schema)) is not None:
            return found
    return None


def impossible(condition: Condition, schema: Schema) -> bool:
    """Whether the condition can never be true, as far as its simple comparisons show."""
    found = alternatives(condition)
    return bool(found) and all(_point([leaf for leaf in one if _simple(leaf)], schema) is None for one in found)


def alternatives(condition: Condition) -> list[list[Leaf]]:
    """The condition as or of ands; empty when that grows beyond reason."""
    if isinstance(condition, Unless):
        return []
    if not isinstance(condition, Joined):
        return [[condition]]
    parts = [alternatives(part) for part in condition.parts]
    if not all(parts):
        return []
    if condition.op == "or":
        return [one for part in parts for one in part]
    if math.prod(len(part) for part in parts) > MOST_ALTERNATIVES:
        return []
    return [[leaf for one in chosen for leaf in one] for chosen in product(*parts)]


def _simple(leaf: Leaf) -> bool:
    if isinstance(leaf, Compare):
        return isinstance(leaf.left, Feature) and isinstance(leaf.right, Constant)
    if isinstance(leaf, Since):
        return False
    if isinstance(leaf, OneOf):
        return isinstance(leaf.number, Feature) and all(isinstance(one, Constant) for one in leaf.options)
    return True


def _point(found_leaves: Sequence[Leaf], schema: Schema) -> Witness | None:
    """Values at which all simple leaves are true, or None."""
    by_feature: dict[str, list[Leaf]] = {}
    for leaf in found_leaves:
        by_feature.setdefault(min(leaf.features), []).append(leaf)
    witness: Witness = {}
    for name, about in by_feature.items():
        known = [leaf.wanted for leaf in about if isinstance(leaf, Known)]
        if False in known:
            if len(set(known)) > 1 or len(known) < len(about):
                return None
            witness[name] = None
            continue
        found = _value(about, schema[name].values)
        if found is None:
            return None
        witness[name] = found
    return witness


def _value(about: Sequence[Leaf], closed: Sequence[str]) -> Point:
    """A known value that makes all leaves about one feature true, or None."""
    if any(isinstance(leaf, Member) for leaf in about):
        return _text([leaf for leaf in about if isinstance(leaf, Member)], closed)
    flags = {leaf.wanted for leaf in about if isinstance(leaf, Flag)}
    if flags:
        return flags.pop() if len(flags) == 1 else None
    return _number(about)


def _text(members: Sequence[Member], closed: Sequence[str]) -> str | None:
    wanted = [set(one.texts) for one in members if one.wanted]
    refused = {text for one in members if not one.wanted for text in one.texts}
    candidates: Iterable[str] = sorted(set.intersection(*wanted)) if wanted else closed or ("another value",)
    return next((text for text in candidates if text not in refused), None)


def _number(about: Sequence[Leaf]) -> float | None:
    """The first candidate that satisfies all: the constants themselves, points between them and beyond both ends."""
    constants = sorted({value for leaf in about for value in _constants(leaf)})
    if not constants:
        return 0.0
    between = [(a + b) / 2 for a, b in pairwise(constants)]
    candidates = [*between, constants[0] - 1, constants[-1] + 1, *constants]
    return next((value for value in candidates if all(_true(leaf, value) for leaf in about)), None)


def _constants(leaf: Leaf) -> list[float]:
    if isinstance(leaf, Compare) and isinstance(leaf.right, Constant):
        return [leaf.right.value]
    return [one.value for one in leaf.options if isinstance(one, Constant)] if isinstance(leaf, OneOf) else []


def _true(leaf: Leaf, value: float) -> bool:
    if isinstance(leaf, OneOf):
        return (value in _constants(leaf)) is leaf.wanted
    if not isinstance(leaf, Compare):
        return True
    bound = _constants(leaf)[0]
    return {
        "<": value < bound,
        "<=": value <= bound,
        ">": value > bound,
        ">=": value >= bound,
        "==": value == bound,
        "!=": value != bound,
    }[leaf.op]
