"""Rule sets and orders of workers, and a topic of rules that is a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.live.board import Board
from streams.live.bundle import (
    Order,
    bundle_record,
    digest,
    order_record,
)
from streams.live.folder import Folder
from streams.live.library import Library, RefusedError
from support.bundles import accept, make, read

EDIT = {"complaints_overdue >= 1": "complaints_overdue >= 2"}
NEVER = {"complaints_overdue >= 1": "complaints_overdue >= 1 and complaints_overdue < 1"}
"""It loads; only the check says that it can never be true."""


def order(files: dict[str, bytes], **more: Any) -> Order:
    return Order(**{"bundle": digest(files), "version": "v", "act": "applied", "by": "ann", "at": "t"} | more)


def changed(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    assert old.encode() in files["churn.yaml"]
    return files | {"churn.yaml": files["churn.yaml"].replace(old.encode(), new.encode())}


class Given:
    """A board whose topic is a list."""

    def __init__(self) -> None:
        self.refusals: list[RefusedError] = []
        self.records: list[tuple[bytes, bytes]] = []
        self.board = Board({}, Library(read, make), self.refused)

    def refused(self, error: RefusedError, _: object) -> None:
        self.refusals.append(error)

    async def give(self, files: dict[str, bytes], asked: Order) -> None:
        for key, value in (bundle_record(files), order_record(asked)):
            await self.board._take(len(self.records), key, value)
            self.records.append((key, value))

    def folder(self, path: Path) -> Folder:
        return Folder(path, self.board, self.give, self.refused, accept)
