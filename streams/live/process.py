"""One worker process: its log, its connection tests, its pages, and its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop
from aiokafka.errors import KafkaError

from events.decoders import prepare
from sinks.metrics import Metrics
from streams.leaving import SIGNALS
from streams.live.connecting import connecting, said
from streams.live.library import RefusedError
from streams.live.reloading import Build
from streams.live.settings import LiveSettings
from streams.live.store import reachable
from streams.live.throttle import Throttle
from streams.live.topics import ready_topics
from streams.live.web import application, check_free, served
from streams.live.worker import Worker
from streams.problems import EXITS, OutsideError, UsageError

SWITCH_SECONDS = 0.0005
"""numpy lets the other threads run in each operation on more than 500 numbers; the engine's then waits so long for its turn."""
THEY_TELL_TOO = ("faust", "mode", "asyncio")
COLLECT_AFTER = (20_000, 20, 20)
"""Objects made, and collections of the generation before, until the garbage collector looks again."""


def run(settings: LiveSettings, build: Build) -> None:
    """Work until SIGTERM. Raises what `streams.problems.EXITS` names."""
    quiet_logs()
    structlog.get_logger().info("worker starting")
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Faust's thread that reads makes a loop of its own
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(work(settings, build))  # not closed: that waits for clients that hang


def quiet_logs() -> None:
    """One JSON object a line on standard error: ours from `info` on, the clients' from `error` on, as plain text."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(not_said_by_us)
        handler.addFilter(Throttle())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def settle() -> None:
    """Call once everything is imported, and before there are threads: what there is now stays out of garbage collections.

    Every record that is read makes objects, and a collection of all that is loaded stands everything still for a tenth of a second.
    """
    prepare()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def load_engines(make: Callable[[], object]) -> None:
    """Make an engine, which is not kept; what it loads, River above all, stays out of collections, which there are from now on."""
    try:
        make()
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def not_said_by_us(record: logging.LogRecord) -> bool:
    """Faust tells of what ends a worker with a trace; the worker says it in one line at its end."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, (KafkaError, *EXITS)) and record.name.startswith(THEY_TELL_TOO))


async def work(settings: LiveSettings, build: Build) -> None:
    """One worker from beginning to end, unless no engine can be made. Raises as `run`."""
    try:
        await unless(build.able, begun(settings, build))
    except RefusedError as error:
        raise UsageError(str(error)) from error
    except (KafkaError, TimeoutError) as error:
        raise OutsideError(said(error)) from error


async def unless(able: Callable[[], object], working: Coroutine[Any, Any, None]) -> None:
    """Some work, which ends as soon as it is known that it cannot be done: `able` raises why, after a while, in a thread."""
    work = asyncio.create_task(working)
    trouble: asyncio.Future[Any] = asyncio.get_running_loop().run_in_executor(None, able)
    await asyncio.wait([work, trouble], return_when=asyncio.FIRST_COMPLETED)
    try:
        if not work.done():
            await trouble
        await work
    finally:
        work.cancel()


async def begun(settings: LiveSettings, build: Build) -> None:
    """The same, once everything that it needs is there. Until then a signal ends the process at once (streams.leaving)."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    await check_free(settings.http_host, settings.http_port)  # before anything is waited for
    await loop.run_in_executor(None, reachable, settings.checkpoints)
    with connecting(settings.kafka_bootstrap):
        count = await asyncio.wait_for(ready_topics(settings), 30)
    metrics = Metrics()
    worker = Worker(settings, count, build, metrics)
    loop.add_signal_handler(signal.SIGHUP, worker.rules.reread)
    pages = application(metrics, worker.alive, worker.ready)
    async with served(pages, settings.http_host, settings.http_port):
        await worker.know()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
        await worker.run(stop)
