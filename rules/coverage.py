"""Which rules, and which of their clauses, were ever true and ever false in the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules.columns import Sheet
from rules.conditions import leaves
from rules.leaves import Leaf
from rules.ruleset import Rule


class Clause(NamedTuple):
    """A comparison of a rule's condition; `key` is `expr` or `clear_expr`, `text` as written."""

    rule: Rule
    key: str
    text: str
    leaf: Leaf


class Coverage:
    """Collects what was seen of the clauses of some rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.clauses = [clause for rule in self.rules for clause in _clauses(rule)]
        self.fired: set[str] = set()
        self.quiet: set[str] = set()
        self._seen: dict[str, tuple[bool, bool]] = {}

    def note(self, sheet: Sheet, rules: Sequence[Rule] | None = None) -> None:
        """Look at rows of values; only at these rules if any are given."""
        among = {rule.id for rule in (self.rules if rules is None else rules)}
        for rule in self.rules:
            if rule.id in among:
                mask = rule.fires.evaluate(sheet)
                self.fired |= {rule.id} if mask.any() else set()
                self.quiet |= set() if mask.all() else {rule.id}
        for clause in self.clauses:
            true, false = self._seen.get(_name(clause), (False, False))
            if clause.rule.id in among and not (true and false):
                true = true or bool(clause.leaf.mask(sheet).any())
                false = false or bool(clause.leaf.negated().mask(sheet).any())
                self._seen[_name(clause)] = true, false

    def missing(self) -> Iterator[str]:
        """A sentence for each rule that never fired or always did, and each clause that was only one of both."""
        for rule in self.rules:
            for seen, what in ((self.fired, "is never true"), (self.quiet, "is never other than true")):
                if rule.id not in seen:
                    yield f"{rule.file}:{rule.line}: rule `{rule.id}` {what} in any test"
        for clause in self.clauses:
            for known, what in zip(self._seen.get(_name(clause), (False, False)), ("true", "false"), strict=True):
                if not known:
                    where = f"{clause.rule.file}:{clause.rule.line}: rule `{clause.rule.id}`"
                    yield f"{where}: {clause.key}: `{clause.text}` is never {what} in any test"

    def summary(self) -> str:
        """One line."""
        both = sum(all(self._seen.get(_name(one), (False, False))) for one in self.clauses)
        share = 100 * both // max(1, len(self.clauses))
        return f"coverage: {both} of {len(self.clauses)} clauses both true and false ({share}%)"


def _clauses(rule: Rule) -> Iterator[Clause]:
    own = not rule.clear.text.startswith("not (") or rule.clear.text != f"not ({rule.expr.text})"
    for key, condition in (("expr", rule.expr), ("clear_expr", rule.clear))[: 2 if own else 1]:
        for leaf in leaves(condition.condition):
            text = " ".join(condition.text[leaf.span.start : leaf.span.end].split())
            yield Clause(rule, key, text, leaf)


def _name(clause: Clause) -> str:
    return f"{clause.rule.id} {clause.key} {clause.leaf.span.start} {clause.leaf.key}"
