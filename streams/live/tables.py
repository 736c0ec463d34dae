"""Faust's tables, of which there are none here."""

from __future__ import annotations

from faust.tables import TableManager


class NoTables(TableManager):
    """Faust's own waits a second for tables that may be declared yet, and joins the group after that."""

    async def on_start(self) -> None:
        """All tables are known: none."""
        await self._update_channels()
        await self.recovery.start()
