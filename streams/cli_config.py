"""`churn rules ...` and `churn config ...`: for the people who write the configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from events.columns import Batch
from events.decode import decode
from rules.casefile import read_cases
from rules.caserun import Runner
from rules.check import check
from rules.coverage import Coverage
from rules.faults import ConfigurationError, Fault, errors, in_one_line
from rules.findings import FORMATS
from rules.formats import Style
from rules.load import Configuration
from rules.ruleset import Rule
from streams import bootstrap, clock
from streams.observing import ObservedEngine
from streams.problems import FINDINGS, UsageError, guarded

rules = typer.Typer(no_args_is_help=True, help="For rule authors.")
config = typer.Typer(no_args_is_help=True, help="The whole configuration.")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
]


@rules.callback()
def rules_root() -> None:
    """For rule authors."""


@config.callback()
def config_root() -> None:
    """The whole configuration."""


@config.command("check")
@guarded
def config_check(folder: ConfigOption = None) -> None:
    """Check every file of the configuration and the environment; connects to nothing."""
    chosen = bootstrap.config_folder(folder)
    conclude(check(chosen, bootstrap.schema(), os.environ), f"{in_one_line(str(chosen))}: fine")


@rules.command("check")
@guarded
def rules_check(
    folder: ConfigOption = None,
    form: Annotated[str, typer.Option("--format", help="text, json, sarif or github.")] = "text",
) -> None:
    """Check the rules and all that they refer to: names, types, units, texts, tests."""
    if form not in FORMATS:
        raise UsageError(f"--format {form}: {', '.join(FORMATS)}")
    chosen = bootstrap.config_folder(folder)
    conclude(check(chosen, bootstrap.schema(), os.environ, clock.now()), f"{in_one_line(str(chosen))}: fine", form)


def conclude(faults: Sequence[Fault], fine: str, form: str = "text") -> None:
    """Print the findings, or that there are none. An unknown CHURN_... variable is said but is no finding: orchestrators
    put their own beside ours.
    """
    typer.echo(
        FORMATS[form](faults) if faults or form in {"json", "sarif"} else fine if form == "text" else "",
        nl=bool(faults) or form != "github",
    )
    if any(fault.severity == "error" or not fault.file.startswith("environment ") for fault in faults):
        raise typer.Exit(FINDINGS)


@rules.command("test")
@guarded
def rules_test(
    folder: ConfigOption = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="List what no test makes true, or false.")] = False,
) -> None:
    """Run the tests beside the rules (*_test.yaml), and say how much of the rules they look at."""
    chosen = bootstrap.config_folder(folder)
    configuration = bootstrap.announced(chosen)
    schema = configuration.schema
    found = configuration.rules
    cases, faults = read_cases(chosen, (*found.rules, *found.switched_off), schema)
    if wrong := errors(faults):
        raise ConfigurationError(wrong)
    style = Style("en", configuration.settings.currency, configuration.settings.utc_offset)
    seen = Coverage((*found.rules, *found.switched_off))

    def engine(judged: Sequence[Rule]) -> ObservedEngine:
        champion, _ = bootstrap.champion(configuration)
        return ObservedEngine(
            judging(configuration, judged), champion, lambda _engine, _rows, _count, sheet: seen.note(sheet, judged)
        )

    runner = Runner(schema, engine, decode_case, style, seen)
    failed = 0
    for case in cases:
        differences = runner.run(case)
        failed += bool(differences)
        for difference in differences:
            typer.echo(f"{in_one_line(case.file)}:{case.line}: {case.entry.name}: {difference}")
    if coverage:
        typer.echo("\n".join(seen.missing()))
    typer.echo(seen.summary())
    typer.echo(f"{len(cases)} tests, {failed} failed")
    if failed:
        raise typer.Exit(FINDINGS)


def judging(configuration: Configuration, judged: Sequence[Rule]) -> Configuration:
    """The configuration with some rules alone, shadow rules as live ones: a test is of the rule, whatever its mode."""
    live = tuple(replace(rule, mode="live") for rule in judged if rule.mode != "off")
    return replace(configuration, rules=replace(configuration.rules, rules=live))


def decode_case(raw: bytes, file: str) -> Batch:
    """The events of a case, as they would come from a file."""
    return decode(raw, file, received_at=clock.now_text())
