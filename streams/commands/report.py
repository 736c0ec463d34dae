"""`churn report`: a period's warnings and what came of them, as a page and as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from engine.engine import Engine
from sinks import terminal
from sinks.named import named
from sinks.report.findings import findings
from sinks.report.page import page
from sinks.report.words import LANGUAGES
from streams import bootstrap, given
from streams.problems import UsageError, complain, guarded
from streams.replay import Job, replay

DATE = "YYYY-MM-DD"


@guarded
def report_command(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]", help="Events to replay first, as for `replay`; none with a --state that has them."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write the page here, as HTML.")] = Path("report.html"),
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the numbers here, as JSON.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar=DATE, help="First day; else the first counted.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar=DATE, help="Last day; else the newest event's.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder to go on from and to leave the state in.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model and learn nothing.")] = None,
    language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en",
    pilot: Annotated[
        bool,
        typer.Option("--pilot", help="A silent period on own data: nobody was contacted. What would have been warned?"),
    ] = False,
) -> None:
    """The risk report of a period: warnings, how good they were, incidents, retention, satisfaction, complaints."""
    if language not in LANGUAGES:
        raise UsageError(f"--language {language}: {' or '.join(LANGUAGES)}")
    begin, end = date_given(first, "--from"), date_given(last, "--to")
    names = present(files or [], state)
    given.outputs((out, as_json), names)
    given.model(model)
    configuration = bootstrap.configuration(bootstrap.config_folder(config))
    made: list[Engine] = []

    def build(saved: Mapping[str, Any] | None) -> Engine:
        made.append(bootstrap.engine(configuration, model, saved, ledger=True))
        return made[-1]

    regular = [Path(name).stat().st_size for name in names if Path(name).is_file()]
    with terminal.progress_bar(Console(stderr=True), sum(regular) if len(regular) == len(names) else None) as watch:
        result = replay(Job(names, state=state), build, complain, watch)
    try:
        found = findings(made[-1].history(), begin, end, result.get("model"), silent=pilot)
    except ValueError as error:
        raise UsageError(f"no report: {error}") from error
    causes = {cause: {"en": one.text.en, "zh-CN": one.text.zh_cn} for cause, one in configuration.causes.items()}
    with named(out):
        out.write_text(page(found, language, configuration.settings.tiers, causes), encoding="utf-8")
    if as_json is not None:
        with named(as_json):
            as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if pilot and not found["pilot"]["contacts"]["silent"]:
        complain(not_silent(found["pilot"]["contacts"]))
    terminal.Screen().print(f"{out}: {found['period']['from']} to {found['period']['to']}", markup=False)


def not_silent(contacts: Mapping[str, Any]) -> str:
    """What is wrong with a pilot in which customers were contacted."""
    count, first, last = contacts["count"], contacts["first"], contacts["last"]
    return (
        f"not a silent period: {count} contacts or results of care from {first} to {last}; "
        "who was kept by one counts as a false alarm"
    )


def date_given(text: str | None, option: str) -> dt.date | None:
    """A date; raises UsageError."""
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: not a date such as 2026-01-31") from error


def present(files: list[str], state: Path | None) -> list[str]:
    """The files, which must exist; without any, the state must. Raises UsageError."""
    given.inputs(files)
    given.state(state)
    if not files and (state is None or not state.is_dir()):
        raise UsageError("give files of events, or --state with the folder of a replay")
    return files
