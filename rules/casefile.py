"""The shape of a case file (`*_test.yaml` beside the rules), after promtool's unit tests.

    version: 1
    tests:
      - name: use at a third of the own normal          values in: the conditions alone, without `for`
        features: {usage_7d_vs_own: 0.33}               what is not named is unknown; `at` is the time, for validity
        exp_rules: [usage-dropping]                     of the rules of `rule_files` exactly these fire
        exp_cleared: []                                 and exactly these are clear (when given)
      - name: after two days, not before                events in: the whole engine
        start: 2026-03-01T00:00:00+08:00                with the rules of `rule_files` alone, shadow rules as if live
        input_events:
          - {at: 0h, every: 1d, times: 40, type: usage.recorded, with: {service: data, mb: 900}}
        warning_test:
          - {eval_time: 37d, exp_warnings: []}          the warnings open at that time; [] for none
          - {eval_time: 41d, exp_warnings: [{tier: watch, rules: [usage-dropping]}]}

`rule_files` is by default the file of the same name (`usage_test.yaml`: `usage.yaml`).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, field

from rules.case_events import event_faults
from rules.documents import Document
from rules.durations import Duration
from rules.faults import Fault
from rules.feature_types import FeatureType, Schema
from rules.hints import did_you_mean
from rules.load import read_file
from rules.rulefile import Bilingual, Code, Identifier, Strict
from rules.ruleset import Rule
from rules.units import SHARES, quantity, too_large_a_share

Kinds = {"number": float, "bool": bool, "category": str}


class InputEvents(Strict, frozen=True, kw_only=True):
    """An event of the contract, once or repeated; common fields are filled in."""

    at: Duration
    every: Duration | None = None
    times: Annotated[int, Meta(ge=1, le=10_000)] = 1
    type: str
    customer_id: str = "customer"
    fields: dict[str, Any] = field(name="with", default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for repetition without a distance."""
        if self.times > 1 and not self.every:
            raise ValueError("`times` needs `every`")


class ExpectedWarning(Strict, frozen=True, kw_only=True):
    """What an open warning must be like: each field that is given, with at least these rules and reasons."""

    tier: Code | None = None
    cause: Code | None = None
    queue: Identifier | None = None
    customer_id: str | None = None
    rules: tuple[Identifier, ...] = ()
    reasons: tuple[Code, ...] = ()


class WarningTest(Strict, frozen=True, kw_only=True):
    """The warnings open at a time after the start."""

    eval_time: Duration
    exp_warnings: tuple[ExpectedWarning, ...]


class CaseEntry(Strict, frozen=True, kw_only=True):
    """One case: feature values, or events over time."""

    name: str
    features: dict[str, float | bool | str] | None = None
    at: dt.datetime | None = None
    exp_rules: tuple[Identifier, ...] | None = None
    exp_cleared: tuple[Identifier, ...] | None = None
    exp_text: dict[Identifier, Bilingual] = field(default_factory=dict)
    start: dt.datetime | None = None
    input_events: tuple[InputEvents, ...] | None = None
    warning_test: Annotated[tuple[WarningTest, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a case that is neither of the two, or both."""
        values = self.features is not None and self.exp_rules is not None
        events = self.start is not None and self.input_events is not None and self.warning_test is not None
        other = (self.start, self.input_events, self.warning_test) if values else (self.features, self.exp_rules)
        if not (values or events) or any(one is not None for one in other):
            raise ValueError("a case has `features` and `exp_rules`, or `start`, `input_events` and `warning_test`")


class CaseFile(Strict, frozen=True, kw_only=True):
    """A whole file of cases."""

    version: Annotated[int, Meta(ge=1, le=1)]
    rule_files: tuple[str, ...] | None = None
    tests: Annotated[tuple[CaseEntry, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Case:
    """A case with the rules it judges and its place."""

    entry: CaseEntry
    rules: tuple[Rule, ...]
    file: str
    line: int

    @property
    def expects(self) -> frozenset[str]:
        """Ids of the rules that this case expects to fire."""
        warnings = [one for test in self.entry.warning_test or () for one in test.exp_warnings]
        return frozenset(self.entry.exp_rules or ()).union(*(one.rules for one in warnings))


def read_cases(folder: Path, rules: Sequence[Rule], schema: Schema) -> tuple[list[Case], list[Fault]]:
    """The cases of a configuration folder, or of a folder of rules alone, and every fault in their files."""
    cases: list[Case] = []
    faults: list[Fault] = []
    within = folder / "rules" if (folder / "rules").is_dir() else folder
    for file in sorted(within.glob("*_test.yaml")):
        document, found = read_file(file, CaseFile, faults)
        if found is not None:
            cases += _cases(document, found, file, rules, schema, faults)
    return cases, faults


def _cases(
    document: Document, found: CaseFile, file: Path, rules: Sequence[Rule], schema: Schema, faults: list[Fault]
) -> list[Case]:
    named = found.rule_files or (file.name.replace("_test.yaml", ".yaml"),)
    for i, name in enumerate(named):
        if not (file.parent / name).is_file():
            path = ("rule_files", i) if found.rule_files else ()
            faults.append(document.fault(path, f"no rule file `{name}` beside this file", "missing-file"))
    judged = tuple(rule for rule in rules if Path(rule.file).name in named)
    by_id = {rule.id: rule for rule in judged}
    cases = []
    for i, entry in zip(document.kept(("tests",)), found.tests, strict=True):
        case = Case(entry, judged, document.file, document.fault(("tests", i), "").line)
        faults += _unknown_features(document, i, entry.features or {}, schema)
        if entry.input_events is not None:
            within = ("tests", i, "input_events")
            for k, event in zip(document.kept(within), entry.input_events, strict=True):
                faults += event_faults(document, (*within, k), event)
        for rule in sorted(case.expects | set(entry.exp_cleared or ()) | entry.exp_text.keys()):
            if rule not in by_id:
                message = f"no rule `{rule}` in {', '.join(named)}{did_you_mean(rule, by_id)}"
                faults.append(document.fault(("tests", i), message, "unknown-name"))
        cases.append(case)
    return cases


def _unknown_features(
    document: Document, i: int, features: Mapping[str, float | bool | str], schema: Schema
) -> list[Fault]:
    faults = []
    for name, value in features.items():
        path = ("tests", i, "features", name)
        if name not in schema:
            faults.append(
                document.fault(path, f"no feature `{name}`{did_you_mean(name, schema)}", "unknown-name", key=True)
            )
        elif wrong := _wrong_value(schema[name], value):
            faults.append(document.fault(path, f"`{name}` {wrong}", "wrong-type"))
        elif schema[name].unit in SHARES and (said := too_large_a_share(float(value), plain=True)):
            faults.append(replace(document.fault(path, f"`{name}`: {said}", "no-percent"), severity="warning"))
    return faults


def _as_number(text: str, unit: str) -> str:
    """What a text is as the plain number that a test takes, where it is one: `30%` is 0.3, `9 GB` are 9000 MB."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = quantity(plain)
    try:
        number = found.within(unit, "CNY") if found else float(plain)
    except ValueError:
        return ""
    return " (without quotes it is one)" if found is None and plain == text else f": {text} is {number:.15g} here"


def _wrong_value(typed: FeatureType, value: float | bool | str) -> str:
    if type(value) is not Kinds[typed.kind]:
        if typed.kind == "number" and isinstance(value, str):
            return f"must be a number{_as_number(value, typed.unit)}"
        return {"number": "must be a number", "bool": "must be true or false", "category": "must be a text"}[typed.kind]
    if isinstance(value, str) and typed.values and value not in typed.values:
        return f"is never {value!r}{did_you_mean(value, typed.values)}"
    return ""
