"""The end of a worker that is told to stop before it works: at once, whatever it imports, loads or waits for at that moment."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
STANDARD_ERROR: Final = 2


def leave_when_told() -> None:
    """Call first of all; who works has to take the signals over (`streams.live.process.begun`)."""
    for number in SIGNALS:
        signal.signal(number, left)


def left(number: int, _: FrameType | None = None) -> None:
    """End now. Nothing has to be put in order, and an exception might come up anywhere: as a trace, or not at all."""
    said = {
        "signal": signal.Signals(number).name,
        "event": "stopped while starting",
        "level": "info",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    with suppress(OSError):  # past `sys.stderr`, which may be in the middle of a line
        os.write(STANDARD_ERROR, json.dumps(said).encode() + b"\n")
    os._exit(0)
