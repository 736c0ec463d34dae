"""`churn rules apply|release|live`: what the workers that run now judge by."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from streams import bootstrap
from streams.commands.approval import ByOption, NoteOption, giving, rules, rules_within, send
from streams.commands.config import ConfigOption
from streams.problems import guarded
from streams.who import user

__all__ = ["rules"]


@rules.command("apply")
@guarded
def rules_apply(
    path: Annotated[Path | None, typer.Argument(help="A folder of rules; else those of the configuration.")] = None,
    config: ConfigOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    restart: Annotated[
        bool, typer.Option("--restart", help="Settings that state rests on may differ: engines are made anew from it.")
    ] = False,
) -> None:
    """Have all workers go by a configuration; those that start later do too. With four eyes it must have been approved."""
    folder = bootstrap.config_folder(config)
    within = None if path is None else rules_within(path, folder)
    send(folder, "applied", by, note, rules=within, rebuild=restart)


@rules.command("release")
@guarded
def rules_release(
    names: Annotated[list[str], typer.Argument(metavar="RULE...", help="Rules that the guard holds.")],
    by: ByOption = None,
    note: NoteOption = "",
) -> None:
    """Say yes to rules that the guard holds in shadow: all workers let them loose."""
    order = giving().release(names, by or user(), note)
    typer.echo(f"released {', '.join(names)} of {order.bundle[:12]}, by {order.by}")


@rules.command("live")
@guarded
def rules_live() -> None:
    """Show what workers were told to go by, when and by whom; the last line that names a configuration is in force. The version
    is that of its rules, as warnings name it.
    """
    lines = import_module("streams.live.bundle").in_words(giving().given())
    typer.echo("\n".join(lines) or "no worker has ever run here")
