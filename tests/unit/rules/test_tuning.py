"""Values chosen on the earlier part, judged on the later, and written with nothing else touched."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from support.engines import DEFAULT, configuration

from rules.backtesting import DAY_US, Trial, wilson
from rules.outcomes import Leaver
from rules.rulefile import Param
from rules.tuning import Goal, Part, Tried, beta_binomial, chosen, grid, parts, promise, split_after, split_at, swing
from rules.variants import NotWrittenError, numeric, patched, rewritten, with_parameter
from streams.bootstrap import schema
from streams.studies.tuning import Candidate, best_of_one, optimism

RAW = {
    entry["id"]: entry.get("params", {})
    for file in (DEFAULT / "rules").glob("*.yaml")
    if "_test" not in file.name
    for group in YAML(typ="safe", pure=True).load(file.read_text())["groups"]
    for entry in group["rules"]
}
RULES = {rule.id: rule for rule in configuration(DEFAULT).rules.rules}


def tried(value: float, warnings: int, churned: int, matured: int) -> Tried:
    part = Part(warnings, warnings / 10, matured, churned)
    return Tried(value, part, part)


CURVE = [tried(1, 100, 20, 100), tried(2, 60, 18, 60), tried(3, 30, 12, 30), tried(4, 10, 6, 10)]


@pytest.mark.parametrize(
    ("goal", "value"),
    [
        (Goal(precision=0.2), 1),
        (Goal(precision=0.25), 2),
        (Goal(precision=0.5), 4),
        (Goal(precision=0.9), None),
        (Goal(precision=0.2, capacity=5), 3),
        (Goal(cost_ratio=3), 3),
        (Goal(cost_ratio=10), 1),
    ],
)
def test_most_leavers_found_among_what_keeps_to_the_goal(goal: Goal, value: float | None) -> None:
    best = chosen(CURVE, goal)
    assert (best.value if best else None) == value


def trial(leavers: list[Leaver], days: int = 100, horizon: int = 10) -> Trial:
    return Trial("v", ("watch",), horizon, 0, {}, {}, 0, 0, days * DAY_US, 1.0, 9, [], [], [], leavers, {})


def test_choosing_does_not_look_ahead_of_the_split() -> None:
    one = trial([Leaver(0, 53 * DAY_US, True), Leaver(1, 59 * DAY_US, True), Leaver(2, 97 * DAY_US, True)])
    split = split_at(one)
    assert split == 58 * DAY_US
    earlier, later = parts(
        one, [(0, 50 * DAY_US), (1, 53 * DAY_US), (3, 10 * DAY_US), (2, 89 * DAY_US), (4, 95 * DAY_US)], split
    )
    assert (earlier.warnings, earlier.churned, earlier.matured) == (
        3,
        0,
        1,
    )  # 0 and 1 were warned of too lately to be judged by then
    assert (later.warnings, later.churned, later.matured) == (1, 1, 1)  # the last one cannot have matured
    with pytest.raises(ValueError, match="the files cover 11 days"):
        split_at(trial([], days=11))


def test_what_is_known_of_a_warning_early_is_not_only_that_it_was_right() -> None:
    """Half of the customers leave 5 days after the warning. Just after it only the leavers are known, and do not count."""
    lines = [(customer, (customer % 50) * DAY_US) for customer in range(200)]
    leavers = [Leaver(customer, at + 5 * DAY_US, True) for customer, at in lines if customer % 100 < 50]
    earlier, _ = parts(trial(leavers, horizon=30), lines, 45 * DAY_US)
    assert earlier.precision == 0.5


def simulated(chance: random.Random, values: int = 9, customers: int = 400) -> tuple[Trial, dict]:
    """A rule whose values do not differ at all: 30 % of whoever is warned of leave. One that looks better is not."""
    leaves = {customer: chance.random() < 0.3 for customer in range(2 * customers)}
    at = {customer: chance.randrange(40) + (0 if customer < customers else 60) for customer in leaves}
    leavers = [Leaver(customer, (at[customer] + 5) * DAY_US, True) for customer in leaves if leaves[customer]]
    fired = {
        Candidate("r", "p", value): [(customer, at[customer] * DAY_US) for customer in leaves if chance.random() < 0.15]
        for value in range(values)
    }
    return trial(leavers, days=120), fired


def test_a_promise_is_kept_on_the_later_part_about_as_often_as_it_says() -> None:
    """Values are chosen by how good they look, so what they look like is too good; what is promised is not."""
    chance, kept, asked, looked, told, rounds = random.Random(5), 0, 0, 0.0, 0.0, 60
    for _ in range(rounds):
        one, fired = simulated(chance)
        goal, split = Goal(precision=0.34), 55 * DAY_US
        _, best = best_of_one(one, fired, split, goal)
        if best is None:
            continue
        too_good = optimism(one, fired, split, goal, best_of_one)
        promised = promise(best.earlier, too_good, best.later.customers or 0)
        assert promised is not None
        kept += bool(promised.kept(best.later))
        looked, told = looked + (best.earlier.precision or 0) - 0.3, told + promised.precision - 0.3
        asked += 1
    assert asked > rounds / 2
    assert kept / asked > 0.85
    assert looked / asked > 0.06  # the winner's curse
    assert abs(told / asked) < 0.03


def test_of_few_warnings_to_come_nothing_is_ruled_out_that_is_likely() -> None:
    """Three of four were right: that of two to come neither is has one chance in eight."""
    told = promise(Part(4, 1.0, 4, 3, 4), 0.0, 2)
    assert told is not None
    assert told.kept(Part(2, 1.0, 2, 0, 2)) is True
    assert told.kept(Part(2, 1.0, 2, 2, 2)) is True
    assert beta_binomial(0.5, 1e9, 10) == (0, 0)
    looked, corrected = (promise(Part(30, 1.0, 30, 10, 30), too_good, 20) for too_good in (0.0, 0.3))
    assert looked is not None
    assert corrected is not None
    assert (corrected.low < looked.low, corrected.high) == (True, looked.high)  # how much too good is itself not sure
    assert beta_binomial(1.0, 1.0, 38) == (0, 38)  # all alike, each a little more than 2.5 %


def test_weeks_that_differ_by_more_than_chance_make_a_promise_wider() -> None:
    """In every second week all who are warned of leave, in the others none; or always every second."""
    leaves = {(week, k): (week % 2 == 0, k % 2 == 0) for week in range(8) for k in range(10)}
    lines = [(week * 10 + k, (week * 7 + 1) * DAY_US) for week, k in leaves]
    wide = [Leaver(10 * week + k, (week * 7 + 3) * DAY_US, True) for (week, k), (all_, _) in leaves.items() if all_]
    even = [Leaver(10 * week + k, (week * 7 + 3) * DAY_US, True) for (week, k), (_, half) in leaves.items() if half]
    split = 70 * DAY_US
    assert swing(trial(even), lines, split) == 1.0
    assert swing(trial(wide), lines, split) == pytest.approx(80 / 7)
    calm, restless = (promise(Part(80, 1.0, 80, 40, 80), 0.0, 40, by) for by in (1.0, 80 / 7))
    assert calm is not None
    assert restless is not None
    assert restless.low < calm.low < 0.5 < calm.high < restless.high
    assert swing(trial([]), [], split) == swing(trial([]), lines, split) == 1.0


def test_a_customer_who_is_warned_of_twice_counts_once_for_the_interval() -> None:
    once, twice = Part(50, 1.0, 50, 20, 50), Part(100, 2.0, 100, 40, 50)
    assert once.precision == twice.precision
    assert once.interval == twice.interval == wilson(20, 50)
    assert promise(Part(0, 0.0, 0, 0, 0), 0.0, 10) is None
    assert promise(once, 0.0, 0) is None


def test_a_split_may_be_a_day() -> None:
    assert split_after(trial([]), dt.date(1970, 2, 10)) == 41 * DAY_US
    with pytest.raises(ValueError, match="--split 1970-04-08: between 1970-01-02 and 1970-03-31 here"):
        split_after(trial([]), dt.date(1970, 4, 8))


@given(st.floats(-1e6, 1e6), st.integers(2, 20))
def test_a_grid_holds_the_value_itself(value: float, steps: int) -> None:
    found = grid(value, None, None, steps)
    assert value in found
    assert found == sorted(found)


def test_a_number_keeps_its_unit_and_its_bounds() -> None:
    assert rewritten("5 GB", 7.5) == "7.5 GB"
    assert rewritten("40%", 35) == "35%"
    assert rewritten(Param(value="3 days", max="9 days"), 4) == Param(value="4 days", max="9 days")


def test_the_rule_is_the_same_but_for_the_number() -> None:
    rule = RULES["complaint-waiting"]
    made = with_parameter(rule, "wait", 5, schema(), "CNY")
    assert made.expr.condition != rule.expr.condition
    assert with_parameter(rule, "wait", 3, schema(), "CNY").fires.condition == rule.fires.condition
    assert numeric(rule) == {"wait": 3.0}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if numeric(rule)], ids=lambda rule: rule.id)
def test_only_the_number_is_written(rule) -> None:
    text = Path(rule.file).read_text()
    name = next(iter(numeric(rule)))
    if name not in RAW[rule.id]:
        with pytest.raises(NotWrittenError, match="is a parameter of the group"):
            patched(rule, name, 0.123, text)
        return
    after = patched(rule, name, 0.123, text)
    changed = [(a, b) for a, b in zip(text.split("\n"), after.split("\n"), strict=True) if a != b]
    assert len(changed) == 1
    assert "0.123" in changed[0][1]
    assert patched(rule, name, numeric(rule)[name], after) == text or "%" in text


def test_comments_and_quotes_around_it_stay(tmp_path: Path) -> None:
    text = (
        Path(RULES["complaint-waiting"].file)
        .read_text()
        .replace("params: {wait: 3}", "params:  # days\n          wait: 3   # working\n")
    )
    assert "wait: 5   # working" in patched(RULES["complaint-waiting"], "wait", 5, text)
