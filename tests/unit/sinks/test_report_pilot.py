"""A silent pilot: everybody is one group, work per team and day, and a word where it was not silent."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rules.ledger import History
from sinks.report.findings import findings
from sinks.report.page import page


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made = load("report_history")


def silent() -> History:
    """The small history without what care did; the teams of its warnings."""
    history = made.history()
    history.ledger.care.clear()
    for line in history.log.episodes:
        line.queue = "high-value" if line.customer == 0 else "care"
    return history


def found(history: History) -> dict[str, Any]:
    return findings(history, None, None, None, silent=True)


def test_held_out_customers_are_no_group_of_their_own() -> None:
    watch = found(silent())["outcomes"]["watch"]
    assert (watch["episodes"], watch["matured"], watch["churned"]) == (4, 3, 2)
    assert watch["recall"] == 2 / 3  # 0 and 4 of 0, 2 and 4
    assert watch["held_out"]["episodes"] == 0
    assert found(silent())["warnings"]["held_out"] == 0


def test_work_counts_by_team_on_the_day_a_tier_was_reached() -> None:
    teams = found(silent())["pilot"]["load"]
    assert teams["high-value"]["per_day"]["2026-01-11"] == 1  # raised
    assert teams["high-value"]["per_day"]["2026-01-13"] == 1  # watch to critical at once: one piece of work
    assert sum(teams["high-value"]["per_day"].values()) == 2
    care = teams["care"]
    assert (care["most"], care["busiest_day"], care["median"]) == (2, "2026-01-11", 0)
    assert care["mean"] == pytest.approx(3 / 60)
    assert care["by_tier"] == {"watch": pytest.approx(3 / 60), "warning": 0, "critical": 0}


def test_how_many_a_day_and_how_many_found_a_day_ahead() -> None:
    history = silent()
    history.log.raised(2, 0, made.noon(40) - made.DAY // 2, False)  # customer 2, half a day before leaving
    tiers = found(history)["pilot"]["tiers"]
    assert tiers["watch"]["per_day"] == pytest.approx(5 / 60)
    assert tiers["watch"]["per_day_and_1000"] == pytest.approx(1000 * 5 / 60 / ((0 + 7) / 2))
    assert found(history)["outcomes"]["watch"]["recall"] == 1
    assert tiers["watch"]["recall_a_day_ahead"] == pytest.approx(2 / 3)
    assert tiers["critical"]["recall_a_day_ahead"] == pytest.approx(1 / 3)


def test_who_was_warned_long_ago_and_again_more_urgently_was_found_ahead_at_the_lower_tier_too() -> None:
    history = silent()
    log = history.log
    log.raised(2, 0, made.noon(40) - 35 * made.DAY, False)  # customer 2: watched too early to count
    log.reached(2, 1, made.noon(40) - 5 * made.DAY)
    tiers = found(history)["pilot"]["tiers"]
    assert tiers["warning"]["recall_a_day_ahead"] == pytest.approx(2 / 3)
    assert tiers["watch"]["recall_a_day_ahead"] == 1


def test_a_period_with_contacts_is_not_silent() -> None:
    assert found(silent())["pilot"]["contacts"] == {"count": 0, "silent": True, "first": None, "last": None}
    contacts = found(made.history())["pilot"]["contacts"]
    assert contacts == {"count": 2, "silent": False, "first": "2026-01-12", "last": "2026-01-13"}


def test_without_outcomes_only_the_work_is_told() -> None:
    history = silent()
    history.log.leavers.clear()
    numbers = found(history)
    assert numbers["outcomes"] is None
    assert numbers["pilot"]["tiers"]["watch"]["recall_a_day_ahead"] is None
    text = page(numbers, "en", made.TIERS, made.CAUSE_NAMES)
    assert "Work per care team and day" in text


def test_an_ordinary_report_says_nothing_of_a_pilot() -> None:
    numbers = findings(made.history(), None, None, None)
    assert "pilot" not in numbers
    assert "pilot" not in page(numbers, "en", made.TIERS, made.CAUSE_NAMES)


@pytest.mark.parametrize(
    ("language", "title", "quiet", "alarm"),
    [
        ("en", "Silent pilot: what would have been warned of", "Nobody was contacted", "This was no silent period: 2"),
        ("zh-CN", "静默试点报告", "期内没有联系任何客户", "本期并非静默期"),
    ],
)
def test_the_page(language: str, title: str, quiet: str, alarm: str) -> None:
    text = page(found(silent()), language, made.TIERS, made.CAUSE_NAMES)
    assert title in text
    assert quiet in text
    assert alarm not in text
    assert "high-value" in text
    text = page(found(made.history()), language, made.TIERS, made.CAUSE_NAMES)
    assert alarm in text
    assert quiet not in text
