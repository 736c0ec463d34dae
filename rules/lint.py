"""Findings about rules that are right in themselves and still not what their author can mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from rules.casefile import Case
from rules.conditions import Joined
from rules.deadlines import late_deadlines, late_route
from rules.documents import Document, Path
from rules.expressions import Compiled
from rules.faults import Fault
from rules.feature_types import Schema
from rules.intervals import Witness, choices, impossible, overlap, settled
from rules.load import Reading
from rules.ruleset import Rule
from rules.unused import unused

_IN_ONE_BRACE: Final = re.compile(r"\{\s*([a-z][a-z0-9_.]*)\s*\}")


def lint(reading: Reading, cases: Sequence[Case] | None, schema: Schema, now: int | None = None) -> Iterator[Fault]:
    """All findings about the rules of a configuration that can be used; without cases none about missing ones, without a
    time (µs UTC) none about what is over.
    """
    configuration = reading.configuration
    if configuration is None:
        return
    tested = frozenset().union(*(case.expects for case in cases or ()))
    for rule in (*configuration.rules.rules, *configuration.rules.switched_off):
        document, path = reading.places[rule.id]
        yield from _contradictions(rule, document, path, schema)
        yield from _dead_parts(rule, document, path, schema)
        yield from _swallowed(rule, document, path, schema)
        yield from _quoted_twice(rule, document, path)
        yield from _one_brace(rule, document, path, schema)
        yield from _doubts(rule, document, path)
        yield from _unknown_in_text(rule, document, path)
        yield from late_route(rule, configuration.settings, document, path)
        if now is not None:
            yield from _over(rule, document, path, now)
        if cases is not None and rule.id not in tested:
            yield _note(rule, document, (*path, "id"), "no test expects it to fire", "no-test")
    yield from unused(reading, configuration)
    yield from late_deadlines(configuration.settings, reading.settings_document)


def _contradictions(rule: Rule, document: Document, path: Path, schema: Schema) -> Iterator[Fault]:
    for where in (None, *sorted(choices(rule.expr.condition) | choices(rule.clear.condition))):
        expr, clear = settled(rule.expr.condition, where), settled(rule.clear.condition, where)
        among = "" if where is None else f" for customers whose `{where[0]}` is {where[1]}"
        for key, condition in (("expr", expr), ("clear_expr", clear)):
            if impossible(condition, schema):
                message = f"rule `{rule.id}`: `{key}` can never be true{among}"
                yield document.fault((*path, key), message, "contradiction")
                return
        if (found := overlap(expr, clear, schema)) is not None:
            message = f"rule `{rule.id}`: both `expr` and `clear_expr` are true when {_in_words(found)}{among}"
            yield document.fault((*path, "clear_expr"), message, "contradiction")
            return


def _dead_parts(rule: Rule, document: Document, path: Path, schema: Schema) -> Iterator[Fault]:
    """Sides of an outermost `or` that no customer can make true."""
    for key, condition in (("expr", rule.expr.condition), ("clear_expr", rule.clear.condition)):
        parts = condition.parts if isinstance(condition, Joined) and condition.op == "or" else ()
        for number, part in enumerate(parts, start=1):
            if all(impossible(settled(part, where), schema) for where in (None, *choices(part))):
                message = f"part {number} of the {len(parts)} that `or` joins in `{key}` can never be true"
                yield _note(rule, document, (*path, key), message, "dead-part")


def _swallowed(rule: Rule, document: Document, path: Path, schema: Schema) -> Iterator[Fault]:
    """Exceptions that cover all that the rule is true of."""
    for i, one in enumerate(rule.exceptions):
        left = Joined("and", (rule.expr.condition, one.expr.condition.negated()))
        if one.expr.features <= rule.expr.known and all(
            impossible(settled(left, where), schema) for where in (None, *choices(left))
        ):
            message = (
                f"the exception `{one.name}` covers all that the rule is true of: it cannot fire until that is over"
            )
            yield _note(rule, document, (*path, "exceptions", i, "expr"), message, "swallowed")


def _quoted_twice(rule: Rule, document: Document, path: Path) -> Iterator[Fault]:
    """Texts in quotes of a Chinese keyboard, which are no quotes of YAML and would be shown."""
    for language, template in rule.text.templates.items():
        first, last = template.parts[0], template.parts[-1]
        if isinstance(first, str) and isinstance(last, str) and first.startswith("“") and last.endswith("”"):
            message = 'the quotes “ ” are part of the text: write " " around it, or nothing'
            yield _note(rule, document, (*path, "text", language), message, "quotes-shown")


def _one_brace(rule: Rule, document: Document, path: Path, schema: Schema) -> Iterator[Fault]:
    """Names in single braces, which would be shown as they stand."""
    for language, template in rule.text.templates.items():
        for name in (one for part in template.parts if isinstance(part, str) for one in _IN_ONE_BRACE.findall(part)):
            if name in schema or name.startswith("params."):
                message = f"`{{{name}}}` is shown as it stands: a value is written {{{{ {name} }}}}"
                yield _note(rule, document, (*path, "text", language), message, "one-brace")


def _doubts(rule: Rule, document: Document, path: Path) -> Iterator[Fault]:
    conditions: list[tuple[Path, Compiled]] = [(("expr",), rule.expr), (("clear_expr",), rule.clear)]
    conditions += [(("exceptions", i, "expr"), one.expr) for i, one in enumerate(rule.exceptions)]
    for key, condition in conditions:
        for doubt in condition.doubts:
            message = f"rule `{rule.id}`: {doubt.message}"
            fault = document.fault_within((*path, *key), doubt.offset, message, "no-percent")
            yield replace(fault, severity="warning")


def _unknown_in_text(rule: Rule, document: Document, path: Path) -> Iterator[Fault]:
    for language, template in rule.text.templates.items():
        for name in sorted(template.features - rule.expr.known):
            message = f"the text shows `{name}`, which may be unknown when the rule fires"
            yield _note(rule, document, (*path, "text", language), message, "unknown-in-text")


def _over(rule: Rule, document: Document, path: Path, now: int) -> Iterator[Fault]:
    if rule.valid_to is not None and rule.valid_to <= now:
        yield _note(rule, document, (*path, "valid_to"), "its validity is over: remove it, or say how long", "over")
    for i, one in enumerate(rule.exceptions):
        if one.until <= now:
            message = f"the exception `{one.name}` is over: remove it, or say until when"
            yield _note(rule, document, (*path, "exceptions", i, "until"), message, "over")


def _note(rule: Rule, document: Document, path: Path, message: str, code: str) -> Fault:
    return document.warning(path, f"rule `{rule.id}`: {message}", code)


def _in_words(witness: Witness) -> str:
    words = []
    for name, value in sorted(witness.items()):
        if value is None or isinstance(value, bool):
            words.append(f"{name} is {'unknown' if value is None else 'true' if value else 'false'}")
        else:
            words.append(f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value!r}")
    return ", ".join(words)
