"""`churn run`: a worker on Kafka; `churn seed`: what it knows on day one; what `churn replay --from-kafka` reads."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rules.load import Configuration
from sinks import terminal
from streams import bootstrap, given
from streams.leaving import leave_when_told
from streams.problems import UsageError, complain, ends_at_once, guarded, never_done

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
]
ModelOption = Annotated[Path | None, typer.Option(help="Score with this saved model and learn nothing.")]
worker = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@worker.command("run")
@ends_at_once
@guarded
@never_done
def run_command(config: ConfigOption = None, model: ModelOption = None) -> None:
    """Run a worker on Kafka; start more for more partitions. It ends in order on SIGTERM."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it works it has just read the folder
    leave_when_told()
    given.model(model)
    # Faust and the clients of Kafka cost every other command a second of its start.
    settings = import_module("streams.live.settings").live_settings()
    import_module("streams.live.rows").check(settings)
    folder = bootstrap.config_folder(config)
    configuration = bootstrap.rehearsable(folder)  # judged once it is known what is in force

    def make(rules: Configuration, saved: dict[str, Any] | None) -> Any:
        return bootstrap.engine_of(engines.RecordingEngine, rules, model, saved)

    def rehearsed() -> int:
        return int(rehearsal.rehearse(make(configuration, None)))

    process, engines = import_module("streams.live.process"), import_module("streams.recording")
    rehearsal = import_module("streams.live.rehearsal")
    process.settle()
    # A worker joins its group meanwhile; a model that cannot be read ends it.
    able = ThreadPoolExecutor(1, "able").submit(process.load_engines, rehearsed)
    build = import_module("streams.live.reloading").Build(
        folder, bootstrap.as_it_stands, bootstrap.configuration, make, able.result
    )
    process.run(settings, build)


def asked_range(
    files: list[str] | None, from_kafka: bool, since: str | None, until: str | None, state: Path | None
) -> Any:
    """The stretch of the topics to replay, None for files; raises UsageError."""
    first, end = given.moment(since, "--since"), given.moment(until, "--until")
    if not from_kafka:
        if since or until:
            raise UsageError("--since and --until are for --from-kafka (--score-at ends a replay of files)")
        if not files:
            raise UsageError("Missing argument 'FILE...' (or --from-kafka)")
        return None
    if files:
        raise UsageError("files or --from-kafka, not both")
    if state is not None:
        raise UsageError("--state goes on with files; with --from-kafka say --since")
    if first is not None and end is not None and first >= end:
        raise UsageError(f"--since {since} is not before --until {until}")
    settings = import_module("streams.live.settings").live_settings()
    return import_module("streams.live.ranges").KafkaRange(settings, first, end)


@ends_at_once
@guarded
def seed_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="History: events as for churn replay.")],
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME|OFFSETS.json|beginning|end",
            help="Where workers read on; else an hour before the end of history.",
        ),
    ] = None,
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Give workers the past: replay history and leave the first checkpoint of every partition in CHURN_CHECKPOINTS.

    Nothing that history would have warned of is delivered; its episodes are open when workers start.
    """
    given.inputs(files)
    given.model(model)
    settings = import_module("streams.live.settings").live_settings()
    live = import_module("streams.live.beginning")
    where = live.begin_of(begin, given.moment)
    configuration = bootstrap.announced(bootstrap.config_folder(config))
    sizes = [Path(file).stat().st_size for file in files if Path(file).is_file()]
    with terminal.progress_bar(Console(stderr=True), sum(sizes) if len(sizes) == len(files) else None) as watch:
        told = live.seed(
            files, where, settings, lambda saved: bootstrap.engine(configuration, model, saved), complain, watch
        )
    typer.echo(
        f"{told['events']:,} events until {told['until']}, {sum(told['dead_letters'].values()):,} refused, "
        f"{told['duplicates']:,} twice\n{told['partitions']} partitions in {settings.checkpoints}, "
        f"{told['open']:,} episodes open, {told['unsaid']:,} decisions not delivered\n"
        f"workers read on from {told['from']}"
    )
