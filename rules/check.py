"""`churn rules check` and `churn config check`: everything that is wrong with a configuration folder, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rules.casefile import read_cases
from rules.faults import Fault, errors, limited, render
from rules.feature_types import Schema
from rules.lint import lint
from rules.load import examine
from rules.strays import strays

__all__ = ["check", "render"]


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
    reading = examine(folder, schema, environment, rules)
    found = reading.configuration
    unread = strays(folder)
    if found is None:
        return limited([*reading.faults, *unread])
    cases, faults = read_cases(rules or folder, (*found.rules.rules, *found.rules.switched_off), found.schema)
    return limited(
        [*reading.faults, *unread, *faults, *lint(reading, None if errors(faults) else cases, found.schema, now)]
    )
