"""`churn rules backtest`: what a rule set would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from rules.backtest_words import in_words
from rules.backtesting import findings
from rules.formats import LANGUAGES
from sinks import terminal
from sinks.named import named
from sinks.report.backtest import backtest_page
from streams import bootstrap, given
from streams.commands.config import ConfigOption
from streams.commands.rules import rules
from streams.day_files import day_files
from streams.problems import UsageError, guarded
from streams.studies.trials import Asked, tried_both

__all__ = ["rules"]


@rules.command("backtest")
@guarded
def rules_backtest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Events, with outcomes where they are known; or folders of daily rows (replay --feature-rows).",
        ),
    ],
    new: Annotated[
        Path | None,
        typer.Option("--rules", help="A configuration folder, a folder of rules, or a file; else --config's."),
    ] = None,
    against: Annotated[Path | None, typer.Option("--against", help="The same, to compare with.")] = None,
    config: ConfigOption = None,
    sample: Annotated[float, typer.Option(help="Look at this share of the customers, and scale up.")] = 1.0,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model; else one learns on the way.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the page here, as HTML.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    language: Annotated[str, typer.Option(help="Of the page: en or zh-CN.")] = "en",
) -> None:
    """Say what rules would have done on these events: warnings by tier, queue and day, how good they were, whom they concern
    now, the load of care; and against other rules who flips.
    """
    sampled(sample)
    page_language(language)
    days = day_files(tuple(files))
    given.inputs(files if days is None else list(map(str, days)))
    given.model(model)
    if days is not None and model is not None:
        raise UsageError("--model: daily rows hold the risk as it was recorded")
    given.outputs((out, as_json), files)
    if against is not None and "-" in files:
        raise UsageError("-: standard input can be read once, but --against needs it twice")
    folder = bootstrap.config_folder(config)
    bootstrap.announced(folder, new)  # faults are told before the files are read
    bootstrap.as_it_stands(folder, against)  # it may have been in force
    asked = Asked(tuple(files), folder, new, sample, model)
    other = None if against is None else Asked(tuple(files), folder, against, sample, model)
    names = files if days is None else days
    regular = [Path(file).stat().st_size for file in names if Path(file).is_file()]
    with terminal.progress_bar(Console(stderr=True), sum(regular) if len(regular) == len(names) else None) as watch:
        tried, beside = tried_both(asked, other, watch)
    if not tried.events:
        raise UsageError(f"no backtest: {', '.join(files)}: no events{'' if sample == 1 else ' of the sample'}")
    found = findings(tried, beside)
    if out is not None:
        with named(out):
            out.write_text(backtest_page(found, language), encoding="utf-8")
    if as_json is not None:
        with named(as_json):
            as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    typer.echo("\n".join(in_words(found)))


def sampled(share: float) -> None:
    """A share of the customers to look at; raises UsageError."""
    if not 0 < share <= 1:
        raise UsageError(f"--sample {share:g}: more than 0, at most 1")


def page_language(language: str) -> None:
    """A language that pages are written in; raises UsageError."""
    if language not in LANGUAGES:
        raise UsageError(f"--language {language}: {' or '.join(LANGUAGES)}")
