"""Orders to all workers from a command: apply, approve, roll back, release. Workers need not be running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from rules.approval import ApprovalError
from streams import bootstrap, clock
from streams.live.admission import approval_of
from streams.live.board import Board
from streams.live.bundle import Act, Order, bundle_of, digest
from streams.live.library import Library, RefusedError
from streams.live.settings import LiveSettings, live_settings
from streams.live.topics import TopicsError, ready_topics
from streams.problems import OutsideError, UsageError

T = TypeVar("T")
COMMAND_SECONDS = 60


def apply(
    folder: Path, rules: Path | None, act: Act, by: str, note: str, *, rebuild: bool = False
) -> tuple[Order, bool]:
    """Have all workers go by a configuration folder, with its rules or others; gives the order, and whether it is news.

    Raises ConfigurationError, UsageError for what workers would refuse, OutsideError.
    """
    files = bundle_of(folder, rules)
    version = bootstrap.configuration(folder, rules).rules.version
    try:
        approval = approval_of(folder, files)
    except ApprovalError as error:
        raise UsageError(str(error)) from error
    order = Order(digest(files), version, act, by, clock.now_text(), note, rebuild=rebuild, approval=approval)

    async def work(board: Board, producer: AIOKafkaProducer) -> tuple[Order, bool]:
        if board.current == order.bundle:
            return order, False
        await board.give(producer, files, order)
        return order, True

    return _at_the_board(work)


def release(rules: list[str], by: str, note: str) -> Order:
    """Say yes to rules that the guard holds. Raises UsageError, OutsideError."""

    async def work(board: Board, producer: AIOKafkaProducer) -> Order:
        if not board.current:
            raise UsageError("no rules are in force: no worker has ever run here")
        version = board.library.configuration(board.current).rules.version
        order = Order(board.current, version, "released", by, clock.now_text(), note, released=rules)
        await board.give(producer, board.library.files(board.current), order)
        return order

    return _at_the_board(work)


def given() -> list[Order]:
    """All orders that are worked by, the oldest first. Raises OutsideError."""

    async def work(board: Board, _: AIOKafkaProducer) -> list[Order]:
        return board.given

    return _at_the_board(work)


def _at_the_board(work: Callable[[Board, AIOKafkaProducer], Awaitable[T]]) -> T:
    try:
        return asyncio.run(asyncio.wait_for(_connected(live_settings(), work), COMMAND_SECONDS))
    except (RefusedError, TopicsError) as error:
        raise UsageError(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise OutsideError(f"Kafka: {str(error) or type(error).__name__}") from error


async def _connected(settings: LiveSettings, work: Callable[[Board, AIOKafkaProducer], Awaitable[T]]) -> T:
    await ready_topics(settings)
    library = Library(bootstrap.as_it_stands, lambda configuration, saved: bootstrap.engine(configuration, None, saved))
    board = Board(settings.reader(), library, lambda _error, _order: None)
    producer = AIOKafkaProducer(**settings.client(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await board.catch_up()
        return await work(board, producer)
    finally:
        await producer.stop()
        await board.stop()
