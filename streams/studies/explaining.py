"""One rule and one customer over time: each clause with its value, and when the rule would have fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from customers.rounds import Rows
from engine.engine import Engine
from events.times import rfc3339, time_of
from rules.columns import Sheet
from rules.durations import Duration
from rules.expressions import Clause
from rules.joining import firings, in_words, open_beside
from rules.load import Configuration
from rules.ruleset import Rule

WORDS: Final = {True: "true", False: "false", None: "unknown"}


class Moment(NamedTuple):
    """What the rule came to at one row (µs UTC)."""

    at: int
    clauses: tuple[Clause, ...]
    fires: bool | None
    clears: bool
    excepted: tuple[str, ...]
    shown: tuple[str, ...]  # values as people read them, by clause


class Explanation:
    """Looks at one customer's rows; keeps a moment for each row at which a clause, or the whole, was another than before."""

    def __init__(self, rule: Rule, customer_id: str) -> None:
        self.rule, self.customer_id = rule, customer_id
        self.moments: list[Moment] = []
        self.rows = 0
        self._customer: int | None = None

    def look(self, engine: Engine, rows: Rows, count: int, sheet: Sheet) -> None:
        """Be shown rows."""
        if self._customer is None:
            self._customer = engine.partition.ids.find(self.customer_id)
            if self._customer is None:
                return
        for row in np.flatnonzero(rows.customer[:count] == self._customer).tolist():
            self.rows += 1
            moment = self._moment(engine, int(rows.now[row]), row, sheet)
            if not self.moments or _states(moment) != _states(self.moments[-1]):
                self.moments.append(moment)

    def _moment(self, engine: Engine, at: int, row: int, sheet: Sheet) -> Moment:
        rule = self.rule
        clauses = rule.expr.clauses(sheet, row)
        true, false = rule.fires.evaluate(sheet)[row], rule.expr.negated().evaluate(sheet)[row]
        excepted = [one.name for one in rule.exceptions if at < one.until and one.expr.evaluate(sheet)[row]]
        return Moment(
            at,
            clauses,
            True if true else False if false or excepted else None,
            bool(rule.clears.evaluate(sheet)[row]),
            tuple(excepted),
            tuple(_values(engine, clause) for clause in clauses),
        )

    def fired(self, engine: Engine) -> list[dict[str, Any]]:
        """When the rule was in a warning of this customer, how it got there, and how that ended; of a rule on trial also which
        live warning was open then.
        """
        if self._customer is None:
            return []
        customer, on_trial = self._customer, self.rule.mode != "live"
        live = engine.decider.log
        found = firings(engine.shadow.decider.log if on_trial else live, customer, self.rule.id)
        for one in found:
            one["live"] = open_beside(live.episodes, customer, time_of(one["at"], "at")) if on_trial else None
        return found

    def found(self, engine: Engine) -> dict[str, Any]:
        """Everything, plain."""
        return {
            "rule": self.rule.id,
            "expr": " ".join(self.rule.expr.text.split()),
            "mode": self.rule.mode,
            "for": str(Duration(self.rule.hold_for)),
            "customer_id": self.customer_id,
            "looked_at": self.rows,
            "moments": [
                {
                    "at": rfc3339(one.at),
                    "fires": WORDS[one.fires],
                    "clears": one.clears,
                    "exceptions": list(one.excepted),
                    "clauses": [
                        {"text": " ".join(clause.text.split()), "state": WORDS[clause.state], "values": shown}
                        for clause, shown in zip(one.clauses, one.shown, strict=True)
                    ],
                }
                for one in self.moments
            ],
            "fired": self.fired(engine),
            "held": None if (alarm := engine.held.get(self.rule.id)) is None else f"{rfc3339(alarm.at)}: {alarm}",
        }


def _states(moment: Moment) -> tuple[Any, ...]:
    return moment.fires, moment.clears, moment.excepted, tuple(clause.state for clause in moment.clauses)


def _values(engine: Engine, clause: Clause) -> str:
    said = []
    for name, value in clause.values.items():
        known = engine.evaluation.definitions.features.get(name)
        if value != value:
            text: str | None = "unknown"
        elif known is not None and known.kind == "category":
            text = engine.evaluation.definitions.text(name, value)
        elif known is not None and known.kind == "bool":
            text = "yes" if value else "no"
        else:
            text = f"{value:.6g}"
        said.append(f"{name} = {text}")
    return ", ".join(said)


def on_trial(configuration: Configuration, rule: Rule) -> Configuration:
    """The configuration with a rule that is switched off judged as a shadow rule."""
    if rule.mode != "off":
        return configuration
    rules = configuration.rules
    off = tuple(one for one in rules.switched_off if one.id != rule.id)
    return replace(
        configuration, rules=replace(rules, rules=(*rules.rules, replace(rule, mode="shadow")), switched_off=off)
    )


def text_of(found: dict[str, Any]) -> Sequence[str]:
    """Lines for a terminal."""
    lines = [
        f"{found['rule']} ({found['mode']}): {found['expr']}",
        f"{found['customer_id']}: looked at {found['looked_at']} times",
    ]
    for one in found["moments"]:
        clear = ", clear" if one["clears"] else ""
        except_ = f", excepted by {' '.join(one['exceptions'])}" if one["exceptions"] else ""
        lines.append(f"{one['at']}  {one['fires']}{clear}{except_}")
        lines += [f"    {clause['state']:<8}{clause['text']}   ({clause['values']})" for clause in one["clauses"]]
    lines += [in_words(one) for one in found["fired"]]
    if found["held"]:
        lines.append(f"the guard held it at {found['held']}")
    return lines if found["fired"] else [*lines, _never(found)]


def _never(found: dict[str, Any]) -> str:
    """That it did not fire; why, where its condition was true."""
    if not any(one["fires"] == "true" for one in found["moments"]):
        return "it would not have fired"
    wait = f": `for: {found['for']}` asks that it stays true so long" if found["for"] != "0" else ""
    return f"it was true, but would not have fired{wait}"
