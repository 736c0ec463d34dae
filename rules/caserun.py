"""Runs cases: feature values against the conditions alone, events through a whole engine that the caller provides."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from rules.casefile import Case, ExpectedWarning, InputEvents
from rules.columns import Sheet, TableColumns, Written
from rules.coverage import Coverage
from rules.durations import Duration
from rules.expressions import Clause, Compiled
from rules.feature_types import Schema
from rules.formats import LANGUAGES, Style
from rules.leaves import NOW
from rules.ruleset import Rule
from rules.texts import Value

OPEN = ("raised", "elevated")
_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class StepLike(Protocol):
    """What came of a step: decisions shaped like the contract's warnings, and dead letters."""

    @property
    def decisions(self) -> Sequence[Any]: ...
    @property
    def dead(self) -> Sequence[Any]: ...


class EngineLike(Protocol):
    """As much of the engine as cases need; times are microseconds UTC."""

    def step(self, batch: Any, decided_at_us: int, /) -> StepLike:
        """Applies a batch of decoded events."""
        ...

    def advance(self, to_us: int, decided_at_us: int, /) -> StepLike:
        """Fires timers up to a time."""
        ...


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs cases. `engine` makes a fresh engine on the rules of a case; `decode` is the engine's decoding of JSON lines.

    A decoded batch has `dead`, the dead letters of lines that are no events.
    `coverage` is told what values of cases come to; whoever makes the engine tells it of rows.
    """

    schema: Schema
    engine: Callable[[Sequence[Rule]], EngineLike]
    decode: Callable[[bytes, str], Any]
    style: Style = Style("en")  # noqa: RUF009 - frozen
    coverage: Coverage | None = None

    def run(self, case: Case) -> list[str]:
        """What differs from what the case expects; empty when it passes."""
        return self._values(case) if case.entry.features is not None else self._events(case)

    def _values(self, case: Case) -> list[str]:
        entry, rules = case.entry, case.rules
        told: dict[str, Written] = dict(entry.features or {})
        if entry.at is not None:
            told[NOW] = float((entry.at - _EPOCH) // _MICROSECOND)
        sheet = Sheet(TableColumns([told], self.schema))
        if self.coverage is not None:
            self.coverage.note(sheet, rules)
        fired = {rule.id for rule in rules if rule.fires.evaluate(sheet)[0]}
        cleared = {rule.id for rule in rules if rule.clears.evaluate(sheet)[0]}
        differences = _difference("be true", set(entry.exp_rules or ()), fired)
        differences += [
            f"  {rule.id}: {clause}"
            for rule in rules
            if (rule.id in fired) != (rule.id in (entry.exp_rules or ()))
            for clause in _clauses(rule.expr, sheet, told)
        ]
        if entry.exp_cleared is not None:
            differences += _difference("be clear", set(entry.exp_cleared), cleared)
        values: dict[str, Value] = dict(entry.features or {})
        for rule in rules:
            for language in LANGUAGES if rule.id in entry.exp_text else ():
                style = Style(language, self.style.currency, self.style.utc_offset)
                expected, got = entry.exp_text[rule.id].in_language(language), rule.text.render(values, style)
                if got != expected:
                    differences.append(f"{rule.id} should say {expected!r} ({language}), but says {got!r}")
        return differences

    def _events(self, case: Case) -> list[str]:
        entry = case.entry
        engine = self.engine(case.rules)
        start = (entry.start - _EPOCH) // _MICROSECOND if entry.start else 0
        events = sorted((e for given in entry.input_events or () for e in _dated(given)), key=lambda event: event[0])
        latest: dict[str, Any] = {}
        differences: list[str] = []
        done = 0
        for test in sorted(entry.warning_test or (), key=lambda one: one.eval_time):
            due = [i for i in range(done, len(events)) if events[i][0] <= test.eval_time]
            now = start + test.eval_time
            lines = b"\n".join(_line(start, i, *events[i]) for i in due)
            batch = self.decode(lines, case.file) if due else None
            steps = [engine.step(batch, now)] if due else []
            steps.append(engine.advance(now, now))
            done += len(due)
            refused = [] if batch is None else list(batch.dead)  # the decoder's letters are not the engine's
            for step in steps:
                latest |= {decision.warning_id: decision for decision in step.decisions}
                refused += step.dead
            differences += _refusals(refused)
            found = [decision for decision in latest.values() if decision.status in OPEN]
            differences += _unlike(str(Duration(test.eval_time)), list(test.exp_warnings), found)
        return differences


def _clauses(condition: Compiled, sheet: Sheet, told: Mapping[str, Written]) -> list[str]:
    """Each comparison with what it came to; a text or a yes or no as the author wrote it."""
    written = {name: str(value).lower() if isinstance(value, bool) else value for name, value in told.items()}
    said = {True: "true", False: "false", None: "unknown"}
    return [f"`{one.text}` is {said[one.state]} (left {_left(one, written)})" for one in condition.clauses(sheet, 0)]


def _left(one: Clause, written: Mapping[str, Written]) -> str:
    value = written.get(next(iter(one.values), ""))
    return value if isinstance(value, str) else f"{one.left:g}"


def _refusals(letters: Sequence[Any]) -> list[str]:
    """One line for each kind of refusal, with how many there were."""
    counted = Counter(f"an event of the case is bad: {letter.reason}: {letter.detail}" for letter in letters)
    return [said + (f" ({times:,} times)" if times > 1 else "") for said, times in counted.items()]


def _difference(what: str, expected: set[str], got: set[str]) -> list[str]:
    missing = [f"{rule} should {what}, but it is not so" for rule in sorted(expected - got)]
    return missing + [f"{rule} should not {what}, but it is so" for rule in sorted(got - expected)]


def _dated(given: InputEvents) -> list[tuple[int, InputEvents]]:
    return [(given.at + k * (given.every or 0), given) for k in range(given.times)]


def _line(start: int, number: int, at: int, given: InputEvents) -> bytes:
    moment = _EPOCH + (start + at) * _MICROSECOND
    common = {
        "type": given.type,
        "event_id": f"case-{number}",
        "customer_id": given.customer_id,
        "occurred_at": moment.isoformat(),
    }
    return msgspec.json.encode({**common, **given.fields})


def _unlike(when: str, expected: list[ExpectedWarning], found: list[Any]) -> list[str]:
    left = list(found)
    differences = []
    for one in expected:
        match = next((decision for decision in left if _fits(one, decision)), None)
        if match is None:
            differences += [f"at {when} there should be another warning", f"  - {_wanted(one)}"]
            differences += [f"  + {_shown([other])}" for other in left] or ["  + none"]
        else:
            left.remove(match)
    if not differences and left:
        differences.append(f"at {when} there should be no further warning")
        differences += [f"  + {_shown([one])}" for one in left]
    return differences


def _fits(one: ExpectedWarning, decision: Any) -> bool:
    named = ("tier", "cause", "queue", "customer_id")
    return (
        all(getattr(one, name) in (None, getattr(decision, name)) for name in named)
        and set(one.rules) <= {rule.id for rule in decision.rules}
        and set(one.reasons) <= {reason.code for reason in decision.reasons}
    )


def _wanted(one: ExpectedWarning) -> str:
    given = {name: getattr(one, name) for name in one.__struct_fields__ if getattr(one, name)}
    return ", ".join(
        f"{name} {' '.join(value) if isinstance(value, tuple) else value}" for name, value in given.items()
    )


def _shown(found: list[Any]) -> str:
    shown = [f"{one.tier} ({one.cause}) by {' '.join(rule.id for rule in one.rules)}" for one in found]
    return "; ".join(shown) or "none"
