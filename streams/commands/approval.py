"""`churn rules propose|approve|rollback|log`: who put which rules in force."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rules.approval import ApprovalError, Book, Entry, in_words, same_person, short
from rules.comparing import differences
from rules.load import Configuration
from streams import bootstrap, clock
from streams.commands.config import ConfigOption
from streams.commands.tune import rules
from streams.problems import UsageError, guarded
from streams.studies.trying_cases import try_cases
from streams.who import user

__all__ = ["rules"]

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who does it; else the user of the machine.")
]
LiveOption = Annotated[bool, typer.Option("--live", help="Tell all workers at once, as `churn rules apply` would.")]
Act = Literal["applied", "approved", "rolled_back"]
NoteOption = Annotated[str, typer.Option("--note", help="Why.")]


def book(folder: Path) -> Book:
    """The log of a configuration; raises UsageError for one that was tampered with."""
    try:
        return Book(folder)
    except ApprovalError as error:
        raise UsageError(str(error)) from error


@rules.command("propose")
@guarded
def rules_propose(
    path: Annotated[
        Path | None, typer.Argument(help="A folder of rules, or a configuration; else the one in force.")
    ] = None,
    config: ConfigOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    untested: Annotated[
        bool, typer.Option("--untested", help="Whatever its tests say; the log's note says so.")
    ] = False,
) -> None:
    """Hand in a rule set for approval. It must be free of faults and pass its tests; what it changes is said."""
    folder = bootstrap.config_folder(config)
    proposed = rules_within(path, folder)
    found = bootstrap.announced(folder, proposed)
    if untested:
        note = f"{note} (untested)".lstrip()
    else:
        passing(proposed, found)
    entry = _done(lambda: book(folder).propose(proposed, found.rules.version, by or user(), clock.now_text(), note))
    for line in differences(bootstrap.as_it_stands(folder).rules, found.rules):
        typer.echo(line)
    typer.echo(f"proposed {short(entry.files)} by {entry.by}; warnings will name it version {entry.version}")


@rules.command("approve")
@guarded
def rules_approve(
    files: Annotated[str, typer.Argument(metavar="HASH", help="What was proposed; its beginning is enough.")],
    config: ConfigOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    live: LiveOption = False,
) -> None:
    """Put a proposed rule set in force. With `approval: {four_eyes: true}` not by whoever proposed it."""
    folder = bootstrap.config_folder(config)
    four_eyes = bootstrap.announced(folder, read=bootstrap.as_it_stands).settings.approval.four_eyes
    who, now, kept = by or user(), clock.now_text(), book(folder)
    fit = partial(bootstrap.configuration, folder)
    entry = _done(lambda: kept.approve(files, who, now, four_eyes=four_eyes, note=note, fit=fit))
    typer.echo(f"{short(entry.files)} is in force, by {entry.by}; warnings name it version {entry.version}")
    if same_person(kept.find(entry.files).by, entry.by):
        typer.echo(
            f"remark: {entry.by} proposed it too, so nobody else has seen it (`approval: {{four_eyes: true}}` in churn.yaml asks that)"
        )
    if live:
        send(folder, "approved", by, note)


@rules.command("rollback")
@guarded
def rules_rollback(
    files: Annotated[str, typer.Argument(metavar="[HASH]", help="Which one; else the one before.")] = "",
    config: ConfigOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    live: LiveOption = False,
) -> None:
    """Put the rule set in force that was so before."""
    folder = bootstrap.config_folder(config)
    who, now = by or user(), clock.now_text()
    entry = _done(lambda: book(folder).rollback(who, now, files, note, fit=partial(bootstrap.configuration, folder)))
    typer.echo(f"{short(entry.files)} is in force again, by {entry.by}; warnings name it version {entry.version}")
    if live:
        send(folder, "rolled_back", by, note)


@rules.command("log")
@guarded
def rules_log(config: ConfigOption = None) -> None:
    """Show which rules were proposed, approved and rolled back, when and by whom; the log's seals are checked."""
    folder = bootstrap.config_folder(config)
    kept = book(folder)
    active = kept.active
    typer.echo("\n".join(in_words(kept.entries, active)) or "nothing was ever proposed")
    if active is not None and kept.written != active.files:
        typer.echo(f"the rules in {folder / 'rules'} are others than those in force ({short(kept.written)})")
        raise typer.Exit(1)


def rules_within(path: Path | None, folder: Path) -> Path:
    """The folder of rules that was asked for, else the configuration's. Raises UsageError where there is none."""
    found = (path or folder) / "rules" if ((path or folder) / "rules").is_dir() else path or folder
    if not found.is_dir():
        raise UsageError(f"{found}: a folder of rules is needed")
    return found


def send(
    folder: Path, act: Act, by: str | None, note: str, *, rules: Path | None = None, rebuild: bool = False
) -> None:
    """Tell all workers. Raises ConfigurationError, UsageError, OutsideError."""
    order, news = giving().apply(folder, rules, act, by or user(), note, rebuild=rebuild)
    said = "all workers go by" if news else "all workers go already by"
    typer.echo(f"{said} configuration {short(order.bundle)}; warnings name its rules version {order.version}")


def giving() -> Any:
    """What workers are told by; Kafka's clients cost every other command half a second."""
    return import_module("streams.live.giving")


def passing(proposed: Path, found: Configuration) -> None:
    """Raises UsageError with what fails of the tests beside rules."""
    tried = try_cases(proposed, found)
    if tried.failed:
        said = f"{tried.failed} of {tried.cases} tests failed; --untested hands it in all the same"
        raise UsageError("\n".join((*tried.differences, said)))


def _done(act: Callable[[], Entry]) -> Entry:
    try:
        return act()
    except ApprovalError as error:
        raise UsageError(str(error)) from error
