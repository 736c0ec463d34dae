"""The condition language of rules: a small subset of Python expressions over feature columns.

`compile_condition` checks a text once, at load; what it returns is evaluated for all rows of a batch together and never
runs the author's text. Unknown (NaN) is neither true nor false: a condition fires only where it is definitely true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rules.columns import BoolArray, Columns, Operand, Sheet
from rules.conditions import Always, Condition, leaves
from rules.feature_types import Schema
from rules.leaves import Compare, Leaf
from rules.operands import Parameter
from rules.syntax import ExpressionError, ExpressionFault, quantities, syntax_tree
from rules.typecheck import Checker

__all__ = ["Clause", "Compiled", "ExpressionError", "ExpressionFault", "Sheet", "compile_condition"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a condition for one row, as asked for by explanations.

    `state` is None where it is unknown. `left` and `right` are the two sides of a comparison of numbers (NaN unknown; for
    other clauses `left` is the column's value and `right` is NaN); `values` the features it rests on.
    """

    text: str
    offset: int
    state: bool | None
    left: float
    right: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked condition. `features` are all it names; `known` those surely known wherever it is true; `doubts` what is
    right in it and hardly what is meant.
    """

    text: str
    condition: Condition
    features: frozenset[str]
    known: frozenset[str]
    doubts: tuple[ExpressionFault, ...] = field(default=(), compare=False)

    def evaluate(self, columns: Columns) -> BoolArray:
        """Where the condition is definitely true; read-only. Pass one Sheet to all conditions of a batch."""
        return self.condition.mask(columns if isinstance(columns, Sheet) else Sheet(columns))

    def negated(self) -> Compiled:
        """The condition that is definitely true where this one is definitely false."""
        opposite = self.condition.negated()
        return Compiled(f"not ({self.text})", opposite, self.features, opposite.known)

    def clauses(self, columns: Columns, row: int) -> tuple[Clause, ...]:
        """Each comparison of the condition at one row, left to right, a `not` above it counted in."""
        sheet = columns if isinstance(columns, Sheet) else Sheet(columns)
        return tuple(_clause(self.text, leaf, sheet, row) for leaf in leaves(self.condition))


def compile_condition(
    text: str, schema: Schema, params: Mapping[str, Parameter] | None = None, currency: str = "CNY"
) -> Compiled:
    """Checks a condition against the schema and the rule's parameters; `currency` is what money is in.

    Raises ExpressionError with every fault that could be found in one go.
    """
    flat, found = quantities(text)
    checker = Checker(flat, schema, params or {}, found, currency)
    condition = checker.condition(syntax_tree(flat))
    if checker.faults:
        raise ExpressionError(checker.faults)
    if isinstance(condition, Always):
        state = str(condition.value).lower()
        raise ExpressionError([ExpressionFault(0, f"the condition is always {state}: no feature can change it")])
    return Compiled(text, condition, condition.features, condition.known, tuple(dict.fromkeys(checker.doubts)))


def _clause(text: str, leaf: Leaf, sheet: Sheet, row: int) -> Clause:
    written = text[leaf.span.start : leaf.span.end]
    true, false = leaf.mask(sheet)[row], leaf.negated().mask(sheet)[row]
    values = {name: float(sheet[name][row]) for name in sorted(leaf.features)}
    left, right = next(iter(values.values())), float("nan")
    if isinstance(leaf, Compare):
        left, right = (_at_row(side.over(sheet), row) for side in (leaf.left, leaf.right))
    return Clause(
        text=f"not ({written})" if leaf.span.negated else written,
        offset=leaf.span.start,
        state=bool(true) if true or false else None,
        left=left,
        right=right,
        values=values,
    )


def _at_row(side: Operand, row: int) -> float:
    return float(side) if np.ndim(side) == 0 else float(np.asarray(side)[row])
