"""Compiled rules, as the engine runs them.

A rule fires where `expr` has been definitely true for `hold_for`; it stops once `clear` has been definitely true for
`keep_firing_for`. Without a clearing condition that is where `expr` is definitely false, so a value that becomes unknown
neither raises nor clears anything. Spans of time are microseconds of event time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.columns import BoolArray, Columns, Sheet
from rules.expressions import Compiled
from rules.formats import Style
from rules.rulefile import Mode, Status
from rules.texts import Template, Value
from rules.thresholds import Written


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule's reason in both languages."""

    templates: Mapping[str, Template]

    def render(self, values: Mapping[str, Value], style: Style) -> str:
        """The text in the style's language with values filled in."""
        return self.templates[style.language].render(values, style)

    @property
    def features(self) -> frozenset[str]:
        return frozenset().union(*(template.features for template in self.templates.values()))


@dataclass(frozen=True, slots=True)
class RuleException:
    """Customers whom a rule leaves alone before `until` (µs UTC), and why."""

    name: str
    expr: Compiled
    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, checked and compiled; `version` is a hash of its meaning, so an edit elsewhere leaves it alone.

    `evidence` are the features that are its reasons, in order. `cause` None means that the evidence decides, `actions`
    None that the cause does, and None in queue and deadlines that tier and value class do. `held`: it neither raises nor
    elevates while an incident of the customer's cell explains what it speaks of.

    `expr` and `clear` are the author's; `fires` is `expr` while the rule is valid and outside of its exceptions, `clears`
    is `clear` or the end of its validity. Times are microseconds UTC.
    """

    id: str
    alert: str
    group: str
    file: str
    line: int
    status: Status
    mode: Mode
    tier: str
    tier_rank: int
    params: Mapping[str, Written]
    expr: Compiled
    clear: Compiled
    hold_for: int
    keep_firing_for: int
    cooldown: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    queue: str | None
    ack_within: int | None
    resolve_within: int | None
    cause: str | None
    reason: str
    sayable: bool
    evidence: tuple[str, ...]
    actions: tuple[str, ...] | None
    text: RuleText
    version: str
    fires: Compiled
    clears: Compiled
    held: bool = False
    valid_from: int | None = None
    valid_to: int | None = None
    exceptions: tuple[RuleException, ...] = ()

    @property
    def features(self) -> frozenset[str]:
        """Every feature that the rule needs: to fire, to clear, to say why."""
        return self.fires.features | self.clear.features | self.text.features | frozenset(self.evidence)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that are on (live or shadow), in the order of files and places, and those switched off."""

    rules: tuple[Rule, ...]
    switched_off: tuple[Rule, ...]
    version: str

    @property
    def features(self) -> frozenset[str]:
        """Every feature that any rule needs."""
        return frozenset().union(*(rule.features for rule in self.rules))

    @property
    def aside(self) -> dict[str, str]:
        """The modes of the rules that are not live, by id."""
        return {rule.id: rule.mode for rule in (*self.rules, *self.switched_off) if rule.mode != "live"}

    def firing(self, columns: Columns) -> list[BoolArray]:
        """Where each rule fires (`fires`), one mask per rule. Pass a Sheet to share it with `clearing`."""
        sheet = columns if isinstance(columns, Sheet) else Sheet(columns)
        return [rule.fires.evaluate(sheet) for rule in self.rules]

    def clearing(self, columns: Columns) -> list[BoolArray]:
        """Where each rule's clearing condition is definitely true, one mask per rule."""
        sheet = columns if isinstance(columns, Sheet) else Sheet(columns)
        return [rule.clears.evaluate(sheet) for rule in self.rules]
