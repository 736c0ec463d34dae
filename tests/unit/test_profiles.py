"""`make fuzz` deepens every property test, those with a size of their own too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.profiles import examples

TESTS = Path(__file__).parents[1]


def test_the_usual_run_takes_the_tests_own_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "default")
    assert examples(15) == 15


@pytest.mark.parametrize(("asked", "found"), [("20000", 3_000), ("500", 75), ("1", 1)])
def test_fuzz_scales_it(monkeypatch: pytest.MonkeyPatch, asked: str, found: int) -> None:
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "fuzz")
    monkeypatch.setenv("FUZZ_EXAMPLES", asked)
    assert examples(15) == found


def test_no_test_sets_a_number_that_the_profile_cannot_change() -> None:
    fixed = [path.name for path in TESTS.rglob("*.py") if re.search(r"max_examples=\d", path.read_text())]
    assert fixed == []
