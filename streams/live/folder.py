"""The mounted configuration folder: what is put there, and is free of faults, becomes the rules of all workers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from rules.approval import ApprovalError
from rules.faults import ConfigurationError
from streams import clock
from streams.live.admission import approval_of
from streams.live.board import Board
from streams.live.bundle import Files, Order, bundle_of, digest
from streams.live.library import Read, RefusedError
from streams.who import user

LOOK_SECONDS: Final = 1.0
"""Between two looks, each of which reads the files (a millisecond of work). Nobody is told of a folder that is moved away."""
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
        self.before = ""  # what was there at the last look: its hash, or why it cannot be read
        self.seen = ""  # the hash of what was there and could be taken, or was known
        self.refused_last = ""  # what was there, as `before`, and was refused
        self.accepted = ""  # the hash of what was found free of faults in this run
        self.wrong = ""  # why what is there is refused; "" also for what is merely older than what is in force
        self.trouble = ""  # what kept us from taking what is there, and may pass
        self.asked = asyncio.Event()

    async def first(self) -> None:
        """At the start: the newest orders count, but a rule set that was never made known is news.

        Raises RefusedError where that has faults, was not approved or needs other state, and no rules are in force to go on by.
        """
        files, wrong = await self._read()
        found = self.before = str(wrong) if wrong else digest(files)
        if self.board.current == "" or found not in self.board.library.bundles:
            try:
                await self._take(files, wrong)
            except RefusedError as error:
                if self.board.current == "":
                    raise
                self._refuse(found, error)
            return
        self.seen = found
        if found != self.board.current:
            log.warning("the folder's rules are older than those in force, which are worked by", folder=found[:12],
                        in_force=self.board.current[:12], hint="churn rules apply")  # fmt: skip

    async def run(self) -> None:
        """Look again and again, at once where somebody asks (SIGHUP), until cancelled."""
        await asyncio.gather(self.doubt(), self._look_on())

    async def doubt(self) -> None:
        """Say what would be refused of the rules in force: a version that found less took them up, and they are worked by."""
        current, library = self.board.current, self.board.library
        if current == self.accepted:
            return
        try:
            await asyncio.to_thread(library.compile, library.files(current), self.accept)
        except ConfigurationError as error:
            log.warning("the rules in force would be refused now, and are worked by", bundle=current[:12],
                        error=str(error), hint="mend them, then churn rules apply")  # fmt: skip
        except OSError as error:
            log.warning("the rules in force cannot be looked at again", bundle=current[:12], error=str(error))

    async def _look_on(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self.asked.wait(), LOOK_SECONDS)
            except TimeoutError:
                await self.look(always=False)
            else:
                self.asked.clear()
                await self.look(always=True)

    async def look(self, *, always: bool) -> None:
        """Take what is there now. Not `always`: only if it is news, and was there at the look before, for files come one by one."""
        files, wrong = await self._read()
        found = str(wrong) if wrong else digest(files)
        still, self.before = found == self.before, found
        if found == self.board.current or (not always and self._old(found)):
            self.seen, self.refused_last, self.wrong = found, "", ""
        elif always or (still and found != self.refused_last):
            try:
                await self._take(files, wrong)
            except RefusedError as error:
                self._refuse(found, error)
            except (KafkaError, OSError) as error:  # as if it was not seen: the next look tries again
                self._hindered(found, error)

    def _old(self, found: str) -> bool:
        """Whether it is no news: a folder that was away for a while must not undo what was put in force from elsewhere. One of which
        nothing was seen yet is judged as at a start.
        """
        return found == self.seen if self.seen else found in self.board.library.bundles

    def _refuse(self, found: str, error: RefusedError) -> None:
        self.refused_last, self.wrong = found, str(error)
        self.refused(error, None)

    def _hindered(self, found: str, error: Exception) -> None:
        if repr(error) != self.trouble:
            self.trouble = repr(error)
            log.warning("the folder's rules cannot be taken up now", folder=found[:12], error=self.trouble)

    async def _read(self) -> tuple[Files, RefusedError | None]:
        """What is there, or what keeps it from being read."""
        try:
            return await asyncio.to_thread(bundle_of, self.path), None
        except ConfigurationError as error:
            return {}, RefusedError("faults", str(error))
        except OSError as error:  # half of it is there: the other half is another change
            return {}, RefusedError("faults", f"{self.path}: {error}")

    async def _take(self, files: Files, wrong: RefusedError | None) -> None:
        if wrong is not None:
            raise wrong
        try:
            library = self.board.library
            configuration = await asyncio.to_thread(library.accepted, files, self.accept, f"{self.path}/")
            approval = approval_of(self.path, files)
        except ConfigurationError as error:
            raise RefusedError("faults", str(error)) from error
        except ApprovalError as error:
            raise RefusedError("approval", str(error)) from error
        self.accepted = digest(files)
        order = Order(
            self.accepted,
            configuration.rules.version,
            "applied",
            f"{user()}@{socket.gethostname()}",
            clock.now_text(),
            f"found in {self.path.name}",
            approval=approval,
        )
        await self.give(files, order)
        self.seen, self.refused_last, self.wrong, self.trouble = self.accepted, "", "", ""
