"""`churn rules ...` and `churn config ...`: for the people who write the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from detectors.features import FEATURES
from rules.faults import Fault, errors, render
from rules.load import examine
from streams import bootstrap
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
    _, faults = examine(chosen, bootstrap.schema(), os.environ)
    conclude(faults, f"{chosen}: fine", fails=bool(errors(faults)))


@rules.command("check")
@guarded
def rules_check(folder: ConfigOption = None) -> None:
    """Check the rules and all that they refer to: names, types, units, texts."""
    chosen = bootstrap.config_folder(folder)
    found, faults = examine(chosen, bootstrap.schema())
    count = len(found.rules.rules) if found else 0
    conclude(faults, f"{count} rules in {chosen}: fine", fails=bool(faults))


def conclude(faults: list[Fault], fine: str, *, fails: bool) -> None:
    """Print the findings, or that there are none."""
    typer.echo(render(faults) if faults else fine)
    if fails:
        raise typer.Exit(FINDINGS)


@rules.command("features")
@guarded
def rules_features() -> None:
    """List the features that a rule may name."""
    console = Console()
    if not console.is_terminal:
        for feature in FEATURES:
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
    for feature in FEATURES:
        unit = feature.unit if feature.kind == "number" else feature.kind
        table.add_row(feature.name, unit, feature.window, f"{feature.en}\n{feature.zh}", " ".join(feature.causes))
    console.print(table)
