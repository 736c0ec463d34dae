"""Disks that do not answer."""

from __future__ import annotations

import os
from pathlib import Path

from streams.live.keeping import Kept


def hang(one: Kept) -> Path:
    """The next checkpoint's file takes nothing, as on a disk that does not answer, until `release`."""
    path = one.store.writing()
    os.mkfifo(path)
    own = vars(one.store)  # what stands here goes before the method

    def writing() -> Path:
        del own["writing"]
        return path

    own["writing"] = writing
    return path


def release(path: Path) -> None:
    """The disk answers again."""
    path.read_bytes()
