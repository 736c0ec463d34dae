"""`churn rules ...` and `churn config ...`: for the people who write the configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rules.check import check, examined
from rules.faults import Fault, errors, in_one_line
from rules.findings import FORMATS
from streams import bootstrap, clock
from streams.problems import FINDINGS, UsageError, guarded
from streams.studies.trying_cases import try_cases

rules = typer.Typer(no_args_is_help=True, help="For rule authors.")
config = typer.Typer(no_args_is_help=True, help="The whole configuration.")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
]


WarningsOption = Annotated[
    bool, typer.Option("--allow-warnings", help="Exit code 0 unless there are errors; else 1 for any finding.")
]


@rules.callback()
def rules_root() -> None:
    """For rule authors."""


@config.callback()
def config_root() -> None:
    """The whole configuration."""


@config.command("check")
@guarded
def config_check(folder: ConfigOption = None, allow_warnings: WarningsOption = False) -> None:
    """Check every file of the configuration and the environment; connects to nothing."""
    chosen = bootstrap.config_folder(folder)
    faults = check(chosen, bootstrap.schema(), os.environ)
    conclude(faults, f"{in_one_line(str(chosen))}: fine", allow_warnings=allow_warnings)


@rules.command("check")
@guarded
def rules_check(
    folder: ConfigOption = None,
    form: Annotated[str, typer.Option("--format", help="text, json, sarif or github.")] = "text",
    allow_warnings: WarningsOption = False,
) -> None:
    """Check the rules and all that they refer to: names, types, units, texts, tests."""
    if form not in FORMATS:
        raise UsageError(f"--format {form}: {', '.join(FORMATS)}")
    chosen = bootstrap.config_folder(folder)
    faults, found = examined(chosen, bootstrap.schema(), os.environ, clock.now())
    version = "" if found is None else f"; warnings name these rules version {found.rules.version}"
    fine = f"{in_one_line(str(chosen))}: fine{version}"
    conclude(faults, fine, form, allow_warnings=allow_warnings)


def conclude(faults: Sequence[Fault], fine: str, form: str = "text", *, allow_warnings: bool = False) -> None:
    """Print the findings, or that there are none; raises typer.Exit for findings, of warnings alone unless they are allowed.
    An unknown CHURN_... variable is said but is no finding: orchestrators put their own beside ours.
    """
    typer.echo(
        FORMATS[form](faults) if faults or form in {"json", "sarif"} else fine if form == "text" else "",
        nl=bool(faults) or form != "github",
    )
    told = [one for one in faults if one.severity == "error" or not one.file.startswith("environment ")]
    if errors(told) or (told and not allow_warnings):
        raise typer.Exit(FINDINGS)


@rules.command("test")
@guarded
def rules_test(
    folder: ConfigOption = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="List what no test makes true, or false.")] = False,
) -> None:
    """Run the tests beside the rules (*_test.yaml), and say how much of the rules they look at."""
    chosen = bootstrap.config_folder(folder)
    tried = try_cases(chosen, bootstrap.announced(chosen))
    for difference in tried.differences:
        typer.echo(difference)
    if coverage:
        typer.echo("\n".join(tried.seen.missing()))
    typer.echo(tried.seen.summary())
    typer.echo(f"{tried.cases} tests, {tried.failed} failed")
    if tried.failed:
        raise typer.Exit(FINDINGS)
