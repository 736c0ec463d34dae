"""A slow, scalar interpreter of conditions in three-valued logic, sharing no code with the compiled one."""

from __future__ import annotations

import ast
import math

Value = float | bool | str | None


def holds(text: str, row: dict[str, Value], params: dict[str, float | bool | str]) -> bool | None:
    """True, False or None (unknown) of a condition for one customer."""
    return _truth(ast.parse(text.strip(), mode="eval").body, row, params)


def _truth(node: ast.expr, row: dict[str, Value], params: dict[str, float | bool | str]) -> bool | None:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, row, params) for part in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _truth(node.operand, row, params)
        return None if inner is None else not inner
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        links = [_link(a, op, b, row, params) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]
        return False if False in links else None if None in links else True
    if isinstance(node, ast.Call):
        return _value(node.args[0], row, params) is not None
    found = _value(node, row, params)
    assert found is None or isinstance(found, bool)
    return found


def _link(a: ast.expr, op: ast.cmpop, b: ast.expr, row: dict[str, Value], params: dict) -> bool | None:
    left = _value(a, row, params)
    if isinstance(op, ast.In | ast.NotIn):
        if left is None:
            return None
        found = any(left == _value(item, row, params) for item in b.elts)
        return found if isinstance(op, ast.In) else not found
    right = _value(b, row, params)
    if left is None or right is None:
        return None
    match op:
        case ast.Lt():
            return left < right
        case ast.LtE():
            return left <= right
        case ast.Gt():
            return left > right
        case ast.GtE():
            return left >= right
        case ast.Eq():
            return left == right
    return left != right


def _value(node: ast.expr, row: dict[str, Value], params: dict) -> Value:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return row.get(node.id)
        case ast.Attribute(value=ast.Name(id="params")):
            return params[node.attr]
        case ast.Attribute():
            return row.get(f"{node.value.id}.{node.attr}")
        case ast.UnaryOp():
            inner = _value(node.operand, row, params)
            return None if inner is None else -inner
        case ast.BinOp():
            return _arithmetic(node.op, _value(node.left, row, params), _value(node.right, row, params))
        case ast.Call():
            given = [_value(argument, row, params) for argument in node.args]
            return None if None in given else {"abs": abs, "min": min, "max": max}[node.func.id](*given)
    raise AssertionError(node)


def _arithmetic(op: ast.operator, a: Value, b: Value) -> Value:
    if a is None or b is None:
        return None
    match op:
        case ast.Add():
            result = float(a) + float(b)
        case ast.Sub():
            result = float(a) - float(b)
        case ast.Mult():
            result = float(a) * float(b)
        case _:
            if b == 0:
                return None
            try:
                result = float(a) / float(b)
            except OverflowError:
                result = math.copysign(math.inf, float(a)) * math.copysign(1.0, float(b))
    return None if math.isnan(result) else result
