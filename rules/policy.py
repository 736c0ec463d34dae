"""What may be done is policy, not taste: under which conditions which actions are forbidden (`config/policy.yaml`).

A limit names a condition in the language of rules and the tags of actions that are then forbidden, or the only ones
allowed. It is applied wherever actions are written, whatever rule or cause asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from rules.documents import Document, Path
from rules.expressions import Compiled, ExpressionError, compile_condition
from rules.faults import Fault
from rules.feature_types import Schema
from rules.hints import did_you_mean
from rules.rulefile import Code, Identifier, Strict
from rules.settings import Action, Tag

Holds = Callable[[Compiled], bool]
"""Whether a condition is definitely true of the customer at hand."""


class LimitEntry(Strict, frozen=True, kw_only=True):
    """One limit as written; `source` says which rule or law asks for it, `instead` what is left when nothing else is."""

    id: Identifier
    when: str
    forbid: tuple[Tag, ...] = ()
    only: Annotated[tuple[Tag, ...], Meta(min_length=1)] | None = None
    instead: tuple[Code, ...] = ()
    source: str

    def __post_init__(self) -> None:
        """Raises ValueError for a limit that limits nothing."""
        if not self.forbid and self.only is None:
            raise ValueError("a limit needs `forbid` or `only`")


class PolicyFile(Strict, frozen=True, kw_only=True):
    """policy.yaml: named policies, and the one in use."""

    version: Annotated[int, Meta(ge=1, le=1)]
    use: Code
    policies: dict[Code, tuple[LimitEntry, ...]]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, checked and compiled."""

    id: str
    condition: Compiled
    forbid: frozenset[str]
    only: frozenset[str] | None
    instead: tuple[str, ...]

    def allows(self, action: Action) -> bool:
        """Whether an action may be proposed while this limit is in force."""
        tags = frozenset(action.tags)
        return not tags & self.forbid and (self.only is None or bool(tags & self.only))


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of the policy in use."""

    limits: tuple[Limit, ...] = ()

    def in_force(self, holds: Holds) -> tuple[Limit, ...]:
        """The limits whose condition holds."""
        return tuple(limit for limit in self.limits if holds(limit.condition))


NO_LIMITS: Final = Policy()


def permitted(codes: Sequence[str], limits: Sequence[Limit], actions: Mapping[str, Action]) -> tuple[str, ...]:
    """The actions that every limit allows; when none is left, what the limits name instead."""
    left = [code for code in codes if all(limit.allows(actions[code]) for limit in limits)]
    if not left:
        named = dict.fromkeys(code for limit in limits for code in limit.instead)
        left = [code for code in named if all(limit.allows(actions[code]) for limit in limits)]
    return tuple(left)


def compile_policy(
    document: Document, file: PolicyFile, schema: Schema, actions: Mapping[str, Action]
) -> tuple[Policy, list[Fault]]:
    """The policy in use, and what is wrong with any of the file's."""
    faults: list[Fault] = []
    if file.use not in file.policies:
        hint = did_you_mean(file.use, file.policies)
        faults.append(document.fault(("use",), f"no policy `{file.use}`{hint}", "unknown-name"))
    found: dict[str, list[Limit]] = {}
    for name, entries in file.policies.items():
        for i, entry in zip(document.kept(("policies", name)), entries, strict=True):
            path: Path = ("policies", name, i)
            faults += _twice(document, path, entry.id, [limit.id for limit in found.get(name, ())])
            limit, wrong = _limit(document, path, entry, schema, actions)
            faults += wrong
            if limit is not None:
                found.setdefault(name, []).append(limit)
    return Policy(tuple(found.get(file.use, ()))), faults


def _limit(
    document: Document, path: Path, entry: LimitEntry, schema: Schema, actions: Mapping[str, Action]
) -> tuple[Limit | None, list[Fault]]:
    faults = []
    try:
        condition = compile_condition(entry.when, schema)
    except ExpressionError as error:
        return None, [
            document.fault_within((*path, "when"), fault.offset, fault.message, "expression") for fault in error.faults
        ]
    only = None if entry.only is None else frozenset(entry.only)
    limit = Limit(entry.id, condition, frozenset(entry.forbid), only, entry.instead)
    for i, code in enumerate(entry.instead):
        faults += list(_instead(document, (*path, "instead", i), limit, code, actions))
    return limit, faults


def _instead(document: Document, path: Path, limit: Limit, code: str, actions: Mapping[str, Action]) -> Iterator[Fault]:
    if code not in actions:
        yield document.fault(path, f"no action `{code}`{did_you_mean(code, actions)}", "unknown-name")
    elif not limit.allows(actions[code]):
        yield document.fault(path, f"the action `{code}` is forbidden by this limit itself", "contradiction")


def _twice(document: Document, path: Path, name: str, before: Collection[str]) -> Iterator[Fault]:
    if name in before:
        yield document.fault((*path, "id"), f"the limit `{name}` stands here twice", "duplicate-id")
