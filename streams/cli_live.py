"""`churn run`: a worker on Kafka."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvloop
from aiokafka.errors import KafkaError

from sinks.metrics import Metrics
from streams import bootstrap
from streams.live.settings import LiveSettings, live_settings
from streams.live.topics import TopicsError, ready_topics
from streams.live.web import application, served
from streams.live.worker import Worker
from streams.problems import OutsideError, guarded


@guarded
def run_command(
    config: Annotated[
        Path | None, typer.Option("--config", help="Configuration folder (else CHURN_CONFIG, else the default).")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model and learn nothing.")] = None,
) -> None:
    """Run a worker on Kafka; start more for more partitions. It ends in order on SIGTERM."""
    settings = live_settings()
    configuration = bootstrap.configuration(bootstrap.config_folder(config))
    quiet_logs()

    def build(saved: dict[str, Any] | None) -> Any:
        return bootstrap.engine(configuration, model, saved)

    build(None)  # a model that cannot be read is said before anything is connected
    uvloop.run(work(settings, build, int(configuration.settings.utc_offset)))
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and no thread of a client may hold the process


def quiet_logs() -> None:
    """One JSON object a line on standard error: ours from `info` on, the clients' from `error` on."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def work(settings: LiveSettings, build: Any, utc_offset: int) -> None:
    """One worker from beginning to end. Raises OutsideError, UnreadableError, TooNewError, UsageError."""
    try:
        count = await asyncio.wait_for(ready_topics(settings), 30)
    except TopicsError as error:
        raise OutsideError(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise OutsideError(f"Kafka at {settings.kafka_bootstrap}: {said(error)}") from error
    metrics, stop = Metrics(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = Worker(settings, count, build, metrics, utc_offset)
    pages = application(metrics, worker.alive, worker.ready)
    try:
        async with served(pages, settings.http_host, settings.http_port):
            await worker.run(stop)
    except (KafkaError, TimeoutError) as error:
        raise OutsideError(said(error)) from error


def said(error: BaseException) -> str:
    """An error in one line."""
    return str(error) or type(error).__name__
