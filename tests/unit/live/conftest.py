"""What several of these tests begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.engines import QUICK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(QUICK, tmp_path / "config"))
