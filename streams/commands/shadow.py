"""`churn rules shadow`: would-be warnings beside live ones."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams import bootstrap, given
from streams.commands.apply import rules
from streams.commands.config import ConfigOption
from streams.commands.rules import FormatOption, checked_format
from streams.files import CutOffError, lines_of
from streams.problems import UsageError, guarded
from streams.studies.side_by_side import compared, in_words

__all__ = ["rules"]


@rules.command("shadow")
@guarded
def rules_shadow(
    shadow: Annotated[
        Path | None,
        typer.Argument(metavar="[SHADOW]", help="Would-be warnings of `churn replay --shadow`; else Kafka's."),
    ] = None,
    warnings: Annotated[Path | None, typer.Option(help="With a file: the live warnings of the same replay.")] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="With a file: events, among them who left, for precision and recall.")
    ] = None,
    config: ConfigOption = None,
    form: FormatOption = "text",
) -> None:
    """Compare what shadow rules would have warned of with what live rules did, from files or from the workers' topics."""
    checked_format(form)
    settings = bootstrap.announced(bootstrap.config_folder(config), read=bootstrap.as_it_stands).settings
    if (shadow is None) != (warnings is None):
        raise UsageError("a file of would-be warnings is compared with one of warnings (--warnings FILE)")
    if shadow is not None and warnings is not None:
        given.inputs([str(one) for one in (shadow, warnings, outcomes) if one is not None])
        lines = [[] if one is None else whole(one) for one in (warnings, shadow, outcomes)]
    else:
        topics = import_module("streams.live.topics")
        values = import_module("streams.live.looking_back").values
        lines = [values(topics.WARNINGS, topics.HELD_OUT), values(topics.SHADOW), values(topics.OUTCOMES)]
    try:
        found = compared(lines[0], lines[1], lines[2], settings.tiers, settings.horizon_days)
    except msgspec.MsgspecError as error:
        raise UsageError(f"not what the engine wrote: {error}") from error
    typer.echo(msgspec.json.format(msgspec.json.encode(found)) if form == "json" else "\n".join(in_words(found)))


def whole(path: Path) -> list[bytes]:
    """A file's lines, unpacked; raises UsageError for one that ends too early."""
    try:
        return lines_of(str(path))
    except CutOffError as error:
        raise UsageError(f"{path}: {error}") from error
