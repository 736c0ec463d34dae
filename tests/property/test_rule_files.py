"""A rule file, however it was broken, is refused with a place or means what it says: no traceback, no other meaning."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, QUICK
from support.profiles import examples
from support.yaml_mutations import check, mutated

from streams.bootstrap import schema

SCHEMA = schema()
TEXTS = [
    file.read_text() for file in sorted((DEFAULT / "rules").glob("*.yaml")) if not file.name.endswith("_test.yaml")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose only rule file is the one that is broken."""
    root = tmp_path_factory.mktemp("broken")
    (root / "rules").mkdir()
    for name in ("churn.yaml", "actions.yaml", "workdays.yaml"):
        (root / name).write_bytes((QUICK / name).read_bytes())
    return root


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(TEXTS))
def test_a_broken_file_is_refused_or_means_what_it_says(folder: Path, seed: int, text: str) -> None:
    check(folder, folder / "rules" / "broken.yaml", mutated(random.Random(seed), text), SCHEMA)
