"""The mounted configuration folder: what is put there, and is free of faults, becomes the rules of all workers."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from watchfiles import awatch

from rules.approval import ApprovalError
from rules.faults import ConfigurationError
from streams import clock
from streams.live.admission import approval_of
from streams.live.board import Board
from streams.live.bundle import Files, Order, bundle_of, bundle_record, digest
from streams.live.library import RefusedError

Give = Callable[[Files, Order], Awaitable[None]]
log = structlog.get_logger()


class Folder:
    """`give` makes a rule set known to all workers. `refused` is told of one that is not worked by."""

    def __init__(self, path: Path, board: Board, give: Give, refused: Callable[[RefusedError, None], None]) -> None:
        self.path, self.board, self.give, self.refused = path, board, give, refused
        self.seen = ""  # the hash of what was last found there
        self.asked = asyncio.Event()

    async def first(self) -> None:
        """At the start: the newest orders count, but a rule set that was never made known is news.

        Raises RefusedError where nothing is in force, or what is news needs other state.
        """
        files = await self._read()
        self.seen = digest(files)
        if self.board.current == "" or self.seen not in self.board.library.bundles:
            await self._give(files)
        elif self.seen != self.board.current:
            log.warning("the folder's rules are older than those in force, which are worked by", folder=self.seen[:12],
                        in_force=self.board.current[:12], hint="churn rules apply")  # fmt: skip

    async def run(self) -> None:
        """Look whenever something in the folder changed, or somebody asks (SIGHUP), until cancelled."""
        await asyncio.gather(self._watch(), self._answer())

    async def _watch(self) -> None:
        async for _ in awatch(self.path, step=200, debounce=800):
            await self.look(always=False)

    async def _answer(self) -> None:
        while True:
            await self.asked.wait()
            self.asked.clear()
            await self.look(always=True)

    async def look(self, *, always: bool) -> None:
        """Take what is there now; not `always`: only if it is not what was there at the last look."""
        try:
            files = await self._read()
            found = digest(files)
            if found == self.board.current or (found == self.seen and not always):
                self.seen = found
                return
            self.seen = found
            await self._give(files)
        except RefusedError as error:
            self.refused(error, None)
        except OSError as error:  # half of it is there: the other half is another change
            self.refused(RefusedError("faults", f"{self.path}: {error}"), None)

    async def _read(self) -> Files:
        try:
            return await asyncio.to_thread(bundle_of, self.path)
        except ConfigurationError as error:
            raise RefusedError("faults", str(error)) from error

    async def _give(self, files: Files) -> None:
        try:
            self.board.library.add(digest(files), bundle_record(files)[1])
            configuration = await asyncio.to_thread(self.board.library.configuration, digest(files))
            approval = approval_of(self.path, files)
        except ConfigurationError as error:
            raise RefusedError("faults", str(error)) from error
        except ApprovalError as error:
            raise RefusedError("approval", str(error)) from error
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        note = f"found in {self.path.name}"
        await self.give(
            files,
            Order(
                digest(files), configuration.rules.version, "applied", who, clock.now_text(), note, approval=approval
            ),
        )
