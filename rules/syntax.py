"""The text of a condition as a Python syntax tree, within limits, with messages for people who do not write Python.

Nothing here or later runs the text: the tree is only read. Line breaks count as blanks, so that offsets in the text stay
what the author wrote.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from rules.lookalikes import WORDS, mend_of_condition
from rules.units import KEYWORDS, WITHIN, Quantity

MAX_LENGTH = 2_000
MAX_DEPTH = 64

_LOOKALIKES = (
    (re.compile(r"&&"), "write `and` instead of `&&`"),
    (re.compile(r"\|\|"), "write `or` instead of `||`"),
    (re.compile(r"[<>=!]\s+="), "write the sign (`<=`, `>=`, `==`, `!=`) without a blank in it"),
    (re.compile(r"!(?!=)"), "write `not` instead of `!`"),
    (re.compile(r"<>"), "write `!=` instead of `<>`"),
    (re.compile(r"=[<>]"), "write `<=` or `>=`, with the `=` last"),
    (re.compile(r"(?<![<>=!])=(?!=)"), "write `==` to compare"),
    (re.compile(r"\b(AND|OR|NOT)\b"), "write `and`, `or`, `not` in small letters"),
    (re.compile("小于等于|不大于|不超过|不高于"), "write `<=`"),
    (re.compile("大于等于|不小于|不低于|不少于"), "write `>=`"),
    (re.compile("不等于"), "write `!=`"),
    (re.compile("小于|低于|少于"), "write `<`"),
    (re.compile("大于|高于|超过|多于"), "write `>`"),
    (re.compile("等于"), "write `==`"),
    (re.compile("并且|而且|以及"), "write `and`"),
    (re.compile("或者"), "write `or`"),
    (re.compile("如果"), "leave `如果` out: a condition begins with what is compared"),
    (re.compile(r"\{\{|\}\}"), "write the feature's name alone, without braces"),
)
_JOINING = re.compile("并且|而且|以及|或者")  # after a number they are no unit


@dataclass(frozen=True, slots=True)
class ExpressionFault:
    """One fault in a condition; `offset` counts characters of its text from 0."""

    offset: int
    message: str


class ExpressionError(ValueError):
    """A condition that cannot be used, with every fault found in it."""

    def __init__(self, faults: list[ExpressionFault]) -> None:
        super().__init__("; ".join(f"{fault.offset + 1}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def syntax_tree(text: str) -> ast.expr:
    """Parses one condition. Raises ExpressionError."""
    if not text.strip():
        raise _error(0, "the condition is empty")
    if len(text) > MAX_LENGTH:
        raise _error(MAX_LENGTH, f"the condition is longer than {MAX_LENGTH:,} characters: split it into two rules")
    if "#" in text:
        raise _error(text.index("#"), "`#` is not part of the language: put comments outside of the condition")
    tree = _parsed(text)
    _check_depth(tree)
    return tree


def quantities(text: str) -> tuple[str, dict[int, Quantity]]:
    """The text with a name as long in the place of every number with a unit, and what stood there by its offset."""
    found: dict[int, Quantity] = {}
    flat, bare = list(text), _without_strings(text)
    for one in WITHIN.finditer(bare):
        unit, end = one[2], one.end()
        if unit.lower() in KEYWORDS or unit[0] in WORDS or _JOINING.match(unit):
            continue
        found[one.start()] = Quantity(one[1], unit)
        flat[one.start() : end] = "_" * (end - one.start())
    return "".join(flat), found


def offset_of(text: str, node: ast.AST) -> int:
    """Where a node of the text's tree begins, in characters (ast counts UTF-8 bytes)."""
    return _characters(text, getattr(node, "col_offset", 0))


def end_of(text: str, node: ast.AST) -> int:
    """Where a node of the text's tree ends, in characters."""
    return _characters(text, getattr(node, "end_col_offset", 0))


def whole_of(text: str, first: ast.AST, last: ast.AST) -> tuple[int, int]:
    """From the first node to the last, with the brackets around them that the tree does not show."""
    start, end, bare = offset_of(text, first), end_of(text, last), _without_strings(text)
    opened = unopened = 0
    for character in bare[start:end]:
        if character == ")" and opened == 0:
            unopened += 1
        else:
            opened += {"(": 1, ")": -1}.get(character, 0)
    for _ in range(unopened):
        start = bare.rindex("(", 0, start)
    for _ in range(opened):
        end = bare.index(")", end) + 1
    return start, end


def _characters(text: str, bytes_before: int) -> int:
    lead = len(text) - len(text.lstrip())
    stripped = text.lstrip().encode()
    return lead + len(stripped[:bytes_before].decode(errors="ignore"))


def _parsed(text: str) -> ast.expr:
    flat = re.sub(r"[\r\n\t\f\v]", " ", text)
    lead = len(flat) - len(flat.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(flat.strip(), mode="eval").body
    except SyntaxError as error:
        offset = lead + error.offset - 1 if error.offset else len(text)
        raise _explained(text, offset, error.msg) from None
    except (RecursionError, MemoryError):
        raise _too_deep(0) from None
    except ValueError:
        raise _error(0, "the condition holds a character that no text may hold") from None


def _explained(text: str, offset: int, reason: str) -> ExpressionError:
    """Names the mend for what other languages and Chinese input methods produce."""
    outside = _without_strings(text)
    if outside.rstrip().endswith(("。", "｡")):
        end = len(outside.rstrip()) - 1
        return _error(end, f"leave `{text[end]}` out: a condition ends without a full stop")
    for position, character in enumerate(outside):
        if said := mend_of_condition(character):
            return _error(position, said)
    for pattern, mend in _LOOKALIKES:
        if found := pattern.search(outside):
            return _error(found.start(), mend)
    return _error(min(offset, len(text) - 1), f"cannot be read here ({reason.partition('. Perhaps')[0]})")


def _without_strings(text: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", lambda found: "s" * len(found[0]), text)


def _check_depth(tree: ast.expr) -> None:
    todo: list[tuple[ast.AST, int]] = [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(getattr(node, "col_offset", 0))
        todo.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _too_deep(offset: int) -> ExpressionError:
    return _error(offset, f"the condition is nested more than {MAX_DEPTH} deep")


def _error(offset: int, message: str) -> ExpressionError:
    return ExpressionError([ExpressionFault(offset, message)])
