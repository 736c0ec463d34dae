"""Runs the cases beside rules (`*_test.yaml`), as `churn rules test` does and `churn rules propose` does before it hands anything in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.observing import ObservedEngine
from events.columns import Batch
from events.decode import decode
from rules.casefile import read_cases
from rules.caserun import Runner
from rules.coverage import Coverage
from rules.faults import ConfigurationError, errors, in_one_line
from rules.formats import Style
from rules.load import Configuration
from rules.ruleset import Rule
from streams import bootstrap, clock


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the cases: how many there are, how many failed, what differs in lines, and what was looked at."""

    cases: int
    failed: int
    differences: tuple[str, ...]
    seen: Coverage


def try_cases(folder: Path, configuration: Configuration) -> Tried:
    """Runs the cases of a configuration folder, or of a folder of rules, on rules read from it already.

    Raises ConfigurationError for cases that cannot be read.
    """
    found = configuration.rules
    judged = (*found.rules, *found.switched_off)
    cases, faults = read_cases(folder, judged, configuration.schema)
    if wrong := errors(faults):
        raise ConfigurationError(wrong)
    seen = Coverage(judged)
    runner = _runner(configuration, seen)
    differences: list[str] = []
    failed = 0
    for case in cases:
        differing = runner.run(case)
        failed += bool(differing)
        differences += [f"{in_one_line(case.file)}:{case.line}: {case.entry.name}: {one}" for one in differing]
    return Tried(len(cases), failed, tuple(differences), seen)


def _runner(configuration: Configuration, seen: Coverage) -> Runner:
    def engine(judged: Sequence[Rule]) -> ObservedEngine:
        champion, _ = bootstrap.champion(configuration)
        return ObservedEngine(
            judging(configuration, judged), champion, lambda _engine, _rows, _count, sheet: seen.note(sheet, judged)
        )

    style = Style("en", configuration.settings.currency, configuration.settings.utc_offset)
    return Runner(configuration.schema, engine, decode_case, style, seen)


def judging(configuration: Configuration, judged: Sequence[Rule]) -> Configuration:
    """The configuration with some rules alone, shadow rules as live ones: a test is of the rule, whatever its mode."""
    live = tuple(replace(rule, mode="live") for rule in judged if rule.mode != "off")
    return replace(configuration, rules=replace(configuration.rules, rules=live))


def decode_case(raw: bytes, file: str) -> Batch:
    """The events of a case, as they would come from a file."""
    return decode(raw, file, received_at=clock.now_text())
