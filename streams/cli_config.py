"""`churn rules ...` and `churn config ...`: for the people who write the configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from events.columns import Batch
from events.decode import decode
from rules.casefile import read_cases
from rules.caserun import Runner
from rules.check import check, render
from rules.faults import ConfigurationError, Fault
from rules.formats import Style
from streams import bootstrap, clock
from streams.problems import FINDINGS, guarded

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
    conclude(check(chosen, bootstrap.schema(), os.environ), f"{chosen}: fine")


@rules.command("check")
@guarded
def rules_check(folder: ConfigOption = None) -> None:
    """Check the rules and all that they refer to: names, types, units, texts, tests."""
    chosen = bootstrap.config_folder(folder)
    conclude(check(chosen, bootstrap.schema()), f"{chosen}: fine")


def conclude(faults: Sequence[Fault], fine: str) -> None:
    """Print the findings, or that there are none. An unknown CHURN_... variable is said but is no finding: orchestrators
    put their own beside ours.
    """
    typer.echo(render(faults) if faults else fine)
    if any(fault.severity == "error" or not fault.file.startswith("environment ") for fault in faults):
        raise typer.Exit(FINDINGS)


@rules.command("test")
@guarded
def rules_test(folder: ConfigOption = None) -> None:
    """Run the tests beside the rules (*_test.yaml)."""
    chosen = bootstrap.config_folder(folder)
    configuration = bootstrap.configuration(chosen)
    schema = configuration.schema
    found = configuration.rules
    cases, faults = read_cases(chosen, (*found.rules, *found.switched_off), schema)
    if faults:
        raise ConfigurationError(faults)
    style = Style("en", configuration.settings.currency, configuration.settings.utc_offset)
    runner = Runner(schema, lambda: bootstrap.engine(configuration, None, None), decode_case, style)
    failed = 0
    for case in cases:
        differences = runner.run(case)
        failed += bool(differences)
        for difference in differences:
            typer.echo(f"{case.file}:{case.line}: {case.entry.name}: {difference}")
    typer.echo(f"{len(cases)} tests, {failed} failed")
    if failed:
        raise typer.Exit(FINDINGS)


def decode_case(raw: bytes, file: str) -> Batch:
    """The events of a case, as they would come from a file."""
    return decode(raw, file, received_at=clock.now_text())


@rules.command("features")
@guarded
def rules_features(folder: ConfigOption = None) -> None:
    """List the features that a rule may name, the operator's own signals (`signals:` in churn.yaml) at the end."""
    console, features = Console(), bootstrap.features(bootstrap.configuration(bootstrap.config_folder(folder)))
    if not console.is_terminal:
        for feature in features:
            typer.echo(
                "\t".join(
                    (
                        feature.name,
                        feature.kind,
                        feature.unit,
                        feature.window,
                        feature.en,
                        feature.zh,
                        ",".join(feature.causes),
                    )
                )
            )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("name", "unit", "window", "meaning", "causes"):
        table.add_column(name, overflow="fold")
    for feature in features:
        unit = feature.unit if feature.kind == "number" else feature.kind
        table.add_row(feature.name, unit, feature.window, f"{feature.en}\n{feature.zh}", " ".join(feature.causes))
    console.print(table)
