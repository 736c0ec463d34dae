"""Files on this machine that are on their way to or from a storage elsewhere, in its folder for temporary files.

Whoever makes one deletes it. A process that is killed cannot, and each is as large as a partition's state.
"""

from __future__ import annotations

import re
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from streams.checkpoint import SUFFIX

OLD_SECONDS: Final = 3_600.0
"""Nobody writes or reads a file for so long without touching it."""
_NAME: Final = re.compile(rf"\d+-\d+{re.escape(SUFFIX)}\.\d+-[0-9a-f]{{16}}\.(writing|reading)$")


def own_name(name: str, partition: int, use: str) -> str:
    """The name of a file that nobody else has, for the checkpoint `name`; `use`: writing or reading."""
    return f"{name}.{partition}-{secrets.token_hex(8)}.{use}"


def aside(name: str, partition: int, use: str) -> Path:
    """Such a file in the folder for temporary files."""
    return Path(tempfile.gettempdir()) / own_name(name, partition, use)


def sweep(now: float | None = None) -> None:
    """Delete what processes that were killed left there, of any partition; `now` is wall time (s)."""
    before = (time.time() if now is None else now) - OLD_SECONDS
    for path in Path(tempfile.gettempdir()).glob(f"*{SUFFIX}.*ing"):
        with suppress(OSError):  # somebody else's, or somebody else was faster
            if _NAME.fullmatch(path.name) and path.stat().st_mtime < before:
                path.unlink()
