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
from streams.live.library import Read, RefusedError

Give = Callable[[Files, Order], Awaitable[None]]
log = structlog.get_logger()


class Folder:
    """`give` makes a rule set known to all workers. `refused` is told of one that is not worked by, `accept` says whether it may
    be taken up (a folder's configuration; raises ConfigurationError).
    """

    def __init__(
        self, path: Path, board: Board, give: Give, refused: Callable[[RefusedError, None], None], accept: Read
    ) -> None:
        self.path, self.board, self.give, self.refused, self.accept = path, board, give, refused, accept
        self.seen = ""  # the hash of what was last found there
        self.asked = asyncio.Event()

    async def first(self) -> None:
        """At the start: the newest orders count, but a rule set that was never made known is news.

        Raises RefusedError where what is news has faults, was not approved or needs other state, whatever is in force.
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
        await asyncio.gather(self.doubt(), self._watch(), self._answer())

    async def doubt(self) -> None:
        """Say what would be refused of the rules in force: a version that found less took them up, and they are worked by."""
        current, library = self.board.current, self.board.library
        try:
            await asyncio.to_thread(library.compile, library.files(current), self.accept)
        except ConfigurationError as error:
            log.warning("the rules in force would be refused now, and are worked by", bundle=current[:12],
                        error=str(error), hint="mend them, then churn rules apply")  # fmt: skip
        except OSError as error:
            log.warning("the rules in force cannot be looked at again", bundle=current[:12], error=str(error))

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
            configuration = await asyncio.to_thread(
                self.board.library.accepted, digest(files), self.accept, f"{self.path}/"
            )
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
