"""The figures of a backtest, on warnings that were counted by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.backtest_words import MOST_RULES, in_words
from rules.backtesting import DAY_US, Trial, Warned, findings, scaled, wilson
from rules.outcomes import EpisodeLine, Leaver
from sinks.report.backtest import backtest_page

NAMES = ["a", "b", "c", "d"]


def warned(customer: str, day: float, tier: str, queue: str, number: int = 1, status: str = "raised") -> Warned:
    return Warned(f"{customer}{number}", customer, status, int(day * DAY_US), tier, queue, ("r",), False)


def line(customer: int, *reached: float, rules: tuple[str, ...] = ("r",)) -> EpisodeLine:
    times = [-1 if day < 0 else int(day * DAY_US) for day in reached]
    return EpisodeLine(customer, False, times, dict.fromkeys(rules, times[0]))


def trial(**changed) -> Trial:
    plain = {
        "version": "v",
        "tiers": ("watch", "warning"),
        "horizon_days": 5,
        "utc_offset": 0,
        "rules": {"r": "watch", "s": "warning"},
        "capacity": {"care": 1.0},
        "events": 9,
        "begin": 0,
        "end": 20 * DAY_US,
        "share": 1.0,
        "known": 4,
        "names": NAMES,
        "warned": [
            warned("a", 1, "watch", "care"),
            warned("a", 2, "warning", "care", status="elevated"),
            warned("b", 2.5, "warning", "care"),
            warned("c", 3, "warning", "high"),
        ],
        "episodes": [line(0, 1, 2, rules=("r", "s")), line(1, 2.5, 2.5), line(2, 3, 3)],
        "leavers": [Leaver(0, 4 * DAY_US, True), Leaver(3, 4 * DAY_US, True)],
        "now": {"r": ["b", "c"], "s": ["c"]},
    }
    return Trial(**(plain | changed))


def test_tiers_queues_and_days() -> None:
    found = findings(trial())["new"]
    assert found["by_tier"]["watch"]["episodes"] == {"count": 3, "low": 3, "high": 3}
    assert found["by_tier"]["warning"]["precision"] == pytest.approx(1 / 3)
    assert found["by_tier"]["warning"]["recall"] == 0.5
    assert found["by_tier"]["warning"]["median_lead_days"] == 2
    care = found["by_queue"]["care"]  # of the tiers above the mildest, two on one day
    assert (care["warnings"]["count"], care["busiest_day"], care["busiest_on"], care["days_over"]) == (
        2,
        2,
        "1970-01-03",
        1,
    )
    assert found["by_queue"]["high"]["capacity"] is None
    assert found["per_day"]["1970-01-02"] == {"watch": 1, "warning": 0}
    assert found["per_day"]["1970-01-03"] == {"watch": 0, "warning": 2}  # b was a warning at once
    assert len(found["per_day"]) == 21


def test_rules_tell_whom_they_concern_now_and_with_what() -> None:
    rule = findings(trial())["new"]["by_rule"]["r"]
    assert (rule["customers_now"]["count"], rule["share_now"], rule["sample"], rule["overlap"]) == (
        2,
        0.5,
        ["b", "c"],
        {"s": 1},
    )
    assert (rule["episodes"]["count"], rule["alone"]) == (3, 2)


def test_who_flips() -> None:
    other = trial(names=["d", "c", "b", "a"], episodes=[line(0, 2, 2), line(1, 3, -1)], leavers=[])  # rows of its own
    flip = findings(trial(), other)["flips"]
    assert flip["watch"]["only_new"]["sample"] == ["a", "b"]
    assert flip["watch"]["only_old"]["sample"] == ["d"]
    assert flip["warning"]["only_new"]["customers"]["count"] == 3
    assert flip["watch"]["only_new"]["left"] == 1
    assert "only by the new" in "\n".join(in_words(findings(trial(), other)))


def test_the_text_says_what_each_rule_did_those_that_did_most_first() -> None:
    said = in_words(findings(trial(aside={"t": "shadow"})))
    first = next(k for k, line in enumerate(said) if line.startswith("  rule r (watch): in 3 episodes of 3 customers"))
    assert said[first].endswith("precision 33% of 3 matured (6% to 79%), recall 50%, median lead 3.0 days")
    assert said[first + 1].startswith("  rule s (warning): in 1 episodes of 1 customers, alone in 0")
    assert "  not live, so not counted here: t (shadow)" in said
    many = {f"rule-{k:02}": "watch" for k in range(MOST_RULES + 5)}
    lines = [line(k % 4, 1, -1, rules=(rule,)) for k, rule in enumerate(many)][:-2]
    said = in_words(findings(trial(rules=many, episodes=lines, now={})))
    assert sum(one.startswith("  rule ") for one in said) == MOST_RULES
    assert "  and 3 more rules with fewer (--out and --json have all): rule-10, rule-11, rule-12" in said
    assert "  never fired: rule-13, rule-14" in said


def test_the_text_says_which_rules_have_other_customers() -> None:
    other = trial(rules={"r": "watch", "gone": "watch"}, episodes=[line(0, 1, -1), line(3, 1, -1, rules=("gone",))])
    found = findings(trial(), other)
    assert found["rule_flips"]["r"]["only_new"]["sample"] == ["b", "c"]
    said = in_words(found)
    assert "customers of rule r: 2 only by the new, 0 only by the old, 1 by both" in said
    assert "customers of rule gone: 0 only by the new, 1 only by the old, 0 by both" in said


def test_warnings_near_the_end_are_said_to_be_too_early_to_judge() -> None:
    late = trial(
        episodes=[line(0, 1, -1), line(1, 2, -1), line(2, 17, -1), line(3, 18, -1)],
        leavers=[Leaver(0, 4 * DAY_US, True), Leaver(2, 18 * DAY_US, True)],
    )
    found = findings(late)
    one = found["new"]["by_rule"]["r"]
    assert (one["too_early"], one["precision"], one["precision_over"]) == (2, pytest.approx(2 / 3), 0.5)
    said = in_words(found)
    told = "2 too early to judge (precision without them 50%)"
    assert sum(told in text for text in said) == 2  # of a tier, and of a rule
    assert any(text.startswith("too early to judge: raised in the last 5 days") for text in said)
    assert "Too early to judge: raised in the last 5 days" in backtest_page(found, "en")
    assert "尚未到期:最后5天内发出" in backtest_page(found, "zh-CN")
    young = in_words(findings(trial(episodes=[line(1, 18, -1)])))
    assert any(text.endswith("no precision: 1 too early to judge") for text in young)
    assert not any("too early" in text for text in in_words(findings(trial())))


def test_the_page_names_rules_with_what_they_did() -> None:
    other = trial(rules={"r": "watch", "gone": "watch"}, episodes=[line(0, 1, -1), line(3, 1, -1, rules=("gone",))])
    page = backtest_page(findings(trial(aside={"t": "off"}), other), "en")
    rows = [row for row in page.split("<tr>") if row.startswith(("<td>r</td>", "<td>s</td>", "<td>gone</td>"))]
    assert [row.split("</td>")[0] for row in rows] == ["<td>r", "<td>r", "<td>gone", "<td>s"]
    assert "t (off)" in page


def test_without_outcomes_nothing_is_said_of_quality() -> None:
    found = findings(trial(leavers=[]))
    assert "precision" not in found["new"]["by_tier"]["watch"]
    assert "precision" not in "\n".join(in_words(found))


@given(st.integers(0, 10**6), st.floats(0.001, 0.999))
def test_the_interval_of_an_estimate_holds_it(count: int, share: float) -> None:
    found = scaled(count, share)
    assert 0 <= found["low"] <= found["count"] <= found["high"]


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_the_interval_of_a_share_holds_it(hits: int, more: int) -> None:
    low, high = wilson(hits, hits + more) or [1, 0]
    assert 0 <= low <= hits / (hits + more) + 1e-4
    assert hits / (hits + more) - 1e-4 <= high <= 1


def test_of_many_samples_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:

    chance, inside = random.Random(3), 0
    for _ in range(400):
        drawn = sum(chance.random() < 0.1 for _ in range(900))
        found = scaled(drawn, 0.1)
        inside += found["low"] <= 900 <= found["high"]
    assert inside > 360
