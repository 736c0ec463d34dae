"""A rule with another value of a parameter: for trying it, and written into its file with nothing else touched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from rules.compile_rules import in_force, until
from rules.documents import Document
from rules.expressions import Compiled, compile_condition
from rules.feature_types import Schema
from rules.rulefile import Param, RuleFile
from rules.ruleset import Rule, RuleException
from rules.shapes import read
from rules.thresholds import Written, thresholds
from rules.units import quantity
from rules.yaml_source import parse

_SCALAR: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[^,}\]#\n]*[^,}\]#\s]")


class NotWrittenError(ValueError):
    """A value that cannot be written into the file by itself."""


def numeric(rule: Rule) -> dict[str, float]:
    """The parameters of a rule that are numbers, with or without a unit, by name; those that its condition uses first."""
    found = {name: number for name, written in rule.params.items() if (number := number_of(written)) is not None}
    used = [name for name in found if re.search(rf"\bparams\.{name}\b", rule.expr.text)]
    return {name: found[name] for name in [*used, *(found.keys() - set(used))]}


def number_of(written: Written) -> float | None:
    """A parameter's number, in the unit in which it is written."""
    value = written.value if isinstance(written, Param) else written
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = quantity(value)
        return None if found is None else float(found.number)
    return float(value)


def rewritten(written: Written, number: float) -> Written:
    """The parameter with another number in the same unit."""
    value = written.value if isinstance(written, Param) else written
    found = quantity(value) if isinstance(value, str) else None
    new: float | str = float(f"{number:.6g}")
    if found is not None:
        new = str(replace(found, number=f"{number:.6g}"))
    return msgspec.structs.replace(written, value=new) if isinstance(written, Param) else new


def with_parameter(rule: Rule, name: str, number: float, schema: Schema, currency: str) -> Rule:
    """The rule as it would be with another number for a parameter, under an id of its own. Raises ExpressionError."""
    params: Mapping[str, Written] = {**rule.params, name: rewritten(rule.params[name], number)}
    given = thresholds(params)

    def compiled(one: Compiled) -> Compiled:
        return compile_condition(one.text, schema, given, currency)

    expr = compiled(rule.expr)
    clear = expr.negated() if rule.clear.text == f"not ({rule.expr.text})" else compiled(rule.clear)
    exceptions = tuple(RuleException(one.name, compiled(one.expr), one.until, one.reason) for one in rule.exceptions)
    return replace(
        rule,
        id=f"{rule.id}@{number:g}",
        mode="shadow",
        params=params,
        expr=expr,
        clear=clear,
        exceptions=exceptions,
        fires=in_force(expr, rule.valid_from, rule.valid_to, exceptions),
        clears=until(clear, rule.valid_to),
    )


def patched(rule: Rule, name: str, number: float, text: str) -> str:
    """The text of the rule's file with another number for a parameter, and nothing else changed.

    Raises NotWrittenError where the parameter is the group's, which other rules share.
    """
    document, _ = parse(rule.file, text.encode())
    found, _ = read(document, RuleFile)
    if found is None:
        raise NotWrittenError(f"{rule.file}: has changed, and cannot be read any more")
    place = _place(document, found, rule, name)
    new = rewritten(rule.params[name], number)
    said = new.value if isinstance(new, Param) else new
    lines = text.split("\n")
    line = lines[place[0] - 1]
    old = _SCALAR.match(line, place[1] - 1)
    if old is None:
        raise NotWrittenError(f"{rule.file}:{place[0]}:{place[1]}: `{name}` is written over several lines")
    lines[place[0] - 1] = (
        line[: old.start()] + (f"{said:g}" if isinstance(said, float) else str(said)) + line[old.end() :]
    )
    return "\n".join(lines)


def _place(document: Document, found: RuleFile, rule: Rule, name: str) -> tuple[int, int]:
    for g, group in enumerate(found.groups):
        for r, entry in enumerate(group.rules):
            if entry.id != rule.id:
                continue
            if name not in entry.params:
                shared = ", ".join(one.id for one in group.rules if one.id != rule.id)
                if shared:
                    raise NotWrittenError(
                        f"`{name}` is a parameter of the group, which {shared} shares: give `{rule.id}` one of its own"
                    )
            path = ("groups", g, "rules", r, "params", name) if name in entry.params else ("groups", g, "params", name)
            value = entry.params.get(name, group.params.get(name))
            fault = document.fault((*path, "value") if isinstance(value, Param) else path, "")
            return fault.line, fault.column
    raise NotWrittenError(f"{rule.file}: no rule `{rule.id}` there any more")


def patch(file: Path, before: str, after: str) -> str:
    """The difference as `patch` takes it."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{file.name}", f"b/{file.name}")
    return "".join(lines)
