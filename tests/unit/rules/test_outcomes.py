"""The figures of warnings: involuntary leavers censor, and treated and held-out customers are counted apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.engines import QUICK, batch, engine, frozen

from rules.episodes import held_out
from rules.outcomes import EpisodeLog, Leaver, figures

DAY = 86_400_000_000
START = datetime(2024, 3, 1, 12, tzinfo=UTC)
TIERS = ("watch", "warning", "critical")


def against(warned: list[int], *left: tuple[int, bool], end: int = 100) -> tuple[int, int, float | None]:
    """Matured, churned and precision of one customer's warnings on these days."""
    leavers = [Leaver(1, at * DAY, True, voluntary) for at, voluntary in left]
    voluntary = [leaver for leaver in leavers if leaver.voluntary]
    found = figures([(1, at * DAY) for at in warned], leavers, voluntary, end * DAY, 30 * DAY)
    return found["matured"], found["churned"], found["precision"]


def test_an_involuntary_leaver_is_neither_a_hit_nor_a_false_alarm() -> None:
    assert against([10]) == (1, 0, 0.0)
    assert against([10], (20, False)) == (0, 0, None)
    assert against([10, 60], (40, False), end=200) == (1, 0, 0.0)  # the second is of another life
    assert against([10], (41, False)) == (1, 0, 0.0)  # beyond the horizon


def test_whoever_leaves_first_decides() -> None:
    assert against([10], (20, True), (30, False)) == (1, 1, 1.0)
    assert against([10], (30, True), (20, False)) == (0, 0, None)
    assert against([10], (30, True), (20, True)) == (1, 1, 1.0)


def log(*episodes: tuple[int, bool, int, int]) -> EpisodeLog:
    """Episodes as (customer, held out, tier, day)."""
    made = EpisodeLog(TIERS)
    for customer, out, rank, day in episodes:
        made.raised(customer, rank, day * DAY, out)
    return made


def recalls(made: EpisodeLog, tier: str) -> tuple[float | None, float | None]:
    found = made.outcomes(100 * DAY, 30 * DAY)[tier]
    return found["recall"], found["held_out"]["recall"]


def test_recall_is_over_each_groups_own_leavers() -> None:
    made = log((1, False, 1, 10), (2, True, 0, 10), (3, True, 0, 10))
    for customer in (1, 2, 3, 4):
        made.left(Leaver(customer, 20 * DAY, True))
    assert recalls(made, "watch") == (1 / 2, 1.0)  # 1 of 1 and 4; 2 and 3
    assert recalls(made, "warning") == (1 / 2, 0.0)


def test_who_was_not_warned_of_belongs_where_the_lot_says() -> None:
    made = log((1, False, 0, 10), (2, True, 0, 10))
    for customer, lots in ((1, 0), (2, 0b001), (4, 0b001), (5, 0b010)):
        made.left(Leaver(customer, 20 * DAY, True, lots=lots))
    assert recalls(made, "watch") == (1 / 2, 1 / 2)
    assert recalls(made, "critical") == (0.0, 0.0)
    assert EpisodeLog(TIERS).outcomes(DAY, DAY)["watch"]["held_out"]["recall"] is None


def test_a_warning_beyond_the_horizon_says_nothing_of_the_group() -> None:
    made = log((1, True, 0, 10))
    made.left(Leaver(1, 80 * DAY, True))
    assert recalls(made, "watch") == (0.0, None)


@pytest.mark.parametrize("account", [None, "household"])
def test_the_engine_draws_the_lots_of_leavers_as_it_does_those_of_episodes(account: str | None) -> None:
    def event(number: int, customer: str, **fields: Any) -> bytes:
        common = {"type": "customer.churned", "event_id": str(number), "customer_id": customer}
        named = {"account_id": account} if account else {}
        return json.dumps(
            common | named | fields | {"occurred_at": (START + timedelta(hours=number)).isoformat()}
        ).encode()

    made = engine(QUICK, model=frozen())
    made.step(batch([event(number, f"c{number}") for number in range(20)]), 0)
    share = made.settings.hold_out_share("watch")
    lots = [leaver.lots for leaver in made.decider.log.leavers]
    assert lots == [int(held_out(account or f"c{number}", "watch", share)) for number in range(20)]
    again = engine(QUICK, model=frozen())
    again.restore(made.snapshot())
    assert again.report() == made.report()
    assert again.decider.log.leavers == made.decider.log.leavers


def test_who_is_warned_of_again_within_the_horizon_is_found_at_the_lower_tier_too() -> None:
    log = EpisodeLog(("watch", "critical"))
    log.raised(1, 0, 0, False)
    log.reached(1, 1, 38 * DAY)
    log.left(Leaver(1, 40 * DAY, True, True, "unknown"))
    found = log.outcomes(100 * DAY, 30 * DAY)
    assert (found["watch"]["recall"], found["watch"]["churned"], found["watch"]["matured"]) == (1.0, 0, 1)
    assert found["watch"]["median_lead_days"] == found["critical"]["median_lead_days"] == 2.0
    assert (found["critical"]["recall"], found["critical"]["churned"]) == (1.0, 1)
