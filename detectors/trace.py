"""Features, detectors and conditions as a program: what they do to numpy columns, written down once instead of done.

They are declared as numpy expressions over columns. Given a `Node` in the place of a column, the same expression notes its
operations instead of carrying them out (numpy's NEP 13 and 18 protocols), and `machine.py` runs the notes over many rows
without a numpy call for each. Equal operations on equal operands are one node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from detectors.columns import Table

ADD, SUB, MUL, DIV, MIN, MAX, FMIN, FMAX = range(8)
LESS, LESS_EQUAL, EQUAL, NOT_EQUAL, WHERE, ISNAN, ABS, NEG, NOT, AND, OR, FINITE, LOOKUP = range(8, 21)
INPUT: Final = -1

_UFUNCS: Final[dict[Any, int]] = {
    np.add: ADD,
    np.subtract: SUB,
    np.multiply: MUL,
    np.true_divide: DIV,
    np.minimum: MIN,
    np.maximum: MAX,
    np.fmin: FMIN,
    np.fmax: FMAX,
    np.less: LESS,
    np.less_equal: LESS_EQUAL,
    np.equal: EQUAL,
    np.not_equal: NOT_EQUAL,
    np.isnan: ISNAN,
    np.absolute: ABS,
    np.negative: NEG,
    np.invert: NOT,
    np.logical_not: NOT,
    np.bitwise_and: AND,
    np.logical_and: AND,
    np.bitwise_or: OR,
    np.logical_or: OR,
    np.isfinite: FINITE,
}
_TURNED: Final[dict[Any, Any]] = {np.greater: np.less, np.greater_equal: np.less_equal}


class Node(NDArrayOperatorsMixin):
    """One operation of a trace; stands where a column stands. A mask is 1 or 0."""

    __slots__ = ("args", "number", "op", "table", "trace")

    def __init__(self, trace: Trace, number: int, op: int, args: tuple[Node | float, ...], table: Table | None) -> None:
        self.trace, self.number, self.op, self.args, self.table = trace, number, op, args, table

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        if ufunc in _TURNED:
            ufunc, inputs = _TURNED[ufunc], inputs[::-1]
        op = _UFUNCS.get(ufunc)
        return NotImplemented if op is None else self.trace.node(op, *inputs)

    def __array_function__(self, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        known = _FUNCTIONS.get(function)
        return NotImplemented if known is None else known(self.trace, *args, **kwargs)

    def lookup(self, table: Table) -> Node:
        """The entry of a table at each value; unknown outside it."""
        return self.trace.node(LOOKUP, self, table=table)


def _where(trace: Trace, mask: Any, yes: Any, no: Any) -> Node:
    return trace.node(WHERE, mask, yes, no)


def _clip(trace: Trace, column: Any, low: float, high: float) -> Node:
    return trace.node(MIN, trace.node(MAX, column, low), high)


def _select(trace: Trace, masks: Any, values: Any, default: float) -> Node:
    result: Any = default
    for mask, value in zip(reversed(masks), reversed(values), strict=True):
        result = trace.node(WHERE, mask, value, result)
    node: Node = result
    return node


_FUNCTIONS: Final[dict[Any, Callable[..., Node]]] = {np.where: _where, np.clip: _clip, np.select: _select}


class Trace:
    """The nodes met so far, in an order in which they can be worked out."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: dict[int, Node] = {}
        self._known: dict[Any, Node] = {}

    def input(self, place: int) -> Node:
        """A column that is given: its place among the inputs."""
        found = self.inputs.get(place)
        if found is None:
            found = self.inputs[place] = self._add(INPUT, (), None)
        return found

    def node(self, op: int, *operands: Any, table: Table | None = None) -> Node:
        """An operation on nodes and numbers."""
        args = tuple(one if isinstance(one, Node) else float(one) for one in operands)
        key = (op, id(table), *(one.number if isinstance(one, Node) else _bits(one) for one in args))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._add(op, args, table)
        return found

    def _add(self, op: int, args: tuple[Node | float, ...], table: Table | None) -> Node:
        node = Node(self, len(self.nodes), op, args, table)
        self.nodes.append(node)
        return node


def _bits(value: float) -> tuple[str, bytes]:
    """A number as a key: NaN equals itself, and 0 is not −0."""
    return "number", np.float64(value).tobytes()
