"""Whoever types a command or runs a worker, for what is written down."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """The user's name; the number where the system has no name for it, as in a container that runs as anybody."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return str(os.getuid())
