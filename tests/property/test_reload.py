"""Rules may be loaded anew at any moment: the same rules change nothing, an edited rule changes its own decisions only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import DEFAULT, QUICK, batch, configuration, engine, newest, said
from support.profiles import examples
from support.small_streams import TYPES, lines, moments, random_moments

pytestmark = pytest.mark.usefixtures("eager_model")
LIVES = [TYPES.index(name) for name in ("usage.recorded", "bill.issued", "complaint.opened", "complaint.updated")]


def through(whole: list[bytes], size: int, cuts: set[int], folders: list[Path]) -> tuple[Any, list[dict[str, Any]]]:
    """The stream through an engine that is given the next of the folders (round and round) before each batch in `cuts`."""
    made, found, loaded = engine(folders[0]), [], 0
    for number, start in enumerate(range(0, len(whole), size)):
        if number in cuts:
            loaded += 1
            assert made.reload(configuration(folders[loaded % len(folders)])) == []
        found += made.step(batch(whole[start : start + size]), 0).decisions
    found += made.advance(newest([batch(whole)]), 0).decisions
    return made, [{k: v for k, v in said(one).items() if k != "versions"} for one in found]


def check(whole: list[bytes], size: int, cuts: set[int], folder: Path = QUICK) -> int:
    steady, expected = through(whole, size, set(), [folder])
    moved, got = through(whole, size, cuts, [folder])
    assert got == expected
    assert [*steady.scores(moved.partition.clock)] == [*moved.scores(moved.partition.clock)]
    assert steady.report() == moved.report()
    ours, theirs = steady.snapshot(), moved.snapshot()
    for name in ("partition.customers.records", "partition.customers.bits", "decider.state", "model.anomaly.masses"):
        if name in ours:
            assert np.asarray(ours[name]).tobytes() == np.asarray(theirs[name]).tobytes(), name
    return len(got)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(30), st.integers(1, 7), st.sets(st.integers(0, 10), max_size=4))
def test_the_same_rules_loaded_at_any_moment_change_nothing(stream, size, cuts):
    check(lines(stream), size, cuts)


@pytest.mark.parametrize("folder", [QUICK, DEFAULT], ids=["quick", "default"])
def test_in_long_lives_with_a_model_that_learns(folder):
    types = LIVES * 5 + list(range(len(TYPES)))
    assert check(lines(random_moments(8, 500, customers=8, types=types)), 20, set(range(0, 25, 2)), folder)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick rules with another threshold in one rule that waits for nothing."""
    root = tmp_path_factory.mktemp("edited") / "config"
    (root / "rules").mkdir(parents=True)
    for file in QUICK.rglob("*.yaml"):
        text = file.read_text()
        if file.name == "quick.yaml":
            assert "expr: complaints_overdue >= 1" in text
            text = text.replace("expr: complaints_overdue >= 1", "expr: complaints_overdue >= 2")
        (root / file.relative_to(QUICK)).write_text(text)
    return root


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.integers(1, 40), st.sets(st.integers(0, 12), min_size=1, max_size=4))
def test_with_an_edited_rule_only_its_customers_decisions_differ(edited, seed, size, cuts):
    whole = lines(random_moments(seed, 250, customers=7, types=LIVES * 4 + list(range(len(TYPES)))))
    _, expected = through(whole, size, set(), [QUICK])
    _, got = through(whole, size, cuts, [QUICK, edited])
    concerned = {one["customer_id"] for one in [*expected, *got] if "waiting" in {rule["id"] for rule in one["rules"]}}
    assert [one for one in got if one["customer_id"] not in concerned] == [
        one for one in expected if one["customer_id"] not in concerned
    ]
