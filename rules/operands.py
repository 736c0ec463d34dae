"""The sides of a comparison: names, literals and arithmetic, looked up in the schema and the parameters.

Every node kind of the language is handled by name and everything else is refused, so that the language is what is listed.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rules.arithmetic import Arithmetic, Constant, Feature, Number, apply
from rules.feature_types import FeatureType, Schema
from rules.hints import did_you_mean
from rules.syntax import ExpressionFault, end_of, offset_of

Parameter = float | bool | str
FUNCTIONS = {"abs": (1, 1), "min": (2, 8), "max": (2, 8)}
"""Functions of numbers, with the fewest and most arguments each takes."""

_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_UNKNOWN = Constant(math.nan)


@dataclass(frozen=True, slots=True)
class Named:
    """A yes/no or category feature as an operand of a comparison."""

    name: str
    type: FeatureType


Operand = Number | Named | str | bool


class OperandChecker:
    """Checks operands of one condition; `faults` holds all that was found, and results mean nothing when there are any."""

    def __init__(self, text: str, schema: Schema, params: Mapping[str, Parameter]) -> None:
        self.faults: list[ExpressionFault] = []
        self._text = text
        self._schema = schema
        self._params = params

    def operand(self, node: ast.expr) -> Operand:
        """A node where a value is needed."""
        if isinstance(node, ast.Constant):
            return self._literal(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._name(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self._number(node.operand)
            return self._folded(node, "neg", inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            left, right = self._number(node.left), self._number(node.right)
            return self._folded(node, _OPERATORS[type(node.op)], left, right)
        if isinstance(node, ast.Call):
            return self._call(node)
        return self._refused_operand(node)

    def _refused_operand(self, node: ast.expr) -> Operand:
        if isinstance(node, ast.BoolOp | ast.Compare) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            self.refuse(node, "a yes or no cannot be used as a value: compare numbers or texts")
        else:
            written = self._text[offset_of(self._text, node) : end_of(self._text, node)]
            self.refuse(node, f"`{written[:40]}` is not part of the condition language")
        return _UNKNOWN

    def _literal(self, node: ast.Constant) -> Operand:
        value = node.value
        if isinstance(value, str | bool):
            return value
        if isinstance(value, int | float):
            try:
                if math.isfinite(float(value)):
                    return Constant(float(value))
            except OverflowError:
                pass
            self.refuse(node, "the number is too large")
        elif value is None:
            self.refuse(node, "None is not a value here: use has(x) to ask whether a feature is known")
        else:
            self.refuse(node, "only numbers, texts, True and False can be written here")
        return _UNKNOWN

    def _name(self, node: ast.expr) -> Operand:
        name = dotted(node)
        if name is None:
            return self._refused_operand(node)
        if name.startswith("params.") and name[7:] in self._params:
            value = self._params[name[7:]]
            return value if isinstance(value, str | bool) else Constant(float(value))
        if name in self._schema:
            found = self._schema[name]
            return Feature(name) if found.kind == "number" else Named(name, found)
        self.refuse(node, self.no_such(name))
        return _UNKNOWN

    def _call(self, node: ast.Call) -> Operand:
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name == "has":
            self.refuse(node, "has(..) is a yes or no and cannot be used as a value")
            return _UNKNOWN
        if name not in FUNCTIONS:
            self.refuse(
                node, f"no function `{name}`; there are has, {', '.join(FUNCTIONS)}{did_you_mean(name, FUNCTIONS)}"
            )
            return _UNKNOWN
        fewest, most = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most or any(isinstance(a, ast.Starred) for a in node.args):
            wanted = "one number" if most == 1 else f"{fewest} to {most} numbers"
            self.refuse(node, f"{name}(..) takes {wanted}")
            return _UNKNOWN
        result, *rest = [self._number(argument) for argument in node.args]
        if not rest:
            return self._folded(node, name, result)
        for one in rest:
            result = self._folded(node, name, result, one)
        return result

    def _number(self, node: ast.expr) -> Number:
        known = len(self.faults)
        found = self.operand(node)
        if isinstance(found, Number):
            return found
        if len(self.faults) == known:
            self.refuse(node, f"a number is needed here, not {described(found)}")
        return _UNKNOWN

    def _folded(self, node: ast.expr, name: str, *operands: Number) -> Number:
        if name == "/" and isinstance(operands[1], Constant) and operands[1].value == 0:
            self.refuse(node, "division by zero")
        constants = [one.value for one in operands if isinstance(one, Constant)]
        if len(constants) < len(operands):
            return Arithmetic(name, operands)
        return Constant(float(apply(name, *constants)))

    def check_value(self, a: Named, text: str, node: ast.expr) -> None:
        """Notes a text that a closed category never takes."""
        if a.type.values and text not in a.type.values:
            hint = did_you_mean(text, a.type.values) or f"; there are {', '.join(a.type.values)}"
            self.refuse(node, f"`{a.name}` is never {text!r}{hint}")

    def no_such(self, name: str) -> str:
        """The message for a name that is neither feature nor parameter."""
        if name.startswith("params."):
            return f"no parameter `{name}`{did_you_mean(name, [f'params.{one}' for one in self._params])}"
        if name in ("true", "false", "null", "none", "nan"):
            return (
                f"write {name.title()}" if name in ("true", "false") else "use has(x) to ask whether a feature is known"
            )
        return f"no feature `{name}`{did_you_mean(name, [*self._schema, *(f'params.{one}' for one in self._params)])}"

    def refuse(self, node: ast.AST, message: str) -> None:
        """Notes a fault at a node."""
        fault = ExpressionFault(offset_of(self._text, node), message)
        if fault not in self.faults:  # the middle of a chain is looked at twice
            self.faults.append(fault)


def dotted(node: ast.expr) -> str | None:
    """`a.b` of a name or an attribute of names; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)) is not None:
        return f"{before}.{node.attr}"
    return None


def described(operand: Operand) -> str:
    """An operand in words, for messages."""
    if isinstance(operand, Named):
        return f"`{operand.name}` ({'yes/no' if operand.type.kind == 'bool' else 'a category'})"
    if isinstance(operand, bool):
        return str(operand)
    if isinstance(operand, str):
        return f"the text {operand!r}"
    return f"`{operand.key}` (a number)" if isinstance(operand, Feature) else "a number"
