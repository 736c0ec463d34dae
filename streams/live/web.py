"""A worker's health and metrics over HTTP, on loopback unless it is told otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sinks.metrics import Metrics
from streams.problems import UsageError


class Server(uvicorn.Server):
    """Signals are the worker's."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def application(metrics: Metrics, alive: Callable[[], str], ready: Callable[[], str]) -> Starlette:
    """`alive` and `ready` say what is wrong, or nothing."""

    def answer(trouble: str) -> Response:
        return PlainTextResponse((trouble or "ok") + "\n", 503 if trouble else 200)

    async def healthz(_: Request) -> Response:
        return answer(alive())

    async def readyz(_: Request) -> Response:
        return answer(ready())

    async def page(_: Request) -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", page)])


async def check_free(host: str, port: int) -> None:
    """Whether pages can be served there; port 0: none are. Raises UsageError."""
    if port == 0:
        return
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        raise UsageError(
            f"CHURN_HTTP_PORT, CHURN_HTTP_HOST: no pages can be served at {host}:{port} ({reason(error)}); "
            "CHURN_HTTP_PORT=0 serves none"
        ) from error
    probe.close()
    await probe.wait_closed()


def reason(error: OSError) -> str:
    """Why, without what the loop says around it (it knows the system's own word for a number, if there is one)."""
    return os.strerror(error.errno) if (error.errno or 0) > 0 else error.strerror or str(error)  # type: ignore[arg-type]


@asynccontextmanager
async def served(application: Starlette, host: str, port: int) -> AsyncIterator[None]:
    """Serve while the block runs; port 0: not at all. Raises UsageError when the port is taken."""
    await check_free(host, port)  # uvicorn would end the process, without a word of ours
    if port == 0:
        yield
        return
    server = Server(uvicorn.Config(application, host, port, log_level="error", lifespan="off", access_log=False))
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task
