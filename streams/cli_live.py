"""`churn run`: a worker on Kafka."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from rules.load import Configuration
from streams import bootstrap
from streams.problems import ends_at_once, guarded


@ends_at_once
@guarded
def run_command(
    config: Annotated[
        Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model and learn nothing.")] = None,
) -> None:
    """Run a worker on Kafka; start more for more partitions. It ends in order on SIGTERM."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it works it has just read the folder
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until it works there is nothing to end in order
    # Faust and the clients of Kafka cost every other command a second of its start.
    settings = import_module("streams.live.settings").live_settings()
    folder = bootstrap.config_folder(config)
    configuration = bootstrap.configuration(folder)

    def make(rules: Configuration, saved: dict[str, Any] | None) -> Any:
        return bootstrap.engine(rules, model, saved)

    make(configuration, None)  # a model that cannot be read is said before anything is connected
    build = import_module("streams.live.reloading").Build(folder, bootstrap.configuration, make)
    import_module("streams.live.process").run(settings, build, configuration.settings)
