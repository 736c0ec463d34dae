"""When the model ticks, and what a transferred line does to the examples that wait."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.engines import EAGER, batch, engine, run

from engine.model_inputs import model_inputs
from models.champion import Champion
from models.examples import LEFT, WAITING
from models.settings import DAY_US

START = datetime(2024, 3, 1, 12, tzinfo=UTC)


class Counting(Champion):
    """Counts its ticks."""

    ticks = 0

    def tick(self, clock):
        self.ticks += 1
        return super().tick(clock)


def line(kind, hours, start=START, customer="c", **fields):
    at = (start + timedelta(hours=hours)).isoformat()
    own = {"type": kind, "event_id": f"{kind}{at}", "customer_id": customer, "occurred_at": at}
    return json.dumps(own | fields).encode()


OLD = datetime(1970, 1, 2, tzinfo=UTC)
LONE = [
    line("usage.recorded", 0, OLD, service="sms"),
    *(line("usage.recorded", h, service="sms") for h in range(0, 90, 5)),
]


def test_an_empty_stretch_needs_no_daily_ticks():
    model = Counting(*model_inputs({}), EAGER)
    made = engine(model=model)
    made.step(batch(LONE), 0)
    assert model.ticks < 120  # a quarter of weekly examples, and then none for half a century
    assert made.ticked % DAY_US == 0
    assert made.ticked <= made.partition.clock


LEAVER = [line("bill.issued", 5, OLD, "old", bill_id="b", amount=3), line("customer.churned", 9, OLD, "old")]


@pytest.mark.parametrize("extra", [[], LEAVER])
def test_a_skipped_stretch_is_the_same_in_any_batches(extra):
    lines = [LONE[0], *extra, *LONE[1:], line("customer.churned", 100), line("porting.requested", 120)]
    whole, single = run(engine(), [lines]), run(engine(), [[one] for one in lines])
    assert whole == single
    assert whole.decisions


def test_examples_of_the_old_person_are_not_labelled_by_the_new_one():
    bill, gone = (
        line("bill.issued", 0, bill_id="b", amount=30),
        line("line.changed", 4, status="transferred", account_id="a"),
    )
    left, later = line("customer.churned", 8), line("usage.recorded", 10, customer="d", service="sms")
    for facts, states in (([bill, left, later], [LEFT]), ([bill, gone, left, later], []), ([bill, gone], [WAITING])):
        made = engine()
        for fact in facts:
            made.step(batch([fact]), 0)
        held = made.model.examples
        assert [s for s in held.state[: held.size].tolist() if s] == states


def test_a_transfer_alone_is_no_sign_that_outcomes_arrive():
    made = engine()
    made.step(batch([line("bill.issued", 0, bill_id="b", amount=3), line("line.changed", 4, status="transferred")]), 0)
    made.advance(int((START + timedelta(days=3)).timestamp() * 1e6), 0)
    assert made.model.ready_at() is None
    assert len(made.model.examples) == 0
    again = engine()
    again.restore(made.snapshot())
    assert again.model.outcomes == made.model.outcomes
