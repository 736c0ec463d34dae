"""What is noted of the market reaches the customers whom it concerns, while it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from support.engines import DEFAULT, batch, engine, frozen

from engine.engine import Engine

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
KINDS = ("competitor_offer", "regulation", "tariff", "season")


def moment(days: float) -> str:
    return (START + timedelta(days=days)).isoformat()


def line(type_: str, days: float, customer: str, number: int = 0, **fields: Any) -> bytes:
    common = {
        "type": type_,
        "event_id": f"{type_}{days}{number}{fields}",
        "customer_id": customer,
        "occurred_at": moment(days),
    }
    return json.dumps(common | fields).encode()


def profile(customer: str, **fields: Any) -> bytes:
    return line("customer.profiled", 0, customer, **fields)


def noted(days: float, where: str = "all", kind: str = "competitor_offer", number: int = 0, **fields: Any) -> bytes:
    return line("market.noted", days, f"market:{where}", number, kind=kind, **fields)


PEOPLE = [profile("n", region="north", plan="p1"), profile("s", region="south", plan="p2"), profile("u")]


def told(made: Engine, days: float, name: str = "market_competitor_offer") -> dict[str, float]:
    """The feature of every customer as of a day."""
    at = int((START + timedelta(days=days)).timestamp() * 1e6)
    found = {}
    for customer in ("n", "s", "u"):
        row = made.partition.ids.find(customer)
        for rows, count in made.partition.look(np.array([row], np.int64), at):
            made.evaluation.judge(rows, count, learn=False)
            found[customer] = float(made.evaluation.sheet(rows, 0)[name][0])
    return found


@pytest.fixture
def made() -> Engine:
    one = engine(DEFAULT, model=frozen())
    one.step(batch(PEOPLE), 0)
    return one


def test_before_anything_is_told_nothing_is_known(made):
    assert all(value != value for value in told(made, 1).values())
    made.step(batch([noted(1, kind="season")]), 0)
    assert told(made, 2) == {"n": 0, "s": 0, "u": 0}


def test_it_concerns_its_region_or_all(made):
    made.step(batch([noted(1, "north"), noted(1, kind="regulation")]), 0)
    assert told(made, 2) == {"n": 1, "s": 0, "u": 0}
    assert told(made, 2, "market_regulation") == {"n": 1, "s": 1, "u": 1}


@pytest.mark.parametrize("fields", [{"region": "south"}, {}])
def test_the_region_is_the_field_s_else_the_key_s(made, fields):
    made.step(batch([noted(1, "south", **fields)]), 0)
    assert told(made, 2) == {"n": 0, "s": 1, "u": 0}


def test_it_runs_from_its_begin_to_its_end(made):
    made.step(batch([noted(1, starts_at=moment(3), ends_at=moment(5))]), 0)
    assert [told(made, days)["n"] for days in (2, 3, 4.9, 5)] == [0, 1, 1, 0]
    assert told(made, 4, "market_competitor_offer_days")["n"] == 1
    assert np.isnan(told(made, 6, "market_competitor_offer_days")["n"])


def test_without_an_end_it_runs_for_thirty_days(made):
    made.step(batch([noted(1)]), 0)
    assert [told(made, days)["n"] for days in (30.9, 31.1)] == [1, 0]


def test_days_count_from_the_newest(made):
    made.step(batch([noted(1, "north"), noted(4)]), 0)
    assert told(made, 6, "market_competitor_offer_days") == {"n": 2, "s": 2, "u": 2}
    assert told(made, 6, "market_competitor_offer_days")["s"] == 2


def test_a_tariff_round_of_a_plan_concerns_those_who_have_it(made):
    made.step(batch([noted(1, kind="tariff", plan="p2"), noted(1, plan="rival-29")]), 0)
    assert told(made, 2, "market_tariff") == {"n": 0, "s": 1, "u": 0}
    assert told(made, 2) == {"n": 1, "s": 1, "u": 1}  # a rival's plan is nobody's here


def test_of_the_same_the_newest_word_stands(made):
    same = {"starts_at": moment(1)}
    made.step(batch([noted(2, ends_at=moment(3), **same), noted(1, ends_at=moment(9), **same)]), 0)
    assert [told(made, days)["n"] for days in (2.5, 3.5)] == [1, 0]
    made.step(batch([noted(4, ends_at=moment(20), **same)]), 0)
    assert told(made, 5)["n"] == 1


def test_a_region_that_becomes_known_later(made):
    made.step(batch([noted(1, "west")]), 0)
    assert told(made, 2) == {"n": 0, "s": 0, "u": 0}
    made.step(batch([line("customer.profiled", 2, "u", region="west")]), 0)
    assert told(made, 3)["u"] == 1


def test_what_is_long_over_is_forgotten(made):
    made.step(batch([noted(1, ends_at=moment(3), starts_at=moment(1)), noted(2, "north", ends_at=moment(500))]), 0)
    made.advance(int((START + timedelta(days=120)).timestamp() * 1e6), 0)
    assert len(made.watches.market.snapshot()[1]) == 1
    assert told(made, 121) == {"n": 1, "s": 0, "u": 0}


def test_the_model_does_not_see_it(made):
    assert not any(name.startswith("market_") for name in made.model.names)
