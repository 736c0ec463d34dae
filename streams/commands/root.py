"""The command `churn`: options, exit codes and output of each command; the work is done elsewhere."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

import simulator
from engine.core import Core
from sinks import terminal
from streams import bootstrap, given
from streams.commands import care_queue, live
from streams.commands.config import config
from streams.commands.report import report_command
from streams.commands.shadow import rules
from streams.demo import play
from streams.problems import UsageError, complain, guarded
from streams.pseudonyms import pseudonym_key
from streams.recording import Recorder, RecordingEngine
from streams.replay import Job, replay

STANDARD_OUTPUT = "-"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Real-time churn early warnings for a telecom operator.",
)
app.add_typer(rules, name="rules")
app.add_typer(config, name="config")
app.add_typer(care_queue.queue, name="queue")
app.command("report")(report_command)
app.command("run")(live.run_command)
app.command("seed")(live.seed_command)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
]


def print_version(wanted: bool) -> None:
    """`--version` says so and ends."""
    if wanted:
        typer.echo(version("churn-early-warning"))
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Real-time churn early warnings for a telecom operator."""


@app.command("replay")
@guarded
def replay_command(  # the options of the contract
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE...", help="Events as .jsonl, .gz or .zst; - is standard input.")
    ] = None,
    config: ConfigOption = None,
    warnings: Annotated[Path | None, typer.Option(help="Write decisions here, one JSON object a line.")] = None,
    incidents: Annotated[Path | None, typer.Option(help="Write incidents here, one JSON object a line.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Write each customer's risk and tier here, as CSV.")] = None,
    score_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="End here (RFC 3339); else at the newest event.")
    ] = None,
    dead_letters: Annotated[Path | None, typer.Option(help="Write refused input here, one JSON object a line.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write counts, warnings and outcomes here, as JSON.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder to go on from and to leave the state in.")] = None,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model and learn nothing.")] = None,
    save_model: Annotated[Path | None, typer.Option(help="Save the model here at the end.")] = None,
    checkpoint_every: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="With --state: how often.")] = 30.0,
    shadow: Annotated[Path | None, typer.Option(help="Write would-be warnings of shadow rules here, as JSON.")] = None,
    from_kafka: Annotated[
        bool, typer.Option("--from-kafka", help="Read the topics (CHURN_KAFKA_...) instead of files.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --from-kafka: what came then or later (RFC 3339).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="With --from-kafka: what came before.")] = None,
    feature_rows: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write daily pseudonymous feature rows here, for `rules backtest`."),
    ] = None,
) -> None:
    """Run the engine over files of events, or over a stretch of time of the topics. Several are merged by occurred_at."""
    kafka = live.asked_range(files, from_kafka, since, until, state)
    files = files or []
    end = given.moment(score_at, "--score-at")
    given.inputs(files)
    given.model(model)
    given.state(state)
    given.folder(feature_rows)
    key = pseudonym_key(resumed=state is not None) if feature_rows is not None else b""
    given.outputs((warnings, incidents, scores, dead_letters, report, save_model, shadow), files)
    configuration = bootstrap.announced(bootstrap.config_folder(config))
    tiers = configuration.settings.tiers
    job = Job(
        files,
        warnings=warnings,
        incidents=incidents,
        dead_letters=dead_letters,
        scores=scores,
        score_at=end,
        report=report,
        save_model=save_model,
        state=state,
        checkpoint_every=checkpoint_every,
        shadow=shadow,
        opened=kafka and kafka.opened,
    )
    regular = [Path(file).stat().st_size for file in files if Path(file).is_file()]
    total = sum(regular) if files and len(regular) == len(files) else None
    with terminal.progress_bar(Console(stderr=True), total) as watch:

        def build(saved: dict[str, Any] | None) -> Core:
            engine = bootstrap.engine_of(RecordingEngine, configuration, model, saved, ledger=state is not None)
            if feature_rows is not None:
                engine.record(Recorder(feature_rows, key))
            return engine

        result = replay(job, build, complain, watch)
    terminal.Screen().print(terminal.summary(result, tiers))


@app.command("simulate")
@guarded
def simulate_command(
    customers: Annotated[int, typer.Option(min=1, max=simulator.MOST_CUSTOMERS, help="How many customers.")],
    days: Annotated[int, typer.Option(min=1, max=simulator.MOST_DAYS, help="How many days.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same events.")],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="Events: .jsonl, .jsonl.gz, .jsonl.zst, or - for standard output.")
    ],
    truth: Annotated[Path | None, typer.Option(help="Each leaver's date and cause, as CSV.")] = None,
    skewed: Annotated[
        bool, typer.Option("--skewed", help="One customer in a hundred makes half of the usage.")
    ] = False,
    late_share: Annotated[float, typer.Option(min=0, max=1, help="Share of events that come late.")] = 0.0,
    duplicate_share: Annotated[float, typer.Option(min=0, max=1, help="Share of events that come twice.")] = 0.0,
) -> None:
    """Make the events of a simulated operator."""
    scenario = simulator.Scenario(skewed=skewed, late_share=late_share, duplicate_share=duplicate_share)
    console = Console(stderr=True)
    given.outputs((None if out == STANDARD_OUTPUT else Path(out), truth), ())
    try:
        with terminal.progress_bar(console, days) as watch:
            summary = simulator.simulate(
                customers, days, seed, out, truth, scenario, lambda done, _, events: watch(done, events)
            )
    except ValueError as error:
        raise UsageError(str(error)) from error
    console.print(f"{summary.events:,} events, {summary.leavers:,} leavers", highlight=False)


@app.command("demo")
@guarded
def demo_command(
    once: Annotated[bool, typer.Option("--once", help="A fixed stretch without the board, then the summary.")] = False,
    config: ConfigOption = None,
    customers: Annotated[
        int, typer.Option(min=1, max=simulator.MOST_CUSTOMERS, help="Customers of the simulated operator.")
    ] = 2_000,
    days: Annotated[int, typer.Option(min=1, max=simulator.MOST_DAYS, help="Simulated days.")] = 120,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    language: Annotated[str, typer.Option(help="en or zh-CN; else from LANG.")] = "",
) -> None:
    """A simulated operator, the engine and its warnings in one process."""
    language = language or ("zh-CN" if os.environ.get("LANG", "").startswith("zh") else "en")
    if language not in {"en", "zh-CN"}:
        raise UsageError(f"--language {language}: en or zh-CN")
    configuration = bootstrap.announced(bootstrap.config_folder(config))
    tiers = configuration.settings.tiers
    console = terminal.Screen()
    console.print(f"simulating {customers:,} customers for {days} days")
    engine = bootstrap.engine(configuration, None, None)
    stream = simulator.days(customers, days, seed)
    board = terminal.Board(tiers, language)
    if once:
        result = play(engine, stream, board.update)
    else:
        try:
            with Live(board, console=console, screen=console.is_terminal, refresh_per_second=8):
                result = play(engine, stream, board.update, day_seconds=0.5)
        except KeyboardInterrupt:
            console.print(board)
            raise typer.Exit from None
    console.print(board.newest())
    console.print(terminal.summary(result, tiers))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
