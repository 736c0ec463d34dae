"""From a syntax tree to conditions whose names and types are known to be right.

Conditions are and, or, not, chained comparisons, `in` and has(..); what they compare is in `operands`.
"""

from __future__ import annotations

import ast

from rules.arithmetic import Constant, Number
from rules.conditions import Always, Condition, joined
from rules.feature_types import FeatureType
from rules.leaves import COMPARISONS, Compare, Flag, Known, Member, OneOf, Span
from rules.operands import CATEGORY, Named, Operand, OperandChecker, described, dotted
from rules.syntax import whole_of

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_UNDECIDED = Always(False)


class Checker(OperandChecker):
    """Checks one condition; see OperandChecker for `faults`."""

    def condition(self, node: ast.expr) -> Condition | Always:
        """A node where a yes or no is needed."""
        if isinstance(node, ast.BoolOp):
            op = "and" if isinstance(node.op, ast.And) else "or"
            return joined(op, [self.condition(part) for part in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.condition(node.operand).negated()
        if isinstance(node, ast.Compare):
            return self._chain(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "has":
            return self._has(node)
        return self._flag(node)

    def _chain(self, node: ast.Compare) -> Condition | Always:
        sides = [node.left, *node.comparators]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return joined("and", [self._comparison(left, op, right) for left, op, right in pairs])

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Condition | Always:
        if isinstance(op, ast.Is | ast.IsNot):
            return self._undecided(right, "write has(x) or not has(x) to ask whether a feature is known")
        name = _COMPARISONS[type(op)]
        span = Span(*whole_of(self._text, left, right))
        if name in ("in", "not in"):
            return self._membership(left, name == "in", right, span)
        return self._typed(name, left, right, span)

    def _compared_with(self, *sides: ast.expr) -> str | None:
        """The unit of whatever side has one."""
        names = [self._schema.get(dotted(side) or "") for side in sides]
        self._category = next(
            (dotted(side) or "" for side, one in zip(sides, names, strict=True) if _is_category(one)), ""
        )
        if self._category:
            return CATEGORY
        return next((unit for unit in map(self.unit_of, sides) if unit), None)

    def _typed(self, op: str, left: ast.expr, right: ast.expr, span: Span) -> Condition | Always:
        known = len(self.faults)
        self._unit = self._compared_with(left, right)
        a, b = self.operand(left), self.operand(right)
        if len(self.faults) > known:
            return _UNDECIDED
        if differ := self.differ(left, right):
            return self._undecided(right, differ)
        if not isinstance(a, Named) and isinstance(b, Named):
            a, b, op, left, right = b, a, _TURNED[op], right, left
        if isinstance(a, Named):
            return self._named(a, op, b, right, span)
        if isinstance(a, str | bool) or isinstance(b, str | bool | Named):
            return self._undecided(left, f"cannot compare {described(a)} with {described(b)}")
        self.doubt(left, right)
        return _compared(op, a, b, span)

    def _named(self, a: Named, op: str, b: Operand, right: ast.expr, span: Span) -> Condition | Always:
        if op not in ("==", "!="):
            return self._undecided(right, f"{described(a)} has no order: use == or !=, or `in [..]` for a category")
        if a.type.kind == "bool" and isinstance(b, bool):
            return Flag(a.name, b if op == "==" else not b, span)
        if a.type.kind == "category" and isinstance(b, str):
            self.check_value(a, b, right)
            return Member(a.name, (b,), op == "==", span)
        if a.type.kind == "category" and isinstance(b, Constant):
            return self._undecided(right, f"`{a.name}` is a text, which stands in quotes: '{b.value:.15g}'")
        return self._undecided(right, f"cannot compare {described(a)} with {described(b)}")

    def _membership(self, left: ast.expr, wanted: bool, right: ast.expr, span: Span) -> Condition | Always:
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            return self._undecided(right, "`in` needs a list of values such as ['high', 'mid']")
        known = len(self.faults)
        self._unit = self._compared_with(left)
        a, items = self.operand(left), [self.operand(item) for item in right.elts]
        if isinstance(a, Named) and a.type.kind == "category" and all(isinstance(item, str) for item in items):
            texts = [item for item in items if isinstance(item, str)]
            for text, item in zip(texts, right.elts, strict=True):
                self.check_value(a, text, item)
            return Member(a.name, tuple(dict.fromkeys(texts)), wanted, span)
        numbers = tuple(item for item in items if isinstance(item, Number))
        if isinstance(a, Number) and not isinstance(a, Constant) and len(numbers) == len(items):
            self.doubt(*right.elts)
            return OneOf(a, numbers, wanted, span)
        if len(self.faults) > known:
            return _UNDECIDED
        return self._undecided(right, f"the list must hold only what {described(a)} can be compared with")

    def _has(self, node: ast.Call) -> Condition | Always:
        name = dotted(node.args[0]) if len(node.args) == 1 and not node.keywords else None
        if name is None or name.startswith("params."):
            return self._undecided(node, "has(..) takes the name of one feature")
        if name not in self._schema:
            return self._undecided(node.args[0], self.no_such(name))
        return Known(name, span=Span(*whole_of(self._text, node, node)))

    def _flag(self, node: ast.expr) -> Condition | Always:
        known = len(self.faults)
        found = self.operand(node)
        if isinstance(found, bool):
            return Always(found)
        if isinstance(found, Named) and found.type.kind == "bool":
            return Flag(found.name, span=Span(*whole_of(self._text, node, node)))
        if len(self.faults) == known:
            self._undecided(
                node, f"a yes or no is needed here, but {described(found)} stands alone: compare it with something"
            )
        return _UNDECIDED

    def _undecided(self, node: ast.AST, message: str) -> Always:
        self.refuse(node, message)
        return _UNDECIDED


def _compared(op: str, a: Number, b: Number, span: Span) -> Condition | Always:
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Always(bool(COMPARISONS[op](a.value, b.value)))
    if isinstance(a, Constant):
        a, b, op = b, a, _TURNED[op]  # one way round, so that rules share the comparison
    return Compare(op, a, b, span)


def _is_category(one: FeatureType | None) -> bool:
    return one is not None and one.kind == "category"
