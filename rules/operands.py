"""The sides of a comparison: names, literals and arithmetic, looked up in the schema and the parameters.

Every node kind of the language is handled by name and everything else is refused, so that the language is what is listed.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rules.arithmetic import Arithmetic, Chosen, Constant, Feature, Number, apply
from rules.feature_types import FeatureType, Schema
from rules.hints import did_you_mean, nearest
from rules.lookalikes import WORDS, in_chinese_numerals, mend_of_condition
from rules.syntax import ExpressionFault, end_of, offset_of
from rules.thresholds import Parameter, Scalar, threshold
from rules.units import OF_FEATURES, SHARES, Quantity, too_large_a_share
from rules.wording import text_of

__all__ = ["FUNCTIONS", "Named", "Operand", "OperandChecker", "Parameter", "described", "dotted"]

FUNCTIONS = {"abs": (1, 1), "min": (2, 8), "max": (2, 8)}
"""Functions of numbers, with the fewest and most arguments each takes."""

_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_UNKNOWN = Constant(math.nan)
CATEGORY = "a category"
"""In the place of a unit: what is compared with it is a text."""


@dataclass(frozen=True, slots=True)
class Named:
    """A yes/no or category feature as an operand of a comparison."""

    name: str
    type: FeatureType


Operand = Number | Named | str | bool


class OperandChecker:
    """Checks operands of one condition; `faults` holds all that was found, and results mean nothing when there are any."""

    def __init__(
        self,
        text: str,
        schema: Schema,
        params: Mapping[str, Parameter],
        quantities: Mapping[int, Quantity] | None = None,
        currency: str = "CNY",
    ) -> None:
        """`quantities` are the numbers with units that stood in the text, by offset, with names in their places."""
        self.faults: list[ExpressionFault] = []
        self.doubts: list[ExpressionFault] = []  # right, and hardly what is meant
        self._text = text
        self._schema = schema
        self._params = {name: threshold(value) for name, value in params.items()}
        self._quantities = quantities or {}
        self._currency = currency
        self._unit: str | None = None  # of the feature that what is being read is compared with
        self._category = ""  # where that is one

    def unit_of(self, node: ast.expr) -> str | None:
        """The unit of the features of a number; None where there is none or it cannot be told."""
        if isinstance(node, ast.Name | ast.Attribute):
            found = self._schema.get(dotted(node) or "")
            return found.unit or None if found is not None and found.kind == "number" else None
        if isinstance(node, ast.UnaryOp):
            return self.unit_of(node.operand)
        if isinstance(node, ast.Call):
            return next((unit for unit in map(self.unit_of, node.args) if unit), None)
        if isinstance(node, ast.BinOp):
            left, right = self.unit_of(node.left), self.unit_of(node.right)
            if isinstance(node.op, ast.Add | ast.Sub):
                return left or right
            if isinstance(node.op, ast.Div):
                return left if right is None else "ratio" if left == right else None
            return left or right if left is None or right is None else None
        return None

    def differ(self, left: ast.expr, right: ast.expr) -> str:
        """Why two sides of a comparison cannot be compared for their units; empty when they can."""
        a, b = self.unit_of(left), self.unit_of(right)
        if a in OF_FEATURES and b in OF_FEATURES and a != b:
            return f"one side is in {a}, the other in {b}"
        return ""

    def operand(self, node: ast.expr) -> Operand:
        """A node where a value is needed."""
        if isinstance(node, ast.Constant):
            return self._literal(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._name(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self._number(node.operand)
            return self._folded(node, "neg", inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp | ast.Call):
            return self._within(node)
        return self._refused_operand(node)

    def _within(self, node: ast.BinOp | ast.Call) -> Operand:
        """Arithmetic; what is added up shares a unit, what is multiplied has none of its own."""
        outside = self._unit
        try:
            if isinstance(node, ast.Call):
                self._unit = self.unit_of(node) or outside
                return self._call(node)
            if type(node.op) not in _OPERATORS:
                return self._refused_operand(node)
            added = isinstance(node.op, ast.Add | ast.Sub)
            self._unit = (self.unit_of(node) or outside) if added else None
            left, right = self._number(node.left), self._number(node.right)
            return self._folded(node, _OPERATORS[type(node.op)], left, right)
        finally:
            self._unit = outside

    def _refused_operand(self, node: ast.expr) -> Operand:
        if isinstance(node, ast.BoolOp | ast.Compare) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            self.refuse(node, "a yes or no cannot be used as a value: compare numbers or texts")
        else:
            written = self._text[offset_of(self._text, node) : end_of(self._text, node)]
            comma = "; a comma: join by `and` or `or`, and write 0.8 or 5000" if isinstance(node, ast.Tuple) else ""
            self.refuse(node, f"`{written[:40]}` is not part of the condition language{comma}")
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
            return self._parameter(node, name[7:])
        if (found_here := self._quantities.get(offset_of(self._text, node))) is not None:
            return self._plain(node, found_here)
        if name in self._schema:
            found = self._schema[name]
            return Feature(name) if found.kind == "number" else Named(name, found)
        self.refuse(node, self.no_such(name))
        return _UNKNOWN

    def _parameter(self, node: ast.expr, name: str) -> Operand:
        given = self._params[name]
        value = self._plain(node, given.value)
        if not given.cases or not isinstance(value, Constant):
            return value
        cases = [(feature, text, self._plain(node, one)) for feature, text, one in given.cases]
        return Chosen(value.value, tuple((f, text, one.value) for f, text, one in cases if isinstance(one, Constant)))

    def _plain(self, node: ast.expr, value: Scalar) -> Constant | str | bool:
        """A value as a condition takes it: a quantity in the unit of what it is compared with."""
        if isinstance(value, str | bool):
            return value
        if not isinstance(value, Quantity):
            return Constant(float(value))
        if self._unit is CATEGORY:
            return str(value)
        try:
            return Constant(value.within(self._unit or "", self._currency))
        except ValueError as error:
            self.refuse(node, str(error))
        return _UNKNOWN

    def doubt(self, *sides: ast.expr) -> None:
        """Notes each plain number among what a share is compared with that is too large for one: a forgotten `%`."""
        if self._unit not in SHARES:
            return
        for node in sides:
            name = dotted(node) or ""
            given = self._params.get(name[7:]) if name.startswith("params.") else None
            values = (
                [getattr(node, "value", None)] if given is None else [given.value, *(one for *_, one in given.cases)]
            )
            for value in values:
                if isinstance(value, int | float) and (said := too_large_a_share(float(value))):
                    message = said if given is None else f"`{name}`: {said}"
                    self.doubts.append(ExpressionFault(offset_of(self._text, node), message))

    def _call(self, node: ast.Call) -> Operand:
        name = dotted(node.func) or ""
        if name == "has":
            self.refuse(node, "has(..) is a yes or no and cannot be used as a value")
            return _UNKNOWN
        if name not in FUNCTIONS:
            which = f"no function `{name}`" if name else "this is no function"
            self.refuse(node, f"{which}; there are has, {', '.join(FUNCTIONS)}{did_you_mean(name, FUNCTIONS)}")
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
            plain = text_of(a.name, text)
            hint = f"; did you mean `{plain}`?" if plain in a.type.values else did_you_mean(text, a.type.values)
            hint = hint or f"; there are {', '.join(a.type.values)}"
            self.refuse(node, f"`{a.name}` is never {text!r}{hint}")

    def no_such(self, name: str) -> str:
        """The message for a name that is neither feature nor parameter."""
        joined = next((one for one in name if one in WORDS), "")
        if name.startswith("params.") and not joined:
            return f"no parameter `{name}`{did_you_mean(name, [f'params.{one}' for one in self._params])}"
        if name in ("true", "false", "null", "none", "nan") or (name == "unknown" and self._unit is not CATEGORY):
            return (
                f"write {name.title()}" if name in ("true", "false") else "use has(x) to ask whether a feature is known"
            )
        if in_chinese_numerals(name.removeprefix("百分之")):
            return (
                f"no feature `{name}`; write the number in digits{', as in 80%' if name.startswith('百分之') else ''}"
            )
        if name.startswith("百分之"):
            return f"no feature `{name}`; write {name[3:] or '80'}%"
        if joined:
            return f"no feature `{name}`; {mend_of_condition(joined)}, with blanks around it"
        if hint := self._unquoted(name):
            return f"no feature `{name}`; {hint}"
        if name in self._params:
            return f"no feature `{name}`; did you mean `params.{name}`?"
        return f"no feature `{name}`{did_you_mean(name, [*self._schema, *(f'params.{one}' for one in self._params)])}"

    def _unquoted(self, name: str) -> str:
        """What to write where a name is, or nearly is, the text of a category that was left without quotes; or nothing."""
        if self._unit is CATEGORY:
            values = self._schema[self._category].values
            meant = name if not values or name in values else text_of(self._category, name) or nearest(name, values)
            if meant and (values or nearest(name, self._schema) is None):
                return f"a text stands in quotes: '{meant}'"
        of = [feature for feature, one in self._schema.items() if name in one.values]
        return f"`{of[0]} == '{name}'` asks for the text" if of else ""

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
        plain = operand.strip().lstrip("+-").replace(".", "", 1)
        number = " (without quotes it is a number)" if plain.isdecimal() else ""
        comma = plain.replace(",", "").isdecimal() and not number
        return f"the text {operand!r}{number}" + (" (a number with a comma? write 0.8, or 5000)" if comma else "")
    return f"`{operand.key}` (a number)" if isinstance(operand, Feature) else "a number"
