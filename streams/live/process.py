"""One worker process: its log, its connection tests, its pages, and its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import structlog
import uvloop
from aiokafka.errors import KafkaError

from rules.settings import Settings
from sinks.metrics import Metrics
from streams.live.library import RefusedError
from streams.live.reloading import Build
from streams.live.settings import LiveSettings
from streams.live.topics import TopicsError, ready_topics
from streams.live.web import application, served
from streams.live.worker import Worker
from streams.problems import OutsideError, UsageError


def run(settings: LiveSettings, build: Build, configuration: Settings) -> None:
    """Work until SIGTERM. Raises OutsideError, UnreadableError, TooNewError, UsageError."""
    quiet_logs()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(work(settings, build, configuration))  # not closed: that waits for clients that hang


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


async def work(settings: LiveSettings, build: Build, configuration: Settings) -> None:
    """One worker from beginning to end. Raises OutsideError, UnreadableError, TooNewError, UsageError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        count = await asyncio.wait_for(ready_topics(settings), 30)
    except TopicsError as error:
        raise OutsideError(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise OutsideError(f"Kafka at {settings.kafka_bootstrap}: {said(error)}") from error
    metrics = Metrics()
    worker = Worker(settings, count, build, metrics, configuration)
    loop.add_signal_handler(signal.SIGHUP, worker.rules.reread)
    pages = application(metrics, worker.alive, worker.ready)
    try:
        async with served(pages, settings.http_host, settings.http_port):
            await worker.run(stop)
    except RefusedError as error:
        raise UsageError(str(error)) from error
    except (KafkaError, TimeoutError) as error:
        raise OutsideError(said(error)) from error


def said(error: BaseException) -> str:
    """An error in one line."""
    return str(error) or type(error).__name__
