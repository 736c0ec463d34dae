"""The configuration folder, read whole: every fault of every file in one go, or a configuration that can be used.

    churn.yaml  actions.yaml  workdays.yaml  rules/*.yaml (rules/*_test.yaml are cases, see `casefile`)
    policy.yaml (without it no action is forbidden)  plans.yaml (without it no plan is known)

The only part of this room that reads files; the environment is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeVar

from rules.compile_rules import RuleCompiler
from rules.crosschecks import action_faults, calendar_of, settings_faults
from rules.documents import Document, Path
from rules.environment import overridden
from rules.faults import ConfigurationError, Fault, errors, limited
from rules.feature_types import Schema
from rules.plans import PlansFile
from rules.policy import NO_LIMITS, Policy, PolicyFile, compile_policy
from rules.rulefile import RuleFile
from rules.ruleset import RuleSet
from rules.settings import Action, ActionFile, CauseEntry, Settings, WorkdaysFile
from rules.shapes import read
from rules.signals import features_of, signal_faults
from rules.vocabulary import types_of
from rules.workdays import WorkCalendar
from rules.yaml_source import parse

T = TypeVar("T")
OTHER_FILES = ("churn.yaml", "actions.yaml", "workdays.yaml", "policy.yaml", "plans.yaml")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an engine needs to know that is not data; `schema` is what rules may name, the operator's signals included."""

    settings: Settings
    actions: Mapping[str, Action]
    causes: Mapping[str, CauseEntry]
    calendar: WorkCalendar
    rules: RuleSet
    policy: Policy = NO_LIMITS
    plans: PlansFile | None = None
    schema: Schema = field(default_factory=dict)

    def actions_for(self, cause: str, tier: str) -> tuple[str, ...]:
        """Codes of the actions that follow from a cause at a tier, the first being tried first."""
        return self.causes[cause].actions.get(tier, ())


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a folder: a configuration unless an error stands against it, and all faults, warnings too.

    `places` tells where each rule stands, for findings about rules that are right in themselves.
    """

    configuration: Configuration | None
    faults: list[Fault]
    places: Mapping[str, tuple[Document, Path]]
    settings_document: Document


def load(
    folder: FilePath, schema: Schema, environment: Mapping[str, str] | None = None, rules: FilePath | None = None
) -> Configuration:
    """Reads a configuration folder, with its rules or those of `rules` (see `rule_files`), as one that was taken up already.

    Raises ConfigurationError with what keeps it from being worked by; what else is wrong keeps it from being taken up
    (`rules.check.accepted`).
    """
    reading = examine(folder, schema, environment, rules)
    if reading.configuration is None:
        raise ConfigurationError(errors(reading.faults))
    return reading.configuration


def examine(
    folder: FilePath, schema: Schema, environment: Mapping[str, str] | None = None, rules: FilePath | None = None
) -> Reading:
    """Reads a configuration folder and says all that is wrong with it."""
    faults: list[Fault] = []
    document, settings = _settings(folder, environment or {}, schema, faults)
    schema = {**schema, **types_of(features_of(settings.signals))} if settings else schema
    tiers = settings.tiers if settings else ()
    actions = _actions(folder, tiers, faults)
    calendar = _calendar(folder, settings.utc_offset if settings else 0, faults)
    compiler = _rules(rules or folder, schema, settings, actions, faults)
    policy = _policy(folder, schema, actions, faults)
    plans = _plans(folder, faults)
    configuration = None
    if settings and actions and calendar and not errors(faults):
        causes = {str(cause): entry for cause, entry in actions.causes.items()}
        found = compiler.result()
        configuration = Configuration(settings, actions.actions, causes, calendar, found, policy, plans, schema)
    return Reading(configuration, limited(faults), compiler.places, document)


def rule_files(folder: FilePath) -> list[FilePath]:
    """The rule files of a configuration folder, of a folder that holds nothing else, or one such file; in order of name."""
    if folder.is_file():
        return [folder]
    within = folder / "rules" if (folder / "rules").is_dir() else folder
    return sorted(
        file
        for file in within.glob("*.yaml")
        if not file.name.endswith("_test.yaml") and (within != folder or file.name not in OTHER_FILES)
    )


def read_file(file: FilePath, shape: type[T], faults: list[Fault]) -> tuple[Document, T | None]:
    """One file as `shape`, as far as it could be read; what is wrong with it is added to `faults`."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        reason = "the file is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        faults.append(Fault(str(file), 1, 1, reason, "missing-file"))
        return Document(str(file), "", None), None
    document, wrong = parse(str(file), raw)
    found, misshapen = read(document, shape)
    faults += [*wrong, *misshapen]
    return document, found


def _settings(
    folder: FilePath, environment: Mapping[str, str], schema: Schema, faults: list[Fault]
) -> tuple[Document, Settings | None]:
    document, settings = read_file(folder / "churn.yaml", Settings, faults)
    if settings is None:
        return document, None
    settings, wrong = overridden(settings, environment)
    faults += [*wrong, *settings_faults(document, settings), *signal_faults(document, settings.signals, schema)]
    return document, settings


def _actions(folder: FilePath, tiers: tuple[str, ...], faults: list[Fault]) -> ActionFile | None:
    document, actions = read_file(folder / "actions.yaml", ActionFile, faults)
    if actions is not None and tiers:
        faults += action_faults(document, actions, tiers)
    return actions


def _calendar(folder: FilePath, utc_offset: int, faults: list[Fault]) -> WorkCalendar | None:
    document, workdays = read_file(folder / "workdays.yaml", WorkdaysFile, faults)
    if workdays is None:
        return None
    calendar, wrong = calendar_of(document, workdays, utc_offset)
    faults += wrong
    return calendar


def _policy(folder: FilePath, schema: Schema, actions: ActionFile | None, faults: list[Fault]) -> Policy:
    file = folder / "policy.yaml"
    if not file.exists():
        return NO_LIMITS
    document, found = read_file(file, PolicyFile, faults)
    if found is None or actions is None:
        return NO_LIMITS
    policy, wrong = compile_policy(document, found, schema, actions.actions)
    faults += wrong
    return policy


def _plans(folder: FilePath, faults: list[Fault]) -> PlansFile | None:
    file = folder / "plans.yaml"
    return read_file(file, PlansFile, faults)[1] if file.exists() else None


def _rules(
    folder: FilePath, schema: Schema, settings: Settings | None, actions: ActionFile | None, faults: list[Fault]
) -> RuleCompiler:
    """The compiled rules; without tiers and actions names cannot be judged, so then only the files' shape is."""
    tiers = settings.tiers if settings else ()
    compiler = RuleCompiler(schema, tiers, actions.actions if actions else ())
    if settings is not None:
        compiler.currency, compiler.utc_offset = settings.currency, int(settings.utc_offset)
    files = rule_files(folder)
    if not files:
        faults.append(Fault(str(folder / "rules"), 1, 1, "no rule files (*.yaml) here", "missing-file"))
    for file in files:
        document, found = read_file(file, RuleFile, faults)
        if found is not None and tiers and actions:
            compiler.add(document, found)
    faults += compiler.faults
    return compiler
