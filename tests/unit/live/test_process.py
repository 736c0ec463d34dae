"""What a worker's process does beside the work."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from support.silent_broker import SilentBroker

from models.storage import ModelFileError
from sinks.metrics import Metrics
from streams.live.process import load_engines, not_said_by_us, unless
from streams.live.web import application, served
from streams.problems import UsageError


def test_what_engines_load_is_left_out_of_collections() -> None:
    loaded: list[list[object]] = []
    try:
        load_engines(lambda: loaded.append([]))
        assert not any(one is loaded[0] for one in gc.get_objects())
    finally:
        gc.unfreeze()
    assert any(one is loaded[0] for one in gc.get_objects())


def test_a_model_that_is_damaged_ends_a_worker_that_waits_for_its_broker(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"rubbish")
    with SilentBroker(tmp_path) as broker:
        process = broker.worker("--model", str(model))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[1:] == [f"{model}: not a saved model, or a damaged one"]


def test_work_that_cannot_be_done_is_not_waited_for() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    def able() -> None:
        raise ModelFileError("damaged")

    with pytest.raises(ModelFileError, match="damaged"):
        asyncio.run(unless(able, never()))


def test_work_goes_on_once_it_is_known_that_it_can_be_done() -> None:
    done: list[str] = []
    known = threading.Event()

    async def work() -> None:
        done.append("begun")
        await asyncio.to_thread(known.wait)
        done.append("over")

    def able() -> None:
        done.append("able")
        known.set()

    asyncio.run(unless(able, work()))
    assert sorted(done) == ["able", "begun", "over"]


def test_work_that_fails_is_not_held_up_by_what_is_not_known_yet() -> None:
    over = threading.Event()

    async def work() -> None:
        over.set()
        raise UsageError("not like that")

    with pytest.raises(UsageError, match="not like that"):
        asyncio.run(unless(over.wait, work()))


def test_a_port_that_is_taken_is_named() -> None:
    async def serve(host: str, port: int) -> None:
        async with served(application(Metrics(), str, str), host, port):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as refused:
            asyncio.run(serve("127.0.0.1", port))
    assert str(refused.value) == (
        f"CHURN_HTTP_PORT, CHURN_HTTP_HOST: no pages can be served at 127.0.0.1:{port} (Address already in use); "
        "CHURN_HTTP_PORT=0 serves none"
    )


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("faust.tables.recovery", KafkaConnectionError("gone"), False),
        ("mode.services", ModelFileError("damaged"), False),
        ("asyncio", UsageError("not like that"), False),
        ("faust.app", ValueError("nobody expected"), True),
        ("aiokafka.producer.sender", KafkaConnectionError("gone"), True),
        ("faust.app", None, True),
    ],
)
def test_faust_does_not_say_what_the_worker_says_at_its_end(name: str, error: Exception | None, said: bool) -> None:
    caught = None if error is None else (type(error), error, None)
    record = logging.LogRecord(name, logging.ERROR, "", 0, "it crashed", (), caught)
    assert not_said_by_us(record) == said
