"""The shape of a rule file: what an author may write, with Prometheus' names where the meaning is the same.

    version: 1
    groups:
      - name: usage                      labels and params of a group hold for each of its rules
        rules:
          - alert: UsageCollapse         expr true for `for`: it fires; until clear_expr has been true for keep_firing_for

Read by `shapes`; turned into compiled rules by `compile_rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from events.contract import Cause
from rules.durations import Duration, WorkingTime
from rules.moments import Moment

Identifier = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", description="small letters, digits and hyphens")
]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", description="small letters, digits and underscores")]
AlertName = Annotated[str, Meta(pattern=r"^[A-Z][A-Za-z0-9]*$", description="a name LikeThis")]
Mode = Literal["off", "shadow", "live"]
Status = Literal["stable", "test", "experimental", "deprecated"]
Plain = float | bool | str


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every shape of the configuration is frozen and refuses keys it does not know."""


class Bilingual(Strict, frozen=True, kw_only=True):
    """One text in both languages of the product."""

    en: str
    zh_cn: str = field(name="zh-CN")

    def in_language(self, language: str) -> str:
        """The text in `en` or `zh-CN`."""
        return self.zh_cn if language == "zh-CN" else self.en


class Param(Strict, frozen=True, kw_only=True):
    """A parameter with its bounds, and other values for some customers, without copying the rule.

    `value` is a number, yes or no, a text, or a number with a unit such as `5 GB`, `30 元`, `3 days`, `40%`. `by` names a
    category and what holds for its values: `by: {value_class: {high: 0.7}}`; the first that holds counts.
    """

    value: Plain
    min: float | str | None = None
    max: float | str | None = None
    about: str | None = None
    by: dict[Code, dict[str, Plain]] = field(default_factory=dict)


Parameters = dict[Code, Plain | Param]


class ExceptionEntry(Strict, frozen=True, kw_only=True):
    """Customers whom a rule leaves alone, by name, with a reason, and until a day (included) or time."""

    name: Identifier
    expr: str
    until: Moment
    reason: str


class Route(Strict, frozen=True, kw_only=True):
    """Where the warning goes and by when, where that differs from the tier's deadlines and the value class's queue."""

    queue: Identifier | None = None
    ack_within: WorkingTime | None = None
    resolve_within: WorkingTime | None = None


class RuleEntry(Strict, frozen=True, kw_only=True):
    """One rule as written."""

    id: Identifier
    alert: AlertName
    status: Status = "stable"
    mode: Mode = "live"
    tier: Code
    params: Parameters = field(default_factory=dict)
    expr: str
    clear_expr: str | None = None
    hold_for: Duration = field(name="for", default=Duration(0))
    keep_firing_for: Duration = Duration(0)
    cooldown: Duration = Duration(0)
    labels: dict[Code, str] = field(default_factory=dict)
    annotations: dict[Code, str] = field(default_factory=dict)
    route: Route = Route()
    cause: Cause | None = None
    reason: Code
    sayable: bool = True
    evidence: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    actions: tuple[Code, ...] | None = None
    held_by_incident: bool | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    exceptions: tuple[ExceptionEntry, ...] = ()
    text: Bilingual


class Group(Strict, frozen=True, kw_only=True):
    """Rules that belong together."""

    name: Identifier
    labels: dict[Code, str] = field(default_factory=dict)
    params: Parameters = field(default_factory=dict)
    rules: Annotated[tuple[RuleEntry, ...], Meta(min_length=1)]


class RuleFile(Strict, frozen=True, kw_only=True):
    """A whole file of rules."""

    version: Annotated[int, Meta(ge=1, le=1)]
    groups: Annotated[tuple[Group, ...], Meta(min_length=1)]
