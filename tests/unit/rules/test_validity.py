"""When a rule holds, and whom it leaves alone."""

from __future__ import annotations

import datetime as dt

import pytest
from support.engines import DEFAULT

from rules.columns import Sheet, TableColumns
from rules.compile_rules import RuleCompiler
from rules.feature_types import FeatureType
from rules.rulefile import RuleFile
from rules.shapes import read
from rules.yaml_source import parse

SCHEMA = {"complaints_open": FeatureType(unit="complaints"), "region": FeatureType("category")}
RULES = """version: 1
groups:
  - name: g
    rules:
      - alert: A
        id: a
        tier: watch
        expr: complaints_open >= 1
        clear_expr: complaints_open == 0
        reason: r
        text: {en: t, zh-CN: t}
"""
DAY = 86_400_000_000
assert DEFAULT


def rule(more: str):
    document, faults = parse("f.yaml", (RULES + "".join(f"        {line}\n" for line in more.splitlines())).encode())
    found, misshapen = read(document, RuleFile)
    compiler = RuleCompiler(SCHEMA, ["watch"], [], utc_offset=8 * DAY // 24)
    assert found is not None
    compiler.add(document, found)
    assert not [*faults, *misshapen, *compiler.faults]
    return compiler.result().rules[0]


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp() * 1e6


def states(found, now: str | None, **values) -> tuple[bool, bool]:
    sheet = Sheet(TableColumns([values | ({} if now is None else {"now": at(now)})], SCHEMA))
    return bool(found.fires.evaluate(sheet)[0]), bool(found.clears.evaluate(sheet)[0])


@pytest.mark.parametrize(
    ("now", "fires", "clears"),
    [
        ("2026-04-30T23:59:59+08:00", False, False),
        ("2026-05-01T00:00:00+08:00", True, False),
        ("2026-05-31T23:59:59+08:00", True, False),  # the last day is included
        ("2026-06-01T00:00:00+08:00", False, True),  # and then it holds nothing up any more
        (None, True, False),
    ],
)
def test_a_rule_holds_from_and_to_local_days(now, fires, clears) -> None:
    found = rule("valid_from: 2026-05-01\nvalid_to: 2026-05-31")
    assert states(found, now, complaints_open=1.0) == (fires, clears)


def test_an_exception_ends_and_one_that_is_unknown_is_none() -> None:
    found = rule('exceptions:\n  - {name: flood, expr: region == "north", until: 2026-05-31, reason: repairs}')
    assert states(found, "2026-05-31T12:00:00+08:00", complaints_open=1.0, region="north") == (False, False)
    assert states(found, "2026-06-01T00:00:00+08:00", complaints_open=1.0, region="north") == (True, False)
    assert states(found, "2026-05-01T00:00:00+08:00", complaints_open=1.0, region="south") == (True, False)
    assert states(found, "2026-05-01T00:00:00+08:00", complaints_open=1.0) == (True, False)
    assert states(found, None, complaints_open=1.0, region="north") == (False, False)


def test_a_time_may_have_an_hour() -> None:
    found = rule("valid_from: 2026-05-01T08:00:00Z")
    assert states(found, "2026-05-01T15:59:59+08:00", complaints_open=1.0) == (False, False)
    assert states(found, "2026-05-01T16:00:00+08:00", complaints_open=1.0) == (True, False)
