"""`churn rules check` and `churn config check`: everything that is wrong with a configuration folder, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rules.casefile import read_cases
from rules.faults import ConfigurationError, Fault, errors, limited, render
from rules.feature_types import Schema
from rules.lint import lint
from rules.load import Configuration, examine
from rules.strays import strays

__all__ = ["accepted", "check", "examined", "render"]


def check(
    folder: Path,
    schema: Schema,
    environment: Mapping[str, str] | None = None,
    now: int | None = None,
    rules: Path | None = None,
) -> list[Fault]:
    """All faults and findings of a folder, with its rules or those of another folder, in order of place; empty when there is
    nothing to say. `now` in µs UTC.
    """
    return examined(folder, schema, environment, now, rules)[0]


def examined(
    folder: Path,
    schema: Schema,
    environment: Mapping[str, str] | None = None,
    now: int | None = None,
    rules: Path | None = None,
) -> tuple[list[Fault], Configuration | None]:
    """As `check`, with the configuration where it can be used."""
    reading = examine(folder, schema, environment, rules)
    found = reading.configuration
    unread = strays(folder)
    if found is None:
        return limited([*reading.faults, *unread]), None
    cases, faults = read_cases(rules or folder, (*found.rules.rules, *found.rules.switched_off), found.schema)
    linted = lint(reading, None if errors(faults) else cases, found.schema, now)
    return limited([*reading.faults, *unread, *faults, *linted]), found


def accepted(
    folder: Path, schema: Schema, environment: Mapping[str, str] | None = None, rules: Path | None = None
) -> Configuration:
    """A configuration that may be taken up. Raises ConfigurationError with all that `check` calls an error, of every file."""
    faults, found = examined(folder, schema, environment, rules=rules)
    wrong = errors(faults)
    if found is None or wrong:
        raise ConfigurationError(wrong)
    return found
