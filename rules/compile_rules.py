"""From a rule file as written to compiled rules: names are looked up, conditions and texts checked, versions taken."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import TypeVar

import msgspec

from rules.conditions import Condition, Joined, Unless, leaves
from rules.documents import Document, Path
from rules.expressions import Compiled, ExpressionError, compile_condition
from rules.faults import Fault
from rules.feature_types import Schema
from rules.formats import LANGUAGES
from rules.hints import did_you_mean
from rules.incidents import speaks_of_network
from rules.leaves import Since
from rules.lookalikes import mend
from rules.rulefile import Group, RuleEntry, RuleFile
from rules.ruleset import Rule, RuleException, RuleSet, RuleText
from rules.texts import Template, TemplateError, compile_template
from rules.thresholds import Threshold, Written, parameter_faults, thresholds

T = TypeVar("T", Compiled, Template)


@dataclass(slots=True)
class RuleCompiler:
    """Compiles the rules of all files against one schema, tiers (mildest first) and actions; collects every fault.

    `currency` is what money is in, `utc_offset` (µs) makes local days.
    """

    schema: Schema
    tiers: Sequence[str]
    actions: Collection[str]
    currency: str = "CNY"
    utc_offset: int = 0
    faults: list[Fault] = field(default_factory=list)
    places: dict[str, tuple[Document, Path]] = field(default_factory=dict)
    _rules: list[Rule] = field(default_factory=list)
    _seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, document: Document, file: RuleFile) -> None:
        """Compiles the rules of one file."""
        for g, group in zip(document.kept(("groups",)), file.groups, strict=True):
            self.once(document, ("groups", g, "name"), "group", group.name)
            for r, entry in zip(document.kept(("groups", g, "rules")), group.rules, strict=True):
                _RuleBuild(self, document, ("groups", g, "rules", r), group, entry).run()

    def result(self) -> RuleSet:
        """All rules added so far; of use only when there are no faults."""
        on = tuple(rule for rule in self._rules if rule.mode != "off")
        off = tuple(rule for rule in self._rules if rule.mode == "off")
        return RuleSet(on, off, _digest(sorted((rule.id, rule.version) for rule in on)))

    def keep(self, rule: Rule, document: Document, path: Path) -> None:
        """Takes a compiled rule in; `places` tells where each stands."""
        self._rules.append(rule)
        self.places[rule.id] = document, path

    def once(self, document: Document, path: Path, what: str, name: str) -> None:
        """Notes a name that two rules or groups share."""
        here = document.fault(path, "")
        first = self._seen.setdefault((what, name), f"{here.file}:{here.line}")
        if first != f"{here.file}:{here.line}":
            self.faults.append(document.fault(path, f"the {what} `{name}` is taken already ({first})", "duplicate-id"))


@dataclass(slots=True)
class _RuleBuild:
    whole: RuleCompiler
    document: Document
    path: Path
    group: Group
    entry: RuleEntry
    faulty: bool = False

    def run(self) -> None:
        """Compiles the rule and hands it on unless it is at fault."""
        entry, written = self.entry, {**self.group.params, **self.entry.params}
        self.whole.once(self.document, (*self.path, "id"), "id", entry.id)
        self.whole.once(self.document, (*self.path, "alert"), "alert", entry.alert)
        self._check_names(written)
        self._check_times()
        if self._parameters_at_fault():
            return
        params = thresholds(written)
        sources = {(*self.path[:2], "params"), (*self.path, "params")}
        if any(path in sources or path[:-1] in sources for path in self.document.dropped):
            return  # a parameter is at fault already, and what uses it cannot be judged
        expr = self._condition(("expr",), entry.expr, params)
        clear = self._condition(("clear_expr",), entry.clear_expr, params) if entry.clear_expr else None
        exceptions = self._exceptions(params)
        texts = {language: self._template(language, entry.text.in_language(language), params) for language in LANGUAGES}
        templates = {language: template for language, template in texts.items() if template is not None}
        if expr is not None and not self.faulty:
            rule = self._rule(written, expr, clear or expr.negated(), exceptions, RuleText(templates))
            self.whole.keep(rule, self.document, self.path)

    def _parameters_at_fault(self) -> bool:
        """Whether any parameter is; a group's are told of once, with its first rule."""
        found = False
        for source, params in ((self.path, self.entry.params), (self.path[:2], self.group.params)):
            for name, written in params.items():
                for path, message in parameter_faults(name, written, self.whole.schema, self.whole.currency):
                    found = True
                    fault = self.document.fault((*source, "params", *path), message, "parameter")
                    if fault not in self.whole.faults:
                        self.whole.faults.append(fault)
        return found

    def _check_times(self) -> None:
        entry, offset = self.entry, self.whole.utc_offset
        if entry.valid_from and entry.valid_to and entry.valid_to.ends(offset) <= entry.valid_from.begins(offset):
            self._refuse(("valid_to",), f"`valid_to` {entry.valid_to} is before `valid_from` {entry.valid_from}")
        names = [one.name for one in entry.exceptions]
        for i, name in enumerate(names):
            if name in names[:i]:
                self._refuse(("exceptions", i, "name"), f"the exception `{name}` stands here twice")

    def _exceptions(self, params: Mapping[str, Threshold]) -> list[RuleException]:
        found = []
        places = self.document.kept((*self.path, "exceptions")) if self.entry.exceptions else []
        for i, entry in zip(places, self.entry.exceptions, strict=True):
            compiled = self._condition(("exceptions", i, "expr"), entry.expr, params)
            if compiled is not None:
                until = entry.until.ends(self.whole.utc_offset)
                found.append(RuleException(entry.name, compiled, until, entry.reason))
        return found

    def _rule(
        self,
        params: Mapping[str, Written],
        expr: Compiled,
        clear: Compiled,
        exceptions: Sequence[RuleException],
        text: RuleText,
    ) -> Rule:
        entry, place = self.entry, self.document.fault(self.path, "")
        named = dict.fromkeys(name for leaf in leaves(expr.condition) for name in sorted(leaf.features))
        labels = {**self.group.labels, **entry.labels}
        offset = self.whole.utc_offset
        begins = None if entry.valid_from is None else entry.valid_from.begins(offset)
        ends = None if entry.valid_to is None else entry.valid_to.ends(offset)
        return Rule(
            id=entry.id,
            alert=entry.alert,
            group=self.group.name,
            file=place.file,
            line=place.line,
            status=entry.status,
            mode=entry.mode,
            tier=entry.tier,
            tier_rank=self.whole.tiers.index(entry.tier),
            params=params,
            expr=expr,
            clear=clear,
            hold_for=int(entry.hold_for),
            keep_firing_for=int(entry.keep_firing_for),
            cooldown=int(entry.cooldown),
            labels=labels,
            annotations=entry.annotations,
            queue=entry.route.queue,
            ack_within=entry.route.ack_within,
            resolve_within=entry.route.resolve_within,
            cause=entry.cause,
            reason=entry.reason,
            sayable=entry.sayable,
            evidence=entry.evidence or tuple(named),
            actions=entry.actions,
            text=text,
            version=_digest([entry, labels, params]),
            held=speaks_of_network(entry.cause, expr.features)
            if entry.held_by_incident is None
            else entry.held_by_incident,
            valid_from=begins,
            valid_to=ends,
            exceptions=tuple(exceptions),
            fires=in_force(expr, begins, ends, exceptions),
            clears=until(clear, ends),
        )

    def _check_names(self, params: Mapping[str, Written]) -> None:
        entry = self.entry
        self._known(("tier",), "tier", entry.tier, self.whole.tiers)
        for i, action in enumerate(entry.actions or ()):
            self._known(("actions", i), "action", action, self.whole.actions)
        for i, feature in enumerate(entry.evidence or ()):
            self._known(("evidence", i), "feature", feature, self.whole.schema)
        for name in params:
            if iskeyword(name):
                self._refuse(("params", name), f"`{name}` means something in the condition language: name it otherwise")

    def _known(self, path: Path, what: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or (f"; there are {', '.join(known)}" if len(known) < 12 else "")
            self._refuse(path, f"no {what} `{name}`{hint}{mend(name)}")

    def _condition(self, path: Path, text: str, params: Mapping[str, Threshold]) -> Compiled | None:
        try:
            return compile_condition(text, self.whole.schema, params, self.whole.currency)
        except ExpressionError as error:
            for fault in error.faults:
                self._refuse_within(path, fault.offset, fault.message, "expression")
        return None

    def _template(self, language: str, text: str, params: Mapping[str, Threshold]) -> Template | None:
        try:
            return compile_template(text, self.whole.schema, params)
        except TemplateError as error:
            for fault in error.faults:
                self._refuse_within(("text", language), fault.offset, fault.message, "text")
        return None

    def _refuse(self, path: Path, message: str) -> None:
        self.faulty = True
        message = f"rule `{self.entry.id}`: {message}"
        self.whole.faults.append(self.document.fault((*self.path, *path), message, "unknown-name"))

    def _refuse_within(self, path: Path, offset: int, message: str, code: str) -> None:
        self.faulty = True
        message = f"rule `{self.entry.id}`: {message}"
        self.whole.faults.append(self.document.fault_within((*self.path, *path), offset, message, code))


def in_force(expr: Compiled, begins: int | None, ends: int | None, exceptions: Sequence[RuleException]) -> Compiled:
    """The condition while the rule is valid, and outside of its exceptions."""
    parts: list[Condition] = [expr.condition]
    parts += [] if begins is None else [Since(begins)]
    parts += [] if ends is None else [Since(ends, wanted=False)]
    parts += [Unless(one.expr.condition, one.until) for one in exceptions]
    if len(parts) == 1:
        return expr
    whole = Joined("and", tuple(parts))
    return Compiled(expr.text, whole, whole.features, whole.known)


def until(clear: Compiled, ends: int | None) -> Compiled:
    """The clearing condition, or that the rule is no longer valid."""
    if ends is None:
        return clear
    whole = Joined("or", (clear.condition, Since(ends, untold=False)))
    return Compiled(clear.text, whole, whole.features, whole.known)


def _digest(meaning: object) -> str:
    return hashlib.sha256(msgspec.json.encode(meaning, enc_hook=_plain, order="deterministic")).hexdigest()[:12]


def _plain(value: object) -> object:
    """Spans of time as their microseconds."""
    return str(value) if isinstance(value, str) else int(value)  # type: ignore[call-overload]
