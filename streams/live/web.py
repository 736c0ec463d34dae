"""A worker's health and metrics over HTTP, on loopback unless it is told otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sinks.metrics import Metrics


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


@asynccontextmanager
async def served(application: Starlette, host: str, port: int) -> AsyncIterator[None]:
    """Serve while the block runs; port 0: not at all. Raises OSError when the port is taken."""
    if port == 0:
        yield
        return
    probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    probe.close()  # uvicorn would end the process, without a word of ours
    await probe.wait_closed()
    server = Server(uvicorn.Config(application, host, port, log_level="error", lifespan="off", access_log=False))
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task
