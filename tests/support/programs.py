"""Programs that some tests need beside Python."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(program: str, package: str) -> None:
    """Without it CI fails; elsewhere the test is skipped, and named in the last lines with the reason."""
    if shutil.which(program) is None:
        reason = f"no {program} here (Debian: apt-get install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
